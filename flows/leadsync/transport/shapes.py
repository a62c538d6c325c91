"""What is wrong with the shape of an answer, by the path that was asked. Never here: a service's own shapes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError


class Told(BaseModel):
    """Parts of an object that are relied on, of just these types; others may stand beside them."""

    model_config = ConfigDict(strict=True, extra="ignore")


@dataclass(frozen=True)
class Shape:
    """
    How requests with a method and path (patterns, the latter to its end) are answered.

    A group `id` of the path is the id that the answer must bear: it is about what was asked for.
    """

    method: str
    path: str
    kind: TypeAdapter[Any]


def flaw_by(shapes: Sequence[Shape]) -> Callable[[str, str, Any], str]:
    """Returns: a function of method, path and JSON that says where the answer is wrong, "" if it is as it should be."""

    patterns = [(re.compile(shape.method), re.compile(f"{shape.path}$"), shape) for shape in shapes]

    def flaw(method: str, path: str, body: Any) -> str:
        for by, to, shape in patterns:
            asked = to.search(path) if by.fullmatch(method) else None
            if asked is None:
                continue
            try:
                shape.kind.validate_python(body)
            except ValidationError as exc:
                return ".".join(map(str, exc.errors(include_input=False, include_url=False)[0]["loc"])) or "no object"
            is_other = "id" in asked.groupdict() and body["id"] != asked["id"]
            return "it is about another item" if is_other else ""
        return "" if isinstance(body, dict | list) else "no object"

    return flaw
