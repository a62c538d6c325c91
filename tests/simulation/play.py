"""
Playing a history: people and runs take their turns, every rule is asked after each, and a breach is made small.
"""

from __future__ import annotations

import atexit
import json
import random
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from emulator import Fault
from emulator.wire.messages import Request
from leadsync.core.saved_plan import SavedPlan
from leadsync.model import ConflictPolicy, Read
from leadsync.pipeline.steps import Chosen, Options, UndoChoice
from leadsync.settings import Settings
from simulation.cells import (
    KINDS,
    Row,
    build_board,
    build_table,
    fill_card,
    fill_lead,
    first_cells,
    report_name,
    toml,
    ways,
)
from simulation.ledger import AIRTABLE, STAGE_OF, TRELLO, Ledger, Sight, is_error, markers, sight_of
from simulation.model import Model
from simulation.near_world import NearWorld, other_table
from simulation.rules import (
    Breach,
    Rest,
    Run,
    changed,
    check_command,
    check_report,
    check_rest,
    check_settled,
    check_taken,
    check_writes,
    is_given_back,
    must_refuse,
)
from simulation.steps import Event, Ground, History, Step, made_up, step, without
from support.kills import Killed

RUNS_TO_REST = 8
STAGES = ("TODO", "IN_PROGRESS", "DONE")
DAY = 90_000.0
MAX_LEADS, MAX_CARDS = 4, 12


def fault_of(what: str) -> Fault:
    """A fault by its name in a history."""
    if what.startswith("429"):
        return Fault("status", status=429, headers={"Retry-After": "7"} if what == "429_retry_after" else {})
    if what.startswith(("500", "503")):
        kind = "status_after" if what.endswith("_after") else "status"
        return Fault(kind, status=int(what[:3]))  # type: ignore[arg-type]
    return Fault(what)  # type: ignore[arg-type]


