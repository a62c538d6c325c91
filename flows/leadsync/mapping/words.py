"""By which names columns, statuses and lists are known when a mapping is proposed. Pure data. Never here: a choice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from typing import Final

from leadsync.mapping.columns import ColumnKind
from leadsync.model import DONE, IN_PROGRESS, STAGES, TODO

OWN_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "status": (
        *("status", "stage", "lead status", "lead stage", "pipeline stage", "sales stage", "deal stage", "state"),
        *("phase", "pipeline"),
    ),
    "name": (
        *("name", "full name", "lead name", "contact name", "lead", "contact", "customer", "customer name", "client"),
        *("client name", "person", "company name", "company", "title"),
    ),
    "email": (
        "email",
        "e mail",
        "email address",
        "e mail address",
        "mail",
        "work email",
        "contact email",
        "lead email",
    ),
    "source": ("source", "lead source", "origin", "channel", "referrer", "referral", "came from", "campaign"),
}
"""Cell that every pair has -> what its column may be called, likeliest first."""
DATES: Final = (ColumnKind.DATE, ColumnKind.DATETIME)
CARD_WORDS: Final[Mapping[str, tuple[tuple[str, ...], tuple[ColumnKind, ...]]]] = {
    "due": (
        (
            *("due", "due date", "due on", "deadline", "next step", "next step on", "next action", "follow up"),
            *("followup", "follow up date", "follow up on", "next call", "next contact", "call back", "reminder"),
        ),
        DATES,
    ),
    "start": (("start", "start date", "starts", "starts on"), DATES),
    "labels": (("tags", "tag", "labels", "label", "categories", "topics", "interests"), (ColumnKind.SET,)),
    "members": (
        (
            *("owner", "lead owner", "assignee", "assigned to", "responsible", "sales rep", "rep", "agent"),
            *("account manager", "account owner", "salesperson", "team"),
        ),
        (ColumnKind.CHOICE, ColumnKind.SET),
    ),
    "url": (
        ("trello", "trello card", "trello url", "trello link", "card", "card url", "card link", "card address"),
        (ColumnKind.TEXT,),
    ),
}
"""Property of a card -> what a column that plainly fits is called, and what it holds."""
LINE_WORDS: Final = frozenset(
    {
        *("phone", "phone number", "mobile", "mobile number", "telephone", "tel", "company", "organisation"),
        *("organization", "website", "web site", "homepage", "deal value", "deal size", "value", "amount", "budget"),
        *("job title", "position", "role", "city", "country", "address", "linkedin"),
    }
)
"""Names of columns that a card is plainly the better for showing."""
LINE_TYPES: Final = frozenset({"phoneNumber", "currency"})
"""Field types of which the same holds."""
STAGE_PHRASES: Final[Mapping[str, tuple[str, ...]]] = {
    TODO: ("to do", "not started", "not contacted", "to contact", "to call", "up next"),
    IN_PROGRESS: ("in progress", "on hold", "follow up", "in contact", "on it", "offer sent"),
    DONE: ("not interested", "no interest", "closed won", "closed lost"),
}
STAGE_WORDS: Final[Mapping[str, frozenset[str]]] = {
    DONE: frozenset(
        {
            *("done", "qualified", "won", "lost", "closed", "complete", "completed", "finished", "converted", "gone"),
            *("disqualified", "unqualified", "rejected", "dead", "customer", "signed", "archived"),
        }
    ),
    IN_PROGRESS: frozenset(
        {
            *("doing", "progress", "contacted", "called", "talking", "working", "active", "started", "visited", "met"),
            *("meeting", "demo", "offer", "proposal", "negotiation", "negotiating", "nurturing", "engaged", "contact"),
            *("review", "running", "waiting", "pending", "talk", "talks", "ongoing"),
        }
    ),
    TODO: frozenset({"todo", "new", "inbox", "backlog", "open", "incoming", "fresh", "untouched", "leads", "ideas"}),
}
"""Stage -> words by which a status or a list is known to mean it; the first stage that has one is the one."""


def folded(name: str) -> str:
    """A name in small letters, its words parted by one blank each: `E-Mail` and `e_mail` are `e mail`."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return " ".join(re.findall(r"[^\W_]+", plain))


def stage_meant(name: str) -> str:
    """The stage that a status or a list means by its name, "" if that is not plain."""
    said = folded(name)
    for stage in STAGES:
        if said in STAGE_PHRASES[stage] or said == folded(stage):
            return stage
    words = set(said.split())
    return next((stage for stage, known in STAGE_WORDS.items() if words & known), "")


def first_called(names: Collection[str], words: Collection[str]) -> str:
    """Of these names the one that is called by the likeliest of the words, "" if none is."""
    known = {folded(name): name for name in reversed([*names])}
    return next((known[word] for word in words if word in known), "")
