"""
Histories: what people do and when the sync runs, made up by a seed; one step a line.

A step names its lead or card by a number that is counted round, so that a history stays playable without some of its
steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from simulation.cells import Mapped, drawn
from support import values
from support.values import EMAILS, NAMES, NOTES, SOURCES, TITLES, YES_NO

STATUSES = (*values.STATUSES[:4], *values.STATUSES, "NURTURE")
PLACES = (*values.PLACES[:3], *values.PLACES)
"""What has a stage comes twice as often."""
GAPS = (0.0, 0.4, 1.0, 9.0, 70.0, 4_000.0)

FAULTS = (
    "drop_before",
    "drop_after",
    "timeout_before",
    "timeout_after",
    "500",
    "500_after",
    "503",
    "429",
    "429_retry_after",
    "429_often",
    "500_often",
    "truncate",
    "html",
)
WHERE = ("any", "any", "write", "PUT", "PUT", "PUT", "PATCH", "PATCH", "POST", "actions", "reread")


@dataclass(frozen=True)
class Step:
    """`what` is done, with its arguments in order."""

    what: str
    given: tuple[tuple[str, Any], ...] = ()

    @property
    def args(self) -> dict[str, Any]:
        return dict(self.given)

    def __str__(self) -> str:
        return f"{self.what}({', '.join(f'{name}={_shown(value)}' for name, value in self.given)})"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(map(str, value)) + "]"
    return str(value) if isinstance(value, Step | Event) else repr(value)


def step(what: str, **given: Any) -> Step:
    return Step(what, tuple(given.items()))


@dataclass(frozen=True)
class Event:
    """
    What befalls a run at its nth request of a kind.

    what: a fault, "short page" (a page of the table leaves out a lead), "rival" (a second run begins), "kill before",
    "kill after", "clash" (a person edits the very cells that are written), "act" (a person does `act`), "act while
    waiting" or "clash while waiting" (the request gets a 429, and the person acts during the wait), or "clash while
    backing off" (the same after a dropped connection).
    """

    where: str
    nth: int
    what: str
    act: Step | None = None

    def __str__(self) -> str:
        return f"{self.what}{f' {self.act}' if self.act else ''} @ {self.where} {self.nth}"


@dataclass(frozen=True)
class Ground:
    """The settings and the services of one history."""

    policy: str = "airtable"
    on_card_deleted: str = "leave"
    on_lead_deleted: str = "archive"
    nurture: bool = False
    by_name: bool = False
    leads: int = 3
    lonely: bool = False
    """No lead that nobody touches."""
    crowd: int = 0
    """Further leads that are QUALIFIED and only ever change together."""
    tables: int = 1
    source: str = "text"
    """text | lookup | collaborator | attachment"""
    name: str = "text"
    """text | formula | locked"""
    feed: bool = False
    rest_read: str = "full"
    trip: float = 0.1
    order: int = 0
    """Of the requests of threads side by side, by a seed; 0: one after the other."""
    knobs: tuple[tuple[str, Any], ...] = ()
    makes_leads: bool = False
    """Cards that nobody has tied become leads."""
    view: str = ""
    """The sync sees what a view shows: of a cell that people edit, or one that is computed; "": no view."""
    mapped: Mapped = ()

    def __str__(self) -> str:
        plain = Ground()
        told = {name: value for name, value in vars(self).items() if value != getattr(plain, name)}
        return f"ground({', '.join(f'{name}={value!r}' for name, value in told.items())})"


@dataclass(frozen=True)
class History:
    """Where it takes place, and what happens."""

    ground: Ground
    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "\n".join([str(self.ground), *map(str, self.steps)])


# How histories are made up


def made_up(seed: int) -> History:
    """The history of a seed."""
    rng, other = Random(seed), Random(f"more of {seed}")
    cells = Random(f"cells of {seed}")  # of its own, so that histories without a mapping stay what they were
    swaps = Random(f"markers of {seed}")  # likewise
    swapped = swaps.random() < 0.2
    desk = Random(f"desk of {seed}")  # likewise
    views = Random(f"views of {seed}")  # likewise
    ground = replace(_ground(rng), mapped=drawn(cells))
    ground = replace(ground, makes_leads=desk.random() < 0.25 and ground.tables == 1)
    if views.random() < 0.2:
        ground = replace(ground, view=views.choice(("edited", "computed")))
    settles, undoes = desk.random() < 0.4, desk.random() < 0.25 and not ground.crowd
    plans = desk.random() < 0.25
    steps: list[Step] = []
    for _ in range(rng.randint(6, 14)):
        steps += [_person(rng, ground) for _ in range(rng.choice((0, 1, 1, 2, 2, 3, 4)))]
        kind = rng.random()
        if kind < 0.05:
            if other.random() < 0.8:  # a fallback title is then of an e-mail that nothing shows any more
                steps.append(step("set_email", pick=other.choice((0, 1, 2, 2)), email=other.choice(EMAILS[:3])))
            steps.append(step("lose_state"))
        elif kind < 0.11:
            steps.append(step("rest"))
        elif kind < 0.15:
            steps.append(step("pause", seconds=rng.choice((600.0, 90_000.0))))
        steps += _fills(cells, ground)
        if swapped and swaps.random() < 0.3:
            steps.append(step("take_marker", pick=swaps.randrange(3), gap=swaps.choice(GAPS)))
        if ground.view and views.random() < 0.4:
            steps.append(_hiding(views, ground))
        if ground.makes_leads and desk.random() < 0.3:
            steps.append(_stranger(desk))
        steps.append(_with_fill(cells, ground, _sync(rng, ground)))
        if settles and desk.random() < 0.4:
            first = _edit("disagree", status=STATUSES, place=PLACES, name=NAMES, title=TITLES)(desk)
            side, whole = desk.choice(("airtable", "trello")), desk.random() < 0.5
            steps.append(_disturbed(desk, ground, "take", side=side, whole=whole, first=first))
        if undoes and desk.random() < 0.25:
            steps.append(_disturbed(desk, ground, "undo", whole=desk.random() < 0.7))
        if plans and desk.random() < 0.3:
            between = desk.choice(MILD if desk.random() < 0.7 else ROUGH)(desk) if desk.random() < 0.5 else None
            between = between if between is None or between.what != "archive_then_delete" else None
            steps.append(_disturbed(desk, ground, "apply", between=between))
    return History(ground, tuple(steps))


def _hiding(rng: Random, ground: Ground) -> Step:
    table = {"table": rng.randrange(ground.tables)} if ground.tables > 1 else {}
    return step("hide_lead", pick=rng.randrange(3), hidden=rng.random() < 0.6, **table, gap=rng.choice(GAPS))


def _stranger(rng: Random) -> Step:
    given = {"place": rng.choice(PLACES), "note": rng.choice((*NOTES, "", "write to s@example.com"))}
    return step("make_stranger", pick=rng.randrange(3), **given, gap=rng.choice(GAPS))


def _disturbed(rng: Random, ground: Ground, what: str, **given: Any) -> Step:
    """A command that does one thing."""
    events = _events(rng, ground) if rng.random() < 0.4 else ()
    return step(what, pick=rng.randrange(3), **given, **({"events": events} if events else {}))


def _fills(rng: Random, ground: Ground) -> list[Step]:
    """What people do to the cells of the mapping."""
    if not ground.mapped:
        return []
    steps: list[Step] = []
    for _ in range(rng.choice((0, 1, 2, 2, 3))):
        made = _fill(rng, ground)
        steps.append(made)
        if rng.random() < 0.4:  # the other side of the same cell
            other = "trello" if made.args["side"] == "airtable" else "airtable"
            steps.append(_fill(rng, ground, made.args["pick"], made.args["row"], other))
    return steps


def _fill(rng: Random, ground: Ground, pick: int | None = None, card: str = "", side: str = "") -> Step:
    row = next((each for each in ground.mapped if each.card == card), None) or rng.choice(ground.mapped)
    side = side or rng.choice(("airtable", "trello"))
    on = row.kind.on_lead if side == "airtable" else row.kind.on_card
    if not on:  # nobody can change a card's address
        side, on = "airtable", row.kind.on_lead
    value = rng.choice(on)
    given: dict[str, Any] = {"pick": rng.randrange(3) if pick is None else pick, "row": row.card, "side": side}
    if row.kind.is_set:
        given |= {"element": value, "value": rng.random() < 0.6}
    else:
        given["value"] = value
    if row.card == "labels" and side == "trello" and rng.random() < 0.2:
        given["traced"] = False
    if ground.tables > 1:
        given["table"] = rng.randrange(ground.tables)
    return step("fill", **given, gap=rng.choice(GAPS))


def _with_fill(rng: Random, ground: Ground, sync: Step) -> Step:
    """Sometimes somebody does it in the midst of a run."""
    if not ground.mapped or "dry" in sync.args or rng.random() < 0.7:
        return sync
    where, what = (
        rng.choice(("PUT", "PATCH", "write", "reread", "any")),
        rng.choice(("act", "act", "act while waiting")),
    )
    made = Event(where, rng.choice((0, 0, 1, 2)), what, _fill(rng, ground))
    return Step(sync.what, tuple((sync.args | {"events": (*sync.args.get("events", ()), made)}).items()))


KNOBS: tuple[tuple[tuple[str, Any], ...], ...] = (
    (("trello_server_time", False),),
    (("trello_noop_makes_action", True),),
    (("trello_write_status", 202),),
    (("trello_trims_desc", True),),
    (("trello_normalises_newlines", True),),
    (("airtable_formula_subsecond", True),),
    (("airtable_modified_blank_until_edit", True),),
    (("airtable_retry_after", 30.0), ("trello_retry_after", 5.0)),
    (("trello_template_makes_action", False),),
)


def without(history: History, names: frozenset[str]) -> History:
    """The history without steps and events of these names; parts of its ground so named are as they are by default."""
    plain = Ground()
    ground = replace(history.ground, **{name: getattr(plain, name) for name in vars(plain).keys() & names})
    steps = [each for each in history.steps if each.what not in names]
    return History(ground, tuple(Step(each.what, tuple(_fewer(each, names))) for each in steps))


def _fewer(each: Step, names: frozenset[str]) -> Iterator[tuple[str, Any]]:
    for name, value in each.given:
        if name == "events":
            value = tuple(
                one for one in value if one.what not in names and (one.act is None or one.act.what not in names)
            )
        yield name, value


def _ground(rng: Random) -> Ground:
    odd = rng.random()
    return Ground(
        policy=rng.choice(("airtable", "airtable", "trello", "hold")),
        on_card_deleted=rng.choice(("leave", "leave", "recreate")),
        on_lead_deleted=rng.choice(("archive", "archive", "archive", "leave")),
        nurture=rng.random() < 0.4,
        by_name=rng.random() < 0.4,
        leads=rng.choice((1, 2, 2, 3)),
        lonely=rng.random() < 0.15,
        crowd=12 if rng.random() < 0.1 else 0,
        tables=2 if rng.random() < 0.1 else 1,
        source=rng.choice(("text",) * 6 + ("lookup", "lookup", "collaborator", "attachment")),
        name="formula" if odd < 0.08 else "locked" if odd < 0.16 else "text",
        feed=rng.random() < 0.3,
        rest_read=rng.choice(("full", "full", "auto", "delta")),
        trip=rng.choice((0.1, 0.1, 0.1, 0.0, 0.7)),
        knobs=rng.choice(KNOBS) if rng.random() < 0.4 else (),
        order=rng.randrange(1, 10_000) if rng.random() < 0.5 else 0,
    )


Maker = Callable[[Random], Step]


def _edit(what: str, /, **choices: Any) -> Maker:
    return lambda rng: step(what, pick=rng.randrange(3), **{name: rng.choice(of) for name, of in choices.items()})


MILD: tuple[Maker, ...] = (
    _edit("set_status", status=STATUSES),
    _edit("set_status", status=STATUSES),
    _edit("rename", name=NAMES),
    _edit("rename", name=NAMES),
    _edit("set_email", email=EMAILS),
    _edit("set_source", source=SOURCES),
    _edit("move_card", place=PLACES),
    _edit("move_card", place=PLACES),
    _edit("retitle", title=TITLES),
    _edit("retitle", title=TITLES),
    _edit("tick", ticked=YES_NO),
    _edit("disagree", status=STATUSES, place=PLACES, name=NAMES, title=TITLES),
    _edit("disagree", status=STATUSES, place=PLACES, name=NAMES, title=TITLES),
    _edit("move_and_retitle", place=PLACES, title=TITLES),
    _edit("write_note", note=NOTES, above=YES_NO),
    _edit("save_in_editor"),
    _edit("edit_block", text=("mine@example.com", "nothing")),
)
ROUGH: tuple[Maker, ...] = (
    _edit("add_lead", name=NAMES, status=STATUSES),
    _edit("delete_lead"),
    _edit("delete_lead"),
    _edit("restore_leads"),
    _edit("restore_leads"),
    _edit("archive_or_take_back", closed=YES_NO),
    _edit("archive_or_take_back", closed=YES_NO),
    _edit("delete_card"),
    _edit("delete_both"),
    _edit("archive_then_delete", synced=YES_NO),
    _edit("copy_card", place=PLACES),
    _edit("send_to_board", away=YES_NO),
    _edit("wipe_description", kept=NOTES),
    _edit("make_card_by_hand", place=PLACES, title=TITLES),
    _edit("make_template", template=YES_NO),
    _edit("add_second_marker"),
    _edit("break_cell", cell=("source", "name", "email")),
    _edit("mend_cells"),
    _edit("remake_list", name=("DONE", "TODO", "IN_PROGRESS")),
    _edit("delete_option", status=("LOST", "QUALIFIED", "PAUSED")),
    _edit("rename_option", status=("PAUSED",)),
    _edit("orphan_card", place=PLACES),
)
CROWD: tuple[Maker, ...] = (
    _edit("delete_option", status=("QUALIFIED",)),
    _edit("archive_list_cards", place=("DONE",)),
    _edit("put_options_back"),
    _edit("delete_crowd"),
    _edit("restore_crowd"),
)


def _person(rng: Random, ground: Ground) -> Step:
    gap = rng.choice(GAPS)
    if ground.crowd and rng.random() < 0.2:
        made = rng.choice(CROWD)(rng)
    else:
        made = rng.choice(MILD if rng.random() < 0.78 else ROUGH)(rng)
    table = (("table", rng.randrange(ground.tables)),) if ground.tables > 1 else ()
    return Step(made.what, (*made.given, *table, ("gap", gap)))


def _sync(rng: Random, ground: Ground) -> Step:
    given: dict[str, Any] = {"read": rng.choice(("full", "full", "auto", "delta", "delta"))}
    if ground.tables > 1:
        given["table"] = rng.randrange(ground.tables)
    if rng.random() < 0.08:
        given["policy"] = rng.choice(("airtable", "trello", "hold"))
    if rng.random() < 0.05:
        given["on_card_deleted"] = rng.choice(("leave", "recreate"))
    if rng.random() < 0.05:
        given["on_lead_deleted"] = rng.choice(("archive", "leave"))
    if rng.random() < 0.06:
        given["dry"] = True
    elif rng.random() < 0.5:
        given["events"] = _events(rng, ground)
    return step("sync", **given)


def _events(rng: Random, ground: Ground) -> tuple[Event, ...]:
    kind = rng.random()
    where, nth = rng.choice(WHERE), rng.choice((0, 0, 0, 1, 1, 2, 3, 5, 8))
    clash = Event(where, nth, "clash")
    if kind < 0.22:
        return (Event(where, nth, rng.choice(("kill before", "kill after"))),)
    if kind < 0.40:
        return (Event(where, nth, rng.choice(FAULTS)),)
    if kind < 0.58:
        return (Event(rng.choice(("PUT", "PATCH", "write")), rng.choice((0, 0, 0, 1)), "clash"),)
    if kind < 0.66:
        made = rng.choice(MILD if rng.random() < 0.7 else ROUGH)(rng)
        return (Event(where, nth, "act", made if made.what != "archive_then_delete" else rng.choice(MILD)(rng)),)
    if kind < 0.76:
        return (Event(rng.choice(("PATCH", "PATCH", "PUT", "any")), 0, "act while waiting", rng.choice(MILD)(rng)),)
    if kind < 0.84:
        return (Event(rng.choice(("PATCH", "PUT")), 0, rng.choice(("clash while waiting", "clash while backing off"))),)
    if kind < 0.86:
        return (Event("write", rng.choice((0, 0, 1)), "rival"),)
    if kind < 0.90:
        return (Event("any", 0, "short page"),)
    if kind < 0.96:
        put = rng.choice((0, 0, 1))
        then = rng.choice(("kill", "kill", "feed"))
        clash = Event("PUT", put, "clash")
        return (clash, Event("actions", 0, "500_often") if then == "feed" else Event("PUT", put, "kill after"))
    return (Event("any", nth, rng.choice(FAULTS)), Event("write", 0, rng.choice(("kill after", "clash"))))
