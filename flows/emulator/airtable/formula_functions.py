"""
The functions that formulas may call, each with the least and the most arguments it takes.

LAST_MODIFIED_TIME is not among them: the parser hands it columns, not values.
"""

import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from emulator.airtable.formula_values import FormulaValueError, Node, Row, is_true, moment, number, text

SECONDS_PER_UNIT = {"milliseconds": 0.001, "ms": 0.001, "seconds": 1, "s": 1, "minutes": 60, "m": 60}
SECONDS_PER_UNIT |= {"hours": 3600, "h": 3600, "days": 86400, "d": 86400, "weeks": 604800, "w": 604800}
Implementation = Callable[[Row, Sequence[Node]], Any]
MANY = 10_000


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
