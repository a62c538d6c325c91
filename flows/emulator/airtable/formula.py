"""
The part of Airtable's formula language that filters need: parsed once into a predicate over rows.

What the words of the language do is in `formula_functions` and `formula_values`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from emulator.airtable.formula_functions import FUNCTIONS
from emulator.airtable.formula_values import BINARY, FormulaValueError, Node, Row, is_true, number

INVALID_FORMULA = "Invalid formula. Please check your formula text."


class FormulaSyntaxError(ValueError):
    """The formula cannot be used; the message is the tail of Airtable's own text."""


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