class Player:
    """One history under way."""

    def __init__(self, ground: Ground, folder: Path) -> None:
        self.ground, self.ledger, self.runs = ground, Ledger(ways(ground.mapped)), 0
        knobs = dict(ground.knobs)
        self.ledger.trims = " \t\r" if "trello_trims_desc" in knobs else "\r" * ("trello_normalises_newlines" in knobs)
        random.seed(0)  # the product's jitter
        self.stages = {status: stage for status, stage in STAGE_OF.items() if status != "NURTURE" or ground.nurture}
        self.world = NearWorld(folder, trip=ground.trip, order=ground.order, **dict(ground.knobs))
        self.air, self.tre, self.clock = self.world.airtable, self.world.trello, self.world.emulator.clock
        self.tables = [self.air.table_id]
        self.run: Run | None = None
        self.model = Model(self.stages, ticks="done" not in self.ledger.mapped)
        self.killed = False
        """The last run was, and nobody did anything meanwhile."""
        self.settled: dict[str, tuple[str, ...]] = {}
        """Table -> the choices with which its last run was plain, if nothing has happened since."""
        self.emptied: dict[str, list[str]] = {}
        self.emptied_at = 0
        self.lists_moved = self.presence_moved = False
        self.held: dict[str, list[dict[str, Any]]] = {}
        """Table -> conflicts that its last run said to be held."""
        self.undoing: set[str] = set()
        """Leads of a run that an undo was to take back, and was cut off."""
        self._settle_in()
        self.last = self.sight()
        for lead in self.last.records:
            self.ledger.born.append(lead)
            for cell in ("status", "name", "email", "source"):
                self.ledger._edit(lead, cell, AIRTABLE, self.last.text(lead, cell), self.last)
            for cell in self.ledger.mapped:
                self.ledger._edit(lead, cell, AIRTABLE, self.ledger.value(lead, cell, AIRTABLE, self.last), self.last)
        self.ledger.foreign = {self.foreign: self.last.cards[self.foreign]}

    born = 0
    """Leads so far."""

    def _settle_in(self) -> None:
        ground, env = self.ground, self.world.env
        env |= {"SYNC_CONFLICT": ground.policy, "SYNC_STATUS_MAP": json.dumps(self.stages)}
        env |= {"SYNC_ON_CARD_DELETED": ground.on_card_deleted, "SYNC_ON_LEAD_DELETED": ground.on_lead_deleted}
        if ground.by_name:
            for stage in STAGES:
                del env[f"TRELLO_LIST_{stage}_ID"]
        if ground.feed and "airtable_change_feed" in Settings.model_fields:
            env["AIRTABLE_CHANGE_FEED"] = "on"
        self.tre.add_list("Waiting")
        self.elsewhere = self.tre.add_board("Elsewhere")
        self.foreign = self.tre.add_card("DONE", "Foreign", "no lead", isTemplate=ground.makes_leads)
        if ground.makes_leads:
            env["SYNC_CREATE_LEADS"] = "on"
            self.air.add_field("card_id")
        if ground.mapped:
            env["SYNC_FIELDS"] = toml(ground.mapped)
            build_board(self.world, ground.mapped)
        if ground.tables > 1:
            self.tables.append(self.air.add_table("Others"))
        if ground.view:
            env["AIRTABLE_VIEW"] = "Shown"
        self.untouched: list[str] = []
        for number, table in enumerate(self.tables):
            with other_table(self.world, table):
                for option in ("PAUSED", "NURTURE"):
                    self.air.add_select_option("status", option)
                self._shape_columns()
                if ground.view:
                    self.air.add_field("Hidden", "checkbox")
                    self.air.add_view("Shown", lambda cells: not cells.get("Hidden"))
                build_table(self.world, ground.mapped)
                if not ground.lonely:
                    self.untouched.append(self._new_lead("Uninvolved", "CONTACTED", "un_involved@example.com"))
                for pick in range(ground.leads if number == 0 else 1):
                    self._new_lead(
                        ("Ada", "Bob", None)[pick], ("NEW", "LOST", "QUALIFIED")[pick], f"{pick}@example.com"
                    )
                if number == 0:
                    self.crowd = [self._new_lead(f"Crowd {each}", "QUALIFIED", None) for each in range(ground.crowd)]
                    self.untouched += self.crowd

    def _shape_columns(self) -> None:
        kinds = {"lookup": "multipleLookupValues", "collaborator": "singleCollaborator"}
        kinds |= {"attachment": "multipleAttachments"}
        if self.ground.source in kinds:
            self.air.retype_field("source", kinds[self.ground.source])
        if self.ground.name == "formula":
            self.air.retype_field("name", "formula")
        lock = getattr(self.air, "lock_field", None)
        if self.ground.name == "locked" and lock is not None:
            lock("name")

    @property
    def unwritable(self) -> frozenset[str]:
        locked = self.ground.name == "locked" and hasattr(self.air, "lock_field")
        return frozenset({"name"} if locked or self.ground.name == "formula" else ())

    def _new_lead(self, name: str | None, status: str | None, email: str | None) -> str:
        cells = first_cells(self.ground.mapped, self.born)
        self.born += 1
        if self.ground.name != "formula":
            return self.air.add_lead(name, email, status, notes="call after five", **cells)
        lead = self.air.add_lead(None, email, status, notes="call after five", **cells)
        self._set_cell(lead, "name", name)
        return lead

    def _set_cell(self, lead: str, cell: str, value: Any) -> None:
        """A value that Airtable computes: it comes without an edit, and moves no time."""
        record, column = self.air._table.records[lead], self.air._field(cell)
        record.cells.pop(column.id, None)
        if value not in (None, "", []):
            record.cells[column.id] = value

    # Sights and acts

    def sight(self) -> Sight:
        return sight_of(self.world, self.tables, self.stages, self.ground.mapped)

    def absorb(self) -> None:
        """What the sync has written since the last sight."""
        now = self.sight()
        if self.run is not None:
            check_writes(self.ledger, self.run, self.last, now)
            given_back = {key for key in changed(self.last, now) if is_given_back(self.ledger, key, self.last, now)}
            self.run.wrote |= changed(self.last, now) - given_back
            self.run.given_back |= given_back
        self.ledger.written(self.last, now)
        self.last = now

    def act(self, act: Step) -> bool:
        """One act of people. Returns: whether anything changed."""
        self.ledger.running = self.run is not None
        if self.ledger.running:
            self.absorb()
        given = act.args
        self.clock.advance(given.pop("gap", 0.0))
        table = self.tables[given.pop("table", 0) % len(self.tables)]
        with other_table(self.world, table):
            getattr(People(self), act.what)(**given)
        now = self.sight()
        self.ledger.person(self.last, now)
        done, self.last = changed(self.last, now) != set(), now
        self.settled.clear()
        if self.run is not None:
            self.run.acts += done
        return done

    # Steps

    def do(self, each: Step) -> None:
        if each.what == "sync":
            self.sync(**each.args)
        elif each.what == "rest":
            self.rest()
        elif each.what == "pause":
            self.settled.clear()
            self.clock.advance(each.args["seconds"])
        elif each.what == "lose_state":
            known = {*self.ledger.card_of.values(), *self.ledger.parted} & self.last.cards.keys()
            if all(markers(self.last.cards[card]["desc"]) for card in known):
                self.world.lose_state()
                self.model.forget()
                self.settled.clear()
                self.ledger.lose_state(self.last)
        elif each.what in ("archive_then_delete", "take", "undo", "apply"):
            getattr(self, f"_{each.what}")(**each.args)
        else:
            self.act(each)

    def _archive_then_delete(self, synced: bool, pick: int, **more: Any) -> None:
        self.act(step("archive_or_take_back", pick=pick, closed=True, **more))
        if synced:
            self.sync(read="full", table=more.get("table", 0))
        self.act(step("delete_card", pick=pick, archived=True, **more))

    def sync(
        self,
        read: str = "full",
        policy: str | None = None,
        on_card_deleted: str | None = None,
        on_lead_deleted: str | None = None,
        dry: bool = False,
        mass: bool = False,
        table: int = 0,
        events: tuple[Event, ...] = (),
        asked: Mapping[str, Any] | None = None,
    ) -> Run:
        """`asked`: further options of a run that does one thing, and looks at nothing else."""
        ground, ledger = self.ground, self.ledger
        table_id = self.tables[table % len(self.tables)]
        with other_table(self.world, table_id):
            there = self.air.records(computed=True)
        leads = [lead for lead, cells in there.items() if not cells.get("Hidden")]
        on_card, on_lead = on_card_deleted or ground.on_card_deleted, on_lead_deleted or ground.on_lead_deleted
        recreates, archives = on_card == "recreate", on_lead == "archive"
        ledger.now += 1
        ledger.run_at = ledger.run_at if dry or asked else ledger.now
        run = Run(ledger.now, dry, mass, recreates or self._recreates, archives, leads, {*there} - {*leads})
        run.undoes = bool(self.undoing) and not (dry or "plan" in (asked or {}))
        ledger.undone_at = run.start if "undo" in (asked or {}) else ledger.undone_at
        run.does_one_thing = not {"take", "undo"}.isdisjoint(asked or {})
        ledger.out_of_view |= run.hidden
        self._recreates |= recreates and not dry
        self._archives_all &= archives
        self.runs += 1
        events_left = Disturbance(self, run, events)
        self.world.before, self.world.after = events_left.before, events_left.after
        self.run = run
        self.table_now = self._table_name(table_id)
        changes = {"SYNC_CONFLICT": policy or ground.policy, "AIRTABLE_TABLE_NAME": self.table_now}
        changes |= {"SYNC_ON_CARD_DELETED": on_card, "SYNC_ON_LEAD_DELETED": on_lead}
        was_killed, self.killed = self.killed, False
        self._change_what_is_signed()
        seen, cards = self.model.seen(self.last), self.last.cards.keys()
        try:
            options = Options(dry_run=dry, allow_mass_change=mass, read=Read(read), **(asked or {}))
            run.report = self.world.run(options, **changes)
        except Killed:
            run.disturbed = True
        except (Breach, AssertionError):
            raise
        except Exception as error:
            raise Breach("no unexpected exception", f"{type(error).__name__}: {error}") from error
        finally:
            self.world.clock.while_waiting = None  # type: ignore[attr-defined]
        self.absorb()
        ledger.let_go(self.last)
        ledger.now += 1
        self.run = None
        if run.undoes:
            ledger.undone(self.undoing)
            self.undoing -= self.undoing if run.report is not None and run.report.exit_code < 2 else set()
        edited = {lead for (lead, _, _), at in ledger.touched.items() if at > run.start}
        if asked:
            self.model.doubt(self.last, leads, edited)
            self.settled.clear()
            if run.report is not None:
                check_command(run)
                ledger.list(run.report.conflicts)
            return run
        plain = (
            read == "full" and not dry and not run.undoes and not run.disturbed and not run.acts and not self.unwritable
        )
        if plain and run.report is not None and run.report.exit_code == 0:
            of_table = {lead: each for lead, each in seen.items() if lead in leads}
            self.model.check(of_table, self.last, run.report, policy or ground.policy)
            self.model.remember(self.last, leads, run.report)
            choices = (policy or ground.policy, on_card, on_lead)
            if self.settled.get(table_id) == choices and run.wrote:
                raise Breach("a second run writes nothing", f"written: {sorted(run.wrote)}: {run.report.changes}")
            if "url" in self.ledger.mapped and self.last.cards.keys() - cards:
                self.settled.clear()  # the address of a new card is written by the next run
            else:
                self.settled[table_id] = choices
        elif not dry and (run.report is None or run.report.exit_code < 2):
            self.model.doubt(self.last, leads, edited)
            self.settled.clear()
        if run.report is None:
            self.killed = not run.acts
            return run
        lists_moved = self.lists_moved
        given_back = run.undoes and ground.source != "text"  # an undo that was cut off writes what is computed, too
        refusals = bool(self.unwritable or self.emptied or given_back)
        check_report(ledger, run, lists_moved, refusals, bool(ground.mapped and self.emptied))
        if not dry and not run.disturbed and was_killed:
            check_settled(ledger, run)
        if not dry:
            emptied = {lead for leads in self.emptied.values() for lead in leads} & set(leads)
            known = [lead for lead in emptied if ledger.rested(lead, self.emptied_at)]
            must_refuse(ledger, run, len(known) if len(known) == len(emptied) else 0)
            ledger.list(run.report.conflicts)
            self.held[table_id] = [row for row in run.report.conflicts if row["resolution"].startswith("held")]
            ledger.set_aside |= {row["lead_id"] for row in run.report.quarantine if not row["field"]}
            if run.report.exit_code == 0 and not run.disturbed:
                ledger.agree([lead for lead in leads if not self._is_hidden(lead)], self.last)
            self.lists_moved &= run.report.exit_code != 3  # told once; from then on they are known
        return run

    def _is_hidden(self, lead: str) -> bool:
        return bool(self.last.records.get(lead, {}).get("Hidden"))

    def _take(self, pick: int, side: str, whole: bool, first: Step, **more: Any) -> None:
        """A person settles a conflict that is held, after `first` if none is; `whole`: with all others of the lead."""
        if not any(self.held.values()):
            self.act(first)
            self.sync(policy="hold")
        held = [(table, row) for table, rows in sorted(self.held.items()) for row in rows]
        if not held:
            return
        table, row = held[pick % len(held)]
        before = self.last
        chosen = Chosen(ConflictPolicy(side), row["lead_id"], "" if whole else row["field"])
        losing = [
            edit
            for edit in self.ledger.edits_of(chosen.lead)
            if edit.side != side and chosen.field in ("", report_name(edit.cell))
            if edit.at < self.ledger.run_at or edit.null  # nobody has seen on the list what was edited since
        ]
        run = self.sync(table=self.tables.index(table), asked={"take": chosen}, **more)
        if run.report is None or run.report.exit_code < 2:
            for edit in losing:  # what loses is given up, be it set aside
                edit.listed = True
        self.ledger.shut_by_people |= run.shut  # of a lead that was deleted since, Airtable's side is taken
        if run.report is not None and run.report.exit_code == 0 and not run.disturbed and not run.acts:
            rows = [row for row in run.report.conflicts if row["lead_id"] == chosen.lead]  # others, of a run cut off
            taken = [row for row in rows if chosen.field in ("", row["field"])]
            check_taken(self.ledger, side, taken, before, self.last)

    def _undo(self, pick: int, whole: bool, **more: Any) -> None:
        """An earlier run is taken back; `whole`: not only of one lead."""
        runs = [*self.world.past_runs().items()]
        if not runs or self.undoing:
            return
        run_id, leads = runs[pick % len(runs)]
        lead = "" if whole else sorted(leads)[pick % len(leads)]
        self.undoing = {lead} if lead else leads
        self.presence_moved = True
        run = self.sync(asked={"undo": UndoChoice(run_id, lead)}, **more)
        if run.report is not None:
            self.undoing = set()

    def _apply(self, pick: int, between: Step | None, **more: Any) -> None:
        """A plan is saved, and applied after `between`."""
        saved = self.sync(dry=True, asked={"saves": True}).report
        if saved is None or saved.plan is None:
            return
        if between is not None:
            self.act(between)
        run = self.sync(asked={"plan": SavedPlan.parse(saved.plan.text, "the plan")}, **more)
        if run.report is None or run.report.exit_code < 2:
            self.ledger.run_at = run.start
        elif between is None and not run.disturbed:
            raise Breach("a plan that holds is applied", run.report.message)

    _recreates = False
    _archives_all = True

    def _table_name(self, table_id: str) -> str:
        return "Leads" if table_id == self.tables[0] else "Others"

    def _change_what_is_signed(self) -> None:
        """The address of an attachment is another one every time."""
        if self.ground.source != "attachment":
            return
        for number, table in enumerate(self.tables):
            with other_table(self.world, table):
                for lead, cells in self.air.records().items():
                    if isinstance(cells.get("source"), list):
                        fresh = [
                            each | {"url": f"https://files.example/{self.runs}/{number}"} for each in cells["source"]
                        ]
                        self._set_cell(lead, "source", fresh)
        self.last = self.sight()

    # Rest

    def rest(self) -> None:
        """People stop, and the sync runs until it has nothing more to do."""
        self._put_right()
        deltas = self.ground.rest_read != "full"
        if deltas:
            said = self._until_idle(self.ground.rest_read)
            if not self.presence_moved and self.ledger.state_lost_at < 0:
                check_rest(self.ledger, self._rest(said, deltas=True))
        self.clock.advance(DAY)
        self.settled.clear()
        rest = self._rest(self._until_idle("full"))
        check_rest(self.ledger, rest)
        for lead in sorted(self.ledger.blurred & self.last.records.keys()):
            card = rest.active(lead, self.ledger)
            if card is not None and self.last.cards_of(lead) == [card]:
                self.ledger.make_plain(lead, card, self.last)
        self.presence_moved = False

    def _rest(self, reports: list[Any], deltas: bool = False) -> Rest:
        rows = {name: [row for report in reports for row in getattr(report, name)] for name in ROWS}
        recreates = self.ground.on_card_deleted == "recreate"
        return Rest(
            self.last,
            rows["conflicts"],
            rows["quarantine"],
            rows["failures"],
            self._archives_all,
            recreates,
            deltas,
            self.unwritable,
        )

    def _put_right(self) -> None:
        """People see to it that the sync can go on: options and leads that it was refused for are back."""
        if self.emptied:
            self.act(step("put_options_back", pick=0))
        if not self.last.records.keys() >= set(self.crowd):
            self.act(step("restore_crowd", pick=0))
        if any(map(self._is_hidden, self.last.records)):
            self.act(step("show_all"))

    def _until_idle(self, read: str) -> list[Any]:
        """The reports of the last run of each table."""
        said: list[Any] = []
        for _ in range(RUNS_TO_REST):
            before = self.last
            reports = [self.sync(read=read, table=number).report for number in range(len(self.tables))]
            bad = [report for report in reports if report.exit_code not in (0, 1 if self.unwritable else 0)]
            if bad and _ + 1 == RUNS_TO_REST:
                raise Breach("comes to rest", f"exit {bad[0].exit_code}: {bad[0].message}")
            if bad:
                continue
            news = [[getattr(report, name) for name in ROWS] for report in reports]
            told = [row for report in reports for row in report.changes]
            if not changed(before, self.last) and not told and news == said:
                return reports
            said = news
        raise Breach("comes to rest", f"after {RUNS_TO_REST} runs still: {told}, {news}")


