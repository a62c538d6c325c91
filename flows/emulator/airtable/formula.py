"""The part of Airtable's formula language that filters need: parsed once, evaluated per record."""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from emulator.clock import iso_milliseconds, parse_iso

INVALID_FORMULA = "Invalid formula. Please check your formula text."


class FormulaSyntaxError(ValueError):
    """The formula cannot be used; the message is the tail of Airtable's own text (Airtable reference, section 2.1)."""


class FormulaValueError(ValueError):
    """The formula gives `#ERROR!` for this record, which filters it out."""


class Row(Protocol):
    """What a formula asks of a record; times are aware datetimes."""

    def record_id(self) -> str:
        """What RECORD_ID() gives."""

    def cell(self, field_id: str) -> Any:
        """A cell's value, None when empty."""

    def created(self) -> datetime | None:
        """What CREATED_TIME() gives."""

    def modified(self, field_ids: Sequence[str]) -> datetime | None:
        """What LAST_MODIFIED_TIME() gives for these fields; none means all."""

    def now(self) -> datetime:
        """What NOW() gives."""


Node = Callable[[Row], Any]

TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?:\.\d+)?|\.\d+)
      | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | \{(?P<field>(?:\\.|[^}\\])*)\}
      | (?P<name>[^\W\d]\w*)
      | (?P<operator><=|>=|!=|[=<>&+\-*/(),])
    )""",
    re.VERBOSE | re.DOTALL,
)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


@dataclass(frozen=True)
class Token:
    """A lexical token; `kind` is a group name of TOKEN."""

    kind: str
    text: str


def compile_formula(text: str, field_ids: dict[str, str]) -> Callable[[Row], bool]:
    """
    A predicate that says whether a record is kept.

    `field_ids` maps each field name and id to the id. Raises: FormulaSyntaxError, also for unknown fields.
    """
    parser = _Parser(_tokens(text), field_ids)
    node = parser.whole()
    if parser.unknown_fields:
        raise FormulaSyntaxError("Unknown field names: " + ", ".join(parser.unknown_fields))
    return lambda row: _kept(node, row)


def _kept(node: Node, row: Row) -> bool:
    try:
        return is_true(node(row))
    except FormulaValueError:
        return False


def is_true(value: Any) -> bool:
    """Airtable keeps a record unless the result is 0, false, empty, NaN or an empty list."""
    if isinstance(value, float) and math.isnan(value):
        return False
    return bool(value)


def _tokens(text: str) -> list[Token]:
    tokens, position = [], 0
    while text[position:].strip():
        match = TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise FormulaSyntaxError(INVALID_FORMULA)
        kind, token = match.lastgroup, match.group(match.lastgroup)
        if kind == "text":
            token = ESCAPED.sub(lambda m: ESCAPES.get(m[1], m[1]), token[1:-1])
        elif kind == "field":
            token = ESCAPED.sub(r"\1", token)
        tokens.append(Token(kind, token))
        position = match.end()
    return tokens


class _Parser:
    """Recursive descent; operators bind, loosest first: comparison, `&`, `+ -`, `* /`, sign."""

    def __init__(self, tokens: Sequence[Token], field_ids: dict[str, str]) -> None:
        self._tokens, self._position = tokens, 0
        self._field_ids = field_ids
        self.unknown_fields: list[str] = []

    def whole(self) -> Node:
        node = self._comparison()
        if self._position < len(self._tokens):
            raise FormulaSyntaxError(INVALID_FORMULA)
        return node

    def _peek(self, *operators: str) -> bool:
        if self._position >= len(self._tokens):
            return False
        token = self._tokens[self._position]
        return token.kind == "operator" and token.text in operators

    def _next(self) -> Token:
        if self._position >= len(self._tokens):
            raise FormulaSyntaxError(INVALID_FORMULA)
        self._position += 1
        return self._tokens[self._position - 1]

    def _expect(self, operator: str) -> None:
        if not self._peek(operator):
            raise FormulaSyntaxError(INVALID_FORMULA)
        self._position += 1

    def _chain(self, operators: Sequence[str], operand: Callable[[], Node]) -> Node:
        node = operand()
        while self._peek(*operators):
            node = _binary(BINARY[self._next().text], node, operand())
        return node

    def _comparison(self) -> Node:
        return self._chain(("=", "!=", "<", ">", "<=", ">="), self._joined)

    def _joined(self) -> Node:
        return self._chain(("&",), self._sum)

    def _sum(self) -> Node:
        return self._chain(("+", "-"), self._product)

    def _product(self) -> Node:
        return self._chain(("*", "/"), self._signed)

    def _signed(self) -> Node:
        if self._peek("-"):
            self._next()
            operand = self._signed()
            return lambda row: -number(operand(row))
        return self._primary()

    def _primary(self) -> Node:
        token = self._next()
        if token.kind == "number":
            constant = float(token.text)
            return lambda row: constant
        if token.kind == "text":
            return lambda row: token.text
        if token.kind == "field":
            return self._field(token.text)
        if token.kind == "name":
            return self._call(token.text) if self._peek("(") else self._field(token.text)
        if token.text != "(":
            raise FormulaSyntaxError(INVALID_FORMULA)
        node = self._comparison()
        self._expect(")")
        return node

    def _field(self, name: str) -> Node:
        field_id = self._field_ids.get(name, "")
        if not field_id:
            self.unknown_fields.append(name.lower())
        return lambda row: row.cell(field_id)

    def _call(self, name: str) -> Node:
        arguments, fields = self._arguments()
        function = name.upper()
        if function == "LAST_MODIFIED_TIME":
            return lambda row: row.modified(fields)
        if function not in FUNCTIONS:
            raise FormulaSyntaxError(INVALID_FORMULA)
        least, most, implementation = FUNCTIONS[function]
        if not least <= len(arguments) <= most:
            raise FormulaSyntaxError(INVALID_FORMULA)
        return lambda row: implementation(row, arguments)

    def _arguments(self) -> tuple[list[Node], list[str]]:
        """The arguments, and the ids of those that are plain fields."""
        self._expect("(")
        arguments: list[Node] = []
        fields: list[str] = []
        while not self._peek(")"):
            if arguments:
                self._expect(",")
            if self._position < len(self._tokens) and self._tokens[self._position].kind == "field":
                fields.append(self._field_ids.get(self._tokens[self._position].text, ""))
            arguments.append(self._comparison())
        self._expect(")")
        return arguments, fields


def _binary(operation: Callable[[Any, Any], Any], left: Node, right: Node) -> Node:
    return lambda row: operation(left(row), right(row))


def number(value: Any) -> float:
    """A number; blank is 0, a text that is none is an error."""
    if value is None or value == "":
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError):
        raise FormulaValueError(f"{value!r} is no number") from None


def text(value: Any) -> str:
    """Text as formulas see it: blank is empty, dates are ISO, whole numbers have no point."""
    if value is None or value is False:
        return ""
    if isinstance(value, datetime):
        return iso_milliseconds(value.timestamp())
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(text(item) for item in value)
    return "1" if value is True else str(value)


def moment(value: Any) -> datetime | None:
    """A time, or None for blank; a text that is no ISO time is an error."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        return value
    seconds = parse_iso(value) if isinstance(value, str) else None
    if seconds is None:
        raise FormulaValueError(f"{value!r} is no time")
    return datetime.fromtimestamp(seconds, tz=UTC)


