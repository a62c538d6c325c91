"""What a service hands in to be asked over the wire: how its answers are read. Never here: a service's own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from leadsync.errors import ServiceRefusedError


@dataclass(frozen=True)
class Words:
    """What a refusal says: `kind`, the service's name for the error, and `text`; each "" if it is not told."""

    kind: str = ""
    text: str = ""


@dataclass(frozen=True)
class Service:
    """
    A service as the transport has to know it.

    `words`: of a refusal's JSON body. `credential`: the setting that a refusal says is not accepted, "" if it is about
    something else. `flaw_in`: what is wrong with a JSON body that answers a method and path, "" if nothing is.
    `quotas`: kinds of a 429 that no waiting cures, each with the sentence for it.

    Headers of its answers, "" if it has none: `left_header`, how many requests the window still takes;
    `window_header`, how long that is [ms]; `clock_header`, its clock [ms since 1970].
    """

    name: str
    words: Callable[[Any], Words]
    credential: Callable[[ServiceRefusedError], str]
    flaw_in: Callable[[str, str, Any], str]
    quotas: Mapping[str, str] = field(default_factory=dict)
    left_header: str = ""
    window_header: str = ""
    clock_header: str = ""