ROWS = ("conflicts", "quarantine", "failures", "notes")


@dataclass
class Disturbance:
    """What befalls a run, event by event."""

    player: Player
    run: Run
    events: tuple[Event, ...]

    def __post_init__(self) -> None:
        self.left = list(self.events)
        self.seen: dict[int, int] = {}
        self.lasting: Event | None = None
        self.acts_before = 0
        self.looked_at: dict[str, int] = {}

    def before(self, request: Request, index: int) -> Fault | None:
        self.acts_before = self.player.ledger.now
        if request.method == "GET" and "/cards/" in request.path:
            self.looked_at[card_of(request)] = self.player.ledger.now
        fault = fault_of(self.lasting.what.removesuffix("_often")) if self._lasts(request) and self.lasting else None
        due = [event for event in self.left if self._is_due(event, request)]
        for event in due:
            self.left.remove(event)
            if event.what == "kill after":
                self.left.append(replace(event, where="now"))
                continue
            self.run.disturbed = True
            if event.what == "kill before":
                self.player.absorb()
                self.player.world.kill()
            elif event.what == "clash":
                self._clash(request)
            elif event.what == "rival":
                self._rival()
            elif event.what == "short page":
                here = [lead for lead in self.run.leads if lead in self.player.last.records]
                self.player.world.hidden = here[self.player.runs % len(here)] if len(here) > 1 else ""
            elif event.what == "act" and event.act is not None:
                self.player.act(event.act)
            elif event.what.endswith(("while waiting", "while backing off")):
                act = partial(self._clash, request) if event.act is None else partial(self.player.act, event.act)
                self.player.world.clock.while_waiting = act  # type: ignore[attr-defined]
                fault = fault_of("429" if event.what.endswith("while waiting") else "drop_before")
            elif event.what.endswith("_often"):
                self.lasting, fault = event, fault_of(event.what.removesuffix("_often"))
            else:
                fault = fault_of(event.what)
        return fault

    def after(self, request: Request, took_effect: bool) -> None:
        if took_effect and request.method == "PATCH":
            self._mark_window(request)
        if took_effect and request.is_write and "/cards/" in request.path:
            self.run.card_writes[card_of(request)] += 1
        if took_effect and request.method == "PUT" and "idLabels" in {**request.query, **(request.body or {})}:
            self._mark_labels(card_of(request))
        if any(event.where == "now" for event in self.left):
            self.run.disturbed = True
            self.player.absorb()
            self.player.world.kill()

    def _rival(self) -> None:
        """Whoever writes holds the lock, so a second run of the pair leaves at once."""
        self.player.absorb()
        report = self.player.world.rival(AIRTABLE_TABLE_NAME=self.player.table_now)
        self.player.absorb()
        if report.exit_code != 4:
            raise Breach("a second run waits outside", f"exit {report.exit_code}: {report.message}")

    def _lasts(self, request: Request) -> bool:
        return self.lasting is not None and self._fits(self.lasting, request)

    def _is_due(self, event: Event, request: Request) -> bool:
        if not self._fits(event, request):
            return False
        number = self.seen.get(id(event), 0)
        self.seen[id(event)] = number + 1
        return number >= event.nth

    def _fits(self, event: Event, request: Request) -> bool:
        if event.where in ("PUT", "PATCH", "POST", "GET"):
            return request.method == event.where
        if event.where == "write":
            return request.is_write
        if event.where == "actions":
            return request.path.endswith("/actions")
        if event.where == "reread":
            return request.method == "GET" and ("filterByFormula" in request.raw_query or "/cards/" in request.path)
        return event.where == "any"

    def _clash(self, request: Request) -> None:
        """A person gives another value to the very cells that this request writes."""
        for act in list(clashing(self.player, request)):
            self.player.act(act)

    def _mark_window(self, request: Request) -> None:
        """Airtable tells nobody what a PATCH replaced, unless its change feed is read."""
        if "AIRTABLE_CHANGE_FEED" in self.player.world.env:
            return
        for record in (request.body or {}).get("records", []):
            for edit in self.player.ledger.live:
                if (
                    edit.at > self.acts_before
                    and edit.side == AIRTABLE
                    and edit.lead == record.get("id")
                    and self._column(edit.cell) in {self._name_of(column) for column in record["fields"]}
                ):
                    edit.in_window = True

    def _column(self, cell: str) -> str:
        return KINDS[report_name(cell)].column if cell in self.player.ledger.mapped else cell

    def _name_of(self, column: str) -> str:
        return self.player.air._field(column).name

    def _mark_labels(self, card_id: str) -> None:
        """A label put on between our re-read and our PUT and wiped cannot be found afterwards."""
        since = self.looked_at.get(card_id, self.acts_before)
        for edit in self.player.ledger.live:
            if edit.at > since and edit.side == TRELLO and edit.card == card_id and edit.cell.startswith("labels/"):
                edit.in_window = True