def _comparable(left: Any, right: Any) -> tuple[Any, Any]:
    if isinstance(left, datetime) or isinstance(right, datetime):
        return moment(left), moment(right)
    if isinstance(left, int | float) or isinstance(right, int | float):
        return number(left), number(right)
    return text(left), text(right)


def _equal(left: Any, right: Any) -> bool:
    try:
        first, second = _comparable(left, right)
    except FormulaValueError:
        return False
    return bool(first == second)


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def operation(left: Any, right: Any) -> bool:
        first, second = _comparable(left, right)
        return first is not None and second is not None and compare(first, second)

    return operation


def _divide(left: Any, right: Any) -> float:
    divisor = number(right)
    return number(left) / divisor if divisor else math.nan


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "=": _equal,
    "!=": lambda left, right: not _equal(left, right),
    "<": _ordered(lambda left, right: left < right),
    ">": _ordered(lambda left, right: left > right),
    "<=": _ordered(lambda left, right: left <= right),
    ">=": _ordered(lambda left, right: left >= right),
    "&": lambda left, right: text(left) + text(right),
    "+": lambda left, right: number(left) + number(right),
    "-": lambda left, right: number(left) - number(right),
    "*": lambda left, right: number(left) * number(right),
    "/": _divide,
}

SECONDS_PER_UNIT = {"milliseconds": 0.001, "ms": 0.001, "seconds": 1, "s": 1, "minutes": 60, "m": 60}
SECONDS_PER_UNIT |= {"hours": 3600, "h": 3600, "days": 86400, "d": 86400, "weeks": 604800, "w": 604800}


