"""
Runs as steps and back. Leads and runs have other ids wherever a link is followed, so that a step names them by number.

Never here: a run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from leadsync.model import ConflictPolicy, Read
from leadsync.pipeline.steps import Chosen, Options, UndoChoice
from playground.steps import Do, Step, StepError

RUNS: Final = (Do.SYNC, Do.TAKE, Do.UNTIE, Do.UNDO)


def step_of(options: Options, leads: Sequence[str], past: Sequence[str]) -> Step:
    """What a run that was asked for is as a step. `past`: the ids of the runs in the history, the oldest first."""
    if options.take is not None:
        taken = options.take
        return Step(Do.TAKE, _number(taken.lead, leads), _words(taken.side, taken.field))
    if options.untie:
        return Step(Do.UNTIE, _number(options.untie, leads))
    if options.undo is not None:
        undo = options.undo
        lead = str(_number(undo.lead, leads)) if undo.lead else ""
        return Step(Do.UNDO, text=_words(str(_number(undo.run, past)), lead, undo.field))
    return Step(Do.SYNC)


def options_of(step: Step, leads: Sequence[str], past: Sequence[str]) -> Options:
    """The same back. Raises: StepError."""
    if step.do is Do.TAKE:
        side, _, field = step.text.partition(" ")
        if side not in (ConflictPolicy.AIRTABLE, ConflictPolicy.TRELLO):
            raise StepError(f"{str(step)[:80]!r} takes no side; that is airtable or trello.")
        return Options(read=Read.AUTO, take=Chosen(ConflictPolicy(side), _at(str(step.lead), leads, step), field))
    if step.do is Do.UNTIE:
        return Options(untie=_at(str(step.lead), leads, step))
    if step.do is Do.UNDO:
        run, _, rest = step.text.partition(" ")
        lead, _, field = rest.partition(" ")
        return Options(undo=UndoChoice(_at(run, past, step), _at(lead, leads, step) if lead else "", field))
    return Options()


def _number(found: str, among: Sequence[str]) -> int:
    """From 1 on; 0 if it is not there, and then the step cannot be done."""
    return among.index(found) + 1 if found in among else 0


def _at(number: str, among: Sequence[str], step: Step) -> str:
    if not (number.isascii() and number.isdecimal() and 0 < int(number[:6]) <= len(among)):
        raise StepError(f"{str(step)[:80]!r} names a number that is not there; there are {len(among)}.")
    return among[int(number[:6]) - 1]


def _words(*words: str) -> str:
    return " ".join(filter(None, words))