def card_of(request: Request) -> str:
    """The id of the card that a request is about."""
    return request.path.partition("/cards/")[2].partition("/")[0]


def clashing(player: Player, request: Request) -> Iterable[Step]:
    """Edits of what the request writes, to values that it does not write."""
    if request.service == "trello" and request.method == "PUT":
        card_id = card_of(request)
        if card_id not in player.last.cards:
            return
        sent = {**request.query, **(request.body or {})}
        if "idList" in sent or "closed" in sent or "dueComplete" in sent:
            free = [name for name in STAGES if player.tre.list_id(name) not in (sent.get("idList"), None)]
            here = player.last.place(player.last.cards[card_id])
            yield step("move_this", card_id=card_id, place=next(name for name in free if name != here))
        if "name" in sent or "closed" in sent:
            yield step("retitle_this", card_id=card_id, title=f"Mine {player.ledger.now}")
        if "desc" in sent:
            yield step("note_this", card_id=card_id, note=f"Mine {player.ledger.now}")
        yield from _clashing_cells(player, card_id, {*sent})
    elif request.service == "airtable" and request.method == "PATCH":
        for record in (request.body or {}).get("records", []):
            fields = record["fields"]
            if record.get("id") not in player.last.records:
                continue
            if "status" in fields:
                now = (fields["status"], player.last.text(record["id"], "status"))
                status = next(each for each in ("LOST", "NEW", "CONTACTED") if each not in now)
                yield step("set_status_of", lead=record["id"], status=status)
            if "name" in fields and "name" not in player.unwritable:
                yield step("rename_this", lead=record["id"], name=f"Mine {player.ledger.now}")
            columns = {player.air._field(column).name for column in fields}
            for row in player.ground.mapped:
                for cell in row.cells if row.kind.column in columns else ():
                    if not cell.endswith(NOT_OURS):
                        another = _another(player, row, cell, AIRTABLE, record["id"])
                        yield step("fill_lead", lead=record["id"], **another)