def _date_difference(row: Row, arguments: Sequence[Node]) -> float:
    first, second = moment(arguments[0](row)), moment(arguments[1](row))
    unit = text(arguments[2](row)).lower() if len(arguments) == 3 else "seconds"
    if first is None or second is None or unit not in SECONDS_PER_UNIT:
        raise FormulaValueError("DATETIME_DIFF needs two times and a unit")
    return float(math.trunc((first - second).total_seconds() / SECONDS_PER_UNIT[unit]))


def _compare_dates(compare: Callable[[datetime, datetime], bool]) -> "Implementation":
    def implementation(row: Row, arguments: Sequence[Node]) -> bool:
        first, second = moment(arguments[0](row)), moment(arguments[1](row))
        return first is not None and second is not None and compare(first, second)

    return implementation


def _if(row: Row, arguments: Sequence[Node]) -> Any:
    if is_true(arguments[0](row)):
        return arguments[1](row)
    return arguments[2](row) if len(arguments) == 3 else None


def _find(row: Row, arguments: Sequence[Node]) -> float:
    start = int(number(arguments[2](row))) if len(arguments) == 3 else 0
    return float(text(arguments[1](row)).find(text(arguments[0](row)), max(0, start - 1)) + 1)


Implementation = Callable[[Row, Sequence[Node]], Any]
MANY = 10_000

FUNCTIONS: dict[str, tuple[int, int, Implementation]] = {
    "RECORD_ID": (0, 0, lambda row, _: row.record_id()),
    "CREATED_TIME": (0, 0, lambda row, _: row.created()),
    "NOW": (0, 0, lambda row, _: row.now()),
    "TRUE": (0, 0, lambda row, _: True),
    "FALSE": (0, 0, lambda row, _: False),
    "BLANK": (0, 0, lambda row, _: None),
    "AND": (1, MANY, lambda row, arguments: all(is_true(each(row)) for each in arguments)),
    "OR": (1, MANY, lambda row, arguments: any(is_true(each(row)) for each in arguments)),
    "XOR": (1, MANY, lambda row, arguments: sum(is_true(each(row)) for each in arguments) % 2 == 1),
    "NOT": (1, 1, lambda row, arguments: not is_true(arguments[0](row))),
    "IF": (2, 3, _if),
    "IS_AFTER": (2, 2, _compare_dates(lambda first, second: first > second)),
    "IS_BEFORE": (2, 2, _compare_dates(lambda first, second: first < second)),
    "IS_SAME": (2, 2, _compare_dates(lambda first, second: first == second)),
    "DATETIME_PARSE": (1, 3, lambda row, arguments: moment(arguments[0](row))),
    "SET_TIMEZONE": (2, 2, lambda row, arguments: moment(arguments[0](row))),
    "DATETIME_DIFF": (2, 3, _date_difference),
    "FIND": (2, 3, _find),
    "LOWER": (1, 1, lambda row, arguments: text(arguments[0](row)).lower()),
    "UPPER": (1, 1, lambda row, arguments: text(arguments[0](row)).upper()),
    "TRIM": (1, 1, lambda row, arguments: text(arguments[0](row)).strip()),
    "LEN": (1, 1, lambda row, arguments: float(len(text(arguments[0](row))))),
    "CONCATENATE": (1, MANY, lambda row, arguments: "".join(text(each(row)) for each in arguments)),
}