WIRES = {"due": "due", "start": "start", "done": "dueComplete", "labels": "idLabels", "members": "idMembers"}
NOT_OURS = ("/Private", "/Cyd")


def _clashing_cells(player: Player, card_id: str, sent: set[str]) -> Iterable[Step]:
    for row in player.ground.mapped:
        name = row.card.partition(":")[0]
        if WIRES.get(name, "customFieldItems" if name == "custom" else "") in sent:
            for cell in row.cells:
                yield step("fill_card", card_id=card_id, **_another(player, row, cell, TRELLO, card_id))


def _another(player: Player, row: Row, cell: str, side: str, key: str) -> dict[str, Any]:
    """Another value than the side has."""
    items = player.last.records if side == AIRTABLE else player.last.cards
    now = items[key]["mapped"].get(cell, "")
    if row.kind.is_set:
        return {"cell": cell, "value": not now}
    values = row.kind.on_lead if side == AIRTABLE else row.kind.on_card
    return {"cell": cell, "value": values[player.ledger.now % len(values)]}


class People:
    """What people do; `pick` says to which lead or card."""

    def __init__(self, player: Player) -> None:
        self.player, self.air, self.tre = player, player.air, player.tre
        self.ledger, self.last, self.ground = player.ledger, player.last, player.ground

    def _lead(self, pick: int) -> str | None:
        here = [lead for lead in self.air.records() if lead not in self.player.untouched]
        return here[pick % len(here)] if here else None

    def _cards(self) -> list[str]:
        untouched = set(self.player.untouched)
        ours = set(self.ledger.card_of.values()) - {self.ledger.card_of.get(lead) for lead in untouched}
        named = {card for card, cells in self.tre.cards().items() if set(markers(cells["desc"])) - untouched}
        left = (ours | named) & self.tre.cards().keys()
        left = {card for card in left if not set(markers(self.tre.card(card)["desc"])) & untouched}
        return sorted(left, key=lambda card: (self._born(card), card))

    def _born(self, card: str) -> int:
        """The place of the card's lead among the leads, so that a number means the same one on both sides."""
        leads = {
            *markers(self.tre.card(card)["desc"]),
            *(lead for lead, its in self.ledger.card_of.items() if its == card),
        }
        return min((self.ledger.born.index(lead) for lead in leads if lead in self.ledger.born), default=99)

    def _card(self, pick: int) -> str | None:
        cards = self._cards()
        return cards[pick % len(cards)] if cards else None

    def _here(self, card_id: str) -> bool:
        return bool(self.tre.card(card_id)["idBoard"] == self.tre.board_id)

    # At Airtable

    def _edit(self, lead: str, **cells: Any) -> None:
        for cell, value in cells.items():
            if cell == "name" and self.ground.name == "formula":
                self.player._set_cell(lead, cell, value)
            elif cell == "source" and self.ground.source in ("collaborator", "attachment"):
                self.air.edit(lead, source=self._source(value))  # a person edits it, and that moves the record's time
            elif cell == "source" and self.ground.source != "text":
                self.player._set_cell(lead, cell, self._source(value))
            else:
                options = {choice["name"] for choice in self.air._field("status").choices}
                if cell == "status" and value is not None and value not in options:
                    continue
                self.air.edit(lead, **{cell: value})

    def _source(self, value: str | None) -> Any:
        if value is None:
            return None
        value = value.replace("–", "dash")
        if self.ground.source == "lookup":
            return [value, "more"]
        if self.ground.source == "collaborator":
            return {"id": "usr" + "A" * 14, "email": "c@example.com", "name": value}
        return [{"id": "att" + "A" * 14, "url": "https://files.example/0", "filename": f"{value[:4]}.pdf"}]

    def hide_lead(self, pick: int, hidden: bool) -> None:
        """Out of the view, or into it again."""
        if lead := self._lead(pick):
            self._hide(lead, hidden)

    def show_all(self) -> None:
        for lead, cells in self.last.records.items():
            if cells.get("Hidden"):
                self._in_its_table(lead, partial(self._hide, lead, False))

    def _hide(self, lead: str, hidden: bool) -> None:
        self.player.presence_moved = True
        if self.ground.view == "edited":
            self.air.edit(lead, Hidden=hidden or None)
        elif self.ground.view:
            self.player._set_cell(lead, "Hidden", hidden or None)

    def set_status(self, pick: int, status: str | None) -> None:
        if lead := self._lead(pick):
            self._edit(lead, status=status)

    def rename(self, pick: int, name: str | None) -> None:
        if lead := self._lead(pick):
            self._edit(lead, name=name)

    def set_email(self, pick: int, email: str | None) -> None:
        if lead := self._lead(pick):
            self._edit(lead, email=email)

    def set_source(self, pick: int, source: str | None) -> None:
        if lead := self._lead(pick):
            self._edit(lead, source=source)

    def fill(self, pick: int, row: str, side: str, value: Any, element: str = "", traced: bool = True) -> None:
        """A cell of the mapping."""
        cell = f"{row}/{element}" if element else row
        if side == AIRTABLE and (lead := self._lead(pick)):
            self.fill_lead(lead, cell, value)
        elif side == TRELLO and (card := self._card(pick)):
            self.fill_card(card, cell, value, traced)

    def fill_lead(self, lead: str, cell: str, value: Any) -> None:
        self._in_its_table(lead, lambda: fill_lead(self.player.world, lead, cell, value))

    def fill_card(self, card_id: str, cell: str, value: Any, traced: bool = True) -> None:
        if card_id in self.tre.cards() and self._here(card_id):
            fill_card(self.player.world, card_id, cell, value, traced)

    def set_status_of(self, lead: str, status: str) -> None:
        self._in_its_table(lead, lambda: self._edit(lead, status=status))

    def rename_this(self, lead: str, name: str) -> None:
        self._in_its_table(lead, lambda: self._edit(lead, name=name))

    def _in_its_table(self, lead: str, act: Callable[[], None]) -> None:
        for table in self.player.tables:
            with other_table(self.player.world, table):
                if lead in self.air.records():
                    act()

    def add_lead(self, pick: int, name: str | None, status: str | None) -> None:
        touched = [lead for lead in self.air.records() if lead not in self.player.untouched]
        options = {choice["name"] for choice in self.air._field("status").choices}
        if len(touched) < MAX_LEADS and (status is None or status in options):
            self.player._new_lead(name, status, f"new{pick}@example.com")

    def delete_lead(self, pick: int) -> None:
        lead = self._lead(pick)
        if lead and len(self.air.records()) > 1:
            self.player.presence_moved = True
            self.air.delete(lead)

    def delete_both(self, pick: int) -> None:
        """The lead and its card."""
        lead = self._lead(pick)
        card = self.ledger.card_of.get(lead or "")
        if lead and card in self.tre.cards() and len(self.air.records()) > 1:
            self.player.presence_moved = True
            self.air.delete(lead)
            self.tre.delete(str(card))

    def restore_leads(self, pick: int) -> None:
        for lead in list(self.air._table.deleted):
            self.air.restore(lead)

    def delete_crowd(self, pick: int) -> None:
        """Most of the table at once."""
        if self.player.crowd and not self.ledger.mass_act_at > 0:
            self.player.presence_moved = True
            self.ledger.mass_act_at = self.ledger.now + 1
            with self._crowds_table():
                for lead in self.player.crowd:
                    self.air.delete(lead)

    def restore_crowd(self, pick: int) -> None:
        with self._crowds_table():
            for lead in self.player.crowd:
                if lead in self.air._table.deleted:
                    self.air.restore(lead)
        self.mass_act_is_over()

    def _crowds_table(self) -> AbstractContextManager[None]:
        """Whichever table people are in."""
        return other_table(self.player.world, self.player.tables[0])

    def mass_act_is_over(self) -> None:
        with self._crowds_table():
            crowd_is_back = self.air._table.records.keys() >= set(self.player.crowd)
        if crowd_is_back and not self.player.emptied:
            self.ledger.mass_act_at = -1

    def break_cell(self, pick: int, cell: str) -> None:
        """A formula that fails; only columns that are computed do that, so the column becomes one."""
        lead = self._lead(pick)
        if lead and (cell != "name" or self.ground.name == "formula"):
            self.player._set_cell(lead, cell, {"error": "#ERROR!"})

    def mend_cells(self, pick: int) -> None:
        for lead, cells in self.air.records(computed=True).items():
            for cell, value in cells.items():
                if is_error(value):
                    self.player._set_cell(lead, cell, None)

    def delete_option(self, pick: int, status: str) -> None:
        options = {choice["name"] for choice in self.air._field("status").choices}
        if status not in options or self.player.emptied:
            return
        emptied = [lead for lead, cells in self.air.records().items() if cells.get("status") == status]
        self.air.delete_select_option("status", status)
        self.player.emptied[status], self.player.emptied_at = emptied, self.ledger.now
        if len(emptied) >= 5:
            self.ledger.mass_act_at = self.ledger.now + 1

    def put_options_back(self, pick: int) -> None:
        for status, leads in self.player.emptied.items():
            for table in self.player.tables:
                with other_table(self.player.world, table):
                    if status not in {choice["name"] for choice in self.air._field("status").choices}:
                        self.air.add_select_option("status", status)
            for lead in leads:
                if lead in self.air.records() and not self.air.records()[lead].get("status"):
                    self.air.edit(lead, status=status)
        self.player.emptied.clear()
        self.mass_act_is_over()

    def rename_option(self, pick: int, status: str) -> None:
        options = {choice["name"] for choice in self.air._field("status").choices}
        if status in options:
            self.air.rename_select_option("status", status, f"{status}?")
        elif f"{status}?" in options:
            self.air.rename_select_option("status", f"{status}?", status)

    # At Trello

    def make_stranger(self, pick: int, place: str, note: str) -> None:
        """A card that names no lead."""
        if self.ground.makes_leads and len(self.tre.cards()) < MAX_CARDS + self.ground.crowd:
            self.tre.add_card(place, f"Stranger {self.ledger.now}", note)

    def move_card(self, pick: int, place: str) -> None:
        card = self._card(pick)
        if card and self._here(card):
            self.tre.move(card, place)

    def retitle(self, pick: int, title: str) -> None:
        if card := self._card(pick):
            self.tre.edit(card, name=title)

    def tick(self, pick: int, ticked: bool) -> None:
        if card := self._card(pick):
            self.tre.edit(card, dueComplete=ticked)

    def move_and_retitle(self, pick: int, place: str, title: str) -> None:
        self.move_card(pick, place)
        self.retitle(pick, title)

    def disagree(self, pick: int, status: str | None, place: str, name: str | None, title: str) -> None:
        """One lead is edited on both sides at once."""
        lead = self._lead(pick)
        card = self.ledger.card_of.get(lead or "")
        if lead and card in self.tre.cards() and card is not None and self._here(card):
            self._edit(lead, status=status, name=name)
            self.tre.edit(card, list_name=place, name=title)

    def move_this(self, card_id: str, place: str) -> None:
        if card_id in self.tre.cards() and self._here(card_id):
            self.tre.move(card_id, place)

    def retitle_this(self, card_id: str, title: str) -> None:
        if card_id in self.tre.cards():
            self.tre.edit(card_id, name=title)

    def note_this(self, card_id: str, note: str) -> None:
        if card_id in self.tre.cards():
            self.tre.edit(card_id, desc=f"{note}\n\n{self.tre.card(card_id)['desc']}")

    def write_note(self, pick: int, note: str, above: bool) -> None:
        if card := self._card(pick):
            desc = self.tre.card(card)["desc"]
            self.tre.edit(card, desc=f"{note}\n\n{desc}" if above else f"{desc}\n\n{note}")

    def save_in_editor(self, pick: int) -> None:
        if card := self._card(pick):
            self.tre.save_in_editor(card)

    def edit_block(self, pick: int, text: str) -> None:
        """By hand, in the line that is the sync's."""
        if card := self._card(pick):
            lines = self.tre.card(card)["desc"].split("\n")
            at = [number for number, line in enumerate(lines) if line.startswith("E-mail: ")]
            if at and "Lead details from Airtable" in lines:
                lines[at[-1]] = f"E-mail: {text}"
                self.tre.edit(card, desc="\n".join(lines))

    def wipe_description(self, pick: int, kept: str) -> None:
        card = self._card(pick)
        leads = [lead for lead, its in self.ledger.card_of.items() if its == card]
        if card and all(self.ledger.good_runs_of[lead][-1] > self.ledger.state_lost_at for lead in leads):
            self.tre.edit(card, desc=kept)  # before that it would look like a lead, and the run ask whose it is

    def archive_or_take_back(self, pick: int, closed: bool) -> None:
        if card := self._card(pick):
            self.player.presence_moved = True
            self.tre.edit(card, closed=closed)

    def archive_list_cards(self, pick: int, place: str) -> None:
        """As a weekly rule does."""
        self.player.presence_moved = True
        for card_id, card in self.tre.cards().items():
            if card_id != self.player.foreign and not card["closed"] and card["idList"] == self.tre.list_id(place):
                self.tre.archive(card_id)

    def delete_card(self, pick: int, archived: bool = False) -> None:
        card = self._card(pick)
        if card and not (archived and not self.tre.card(card)["closed"]):
            self.player.presence_moved = True
            self.tre.delete(card)

    def copy_card(self, pick: int, place: str) -> None:
        card = self._card(pick)
        if card and self._here(card) and len(self.tre.cards()) < MAX_CARDS + self.ground.crowd:
            self.tre.copy(card, place)

    def send_to_board(self, pick: int, away: bool) -> None:
        if card := self._card(pick):
            self.player.presence_moved = True
            self.tre.move_to_board(card, self.player.elsewhere if away else self.tre.board_id)

    def make_template(self, pick: int, template: bool) -> None:
        if card := self._card(pick):
            self.player.presence_moved = True
            self.tre.edit(card, isTemplate=template)

    def add_second_marker(self, pick: int) -> None:
        card, other = self._card(pick), self._lead(pick + 1)
        if card and other:
            self.tre.edit(card, desc=f"{self.tre.card(card)['desc']}\nLeadID: {other}")

    def take_marker(self, pick: int) -> None:
        """A card's line comes to name another lead; or, where it did already, its own again."""
        card, other = self._card(pick), self._lead(pick + 1)
        if card and other and (named := markers(self.tre.card(card)["desc"])):
            own = next((lead for lead, its in self.ledger.card_of.items() if its == card), named[0])
            desc = self.tre.card(card)["desc"].replace(named[0], other if named[0] == own else own)
            self.tre.edit(card, desc=desc)

    def make_card_by_hand(self, pick: int, place: str, title: str) -> None:
        lead = self._lead(pick)
        if lead and len(self.tre.cards()) < MAX_CARDS + self.ground.crowd:
            self.tre.add_card(place, title, f"by hand\nLeadID: {lead}\nfor {pick}")

    def orphan_card(self, pick: int, place: str) -> None:
        """It names a lead that never was."""
        if len(self.tre.cards()) < MAX_CARDS + self.ground.crowd:
            self.tre.add_card(place, "Nobody", f"LeadID: rec{'Z' * 13}{pick}")

    def remake_list(self, pick: int, name: str) -> None:
        """A list is archived under another name, and a new one with the old name takes its cards."""
        if not self.ground.by_name:
            return
        old = self.tre.list_id(name)
        self.tre.rename_list(name, f"Old {name} {self.ledger.now}")
        self.tre.add_list(name)
        for card_id, card in self.tre.cards().items():
            if card["idList"] == old:
                self.tre.move(card_id, name)
        self.tre.archive_list(f"Old {name} {self.ledger.now}")
        self.player.lists_moved = True
        foreign = self.player.foreign
        self.ledger.foreign[foreign] = self.tre.card(foreign)


# Histories


@dataclass(frozen=True)
class Outcome:
    """How a history ended. `runs`: syncs that it took."""

    runs: int
    breach: Breach | None = None


def play(history: History) -> Outcome:
    """Play it, and look at both services at rest."""
    player = Player(history.ground, _folder())
    try:
        for each in history.steps:
            player.do(each)
        player.rest()
    except Breach as breach:
        return Outcome(player.runs, breach)
    finally:
        player.world.leave_state()
    player.world.close()
    return Outcome(player.runs)


@cache
def _folder() -> Path:
    """
    Where this process keeps its state: the same place for every history, so that one engine serves them all.

    In memory, if there is such a folder: the state is written some ten times in a run.
    """
    folder = tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    atexit.register(folder.cleanup)
    return Path(folder.name)


def smallest(history: History, breach: Breach, plays: int = 100) -> tuple[History, Breach]:
    """The history without what is not needed for a breach of the same rule."""
    left = [plays]

    def breaks(smaller: History) -> Breach | None:
        if left[0] <= 0:
            return None
        left[0] -= 1
        try:
            found = play(smaller).breach
        except Exception:  # a smaller history may be none
            return None
        return found if found is not None and found.rule == breach.rule else None

    chunk = max(1, len(history.steps) // 2)
    while chunk:
        start = 0
        while start < len(history.steps):
            smaller = replace(history, steps=history.steps[:start] + history.steps[start + chunk :])
            if found := breaks(smaller):
                history, breach = smaller, found
            else:
                start += chunk
        chunk //= 2
    for smaller_one in (_plainer_steps, _plainer_ground):
        changed = True
        while changed and left[0] > 0:
            changed = False
            for smaller in smaller_one(history):
                if found := breaks(smaller):
                    history, breach, changed = smaller, found, True
                    break
    return history, breach


def _plainer_steps(history: History) -> Iterable[History]:
    for at, each in enumerate(history.steps):
        if each.what == "lose_state":
            continue
        for name, value in each.given:
            if name == "events" and value:
                for event in value:
                    fewer = tuple(one for one in value if one is not event)
                    yield _with(history, at, tuple((n, fewer if n == name else v) for n, v in each.given))
            elif (name in ("policy", "on_card_deleted", "on_lead_deleted", "dry", "events")) or (
                name == "gap" and value
            ):
                yield _with(history, at, tuple((n, v) for n, v in each.given if n != name))
            elif name == "read" and value != "full":
                yield _with(history, at, tuple((n, "full" if n == name else v) for n, v in each.given))


def _with(history: History, at: int, given: tuple[tuple[str, Any], ...]) -> History:
    steps = list(history.steps)
    steps[at] = Step(steps[at].what, given)
    return replace(history, steps=tuple(steps))


def _plainer_ground(history: History) -> Iterable[History]:
    plain = Ground()
    for name, value in vars(history.ground).items():
        if value != getattr(plain, name):
            yield replace(history, ground=replace(history.ground, **{name: getattr(plain, name)}))


def told(seed: int, history: History, breach: Breach) -> str:
    """A breach for people: seed, rule, both sides' values, and the history, a step a line."""
    steps = "\n".join(f"  {line}" for line in str(history).split("\n"))
    return f"seed {seed}: {breach}\n{steps}"


def breach_of(seed: int, shrink: bool = True, names: frozenset[str] = frozenset()) -> tuple[int, str]:
    """Plays the history of a seed, `names` left out of it. Returns: runs, and what broke, "" if nothing did."""
    history = without(made_up(seed), names)
    outcome = play(history)
    if outcome.breach is None:
        return outcome.runs, ""
    if not shrink:
        return outcome.runs, told(seed, history, outcome.breach)
    return outcome.runs, told(seed, *smallest(history, outcome.breach))
