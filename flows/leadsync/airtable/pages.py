"""One list of records from its first page to its last, which must come. Never here: which list, a lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyairtable import Table

from leadsync.errors import IncompleteReadError

PAGES = 5_000
"""Pages in one list; the largest bases hold 500,000 records."""
GAPS = 10
"""Pages without a new record, one after the other, that are borne: records may be deleted while a list is read."""


def pages_of(table: Table, options: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The pages of a list. Raises: IncompleteReadError if they go in a circle, bring nothing new, or never end."""
    asked, seen, gaps = set[str](), set[str](), 0
    for _ in range(PAGES):
        page = table.api.request("GET", table.urls.records, ("POST", table.urls.records_post), dict(options))
        yield page["records"]
        offset = str(page.get("offset") or "")
        if not offset:
            return
        if offset in asked:
            raise IncompleteReadError("Airtable's pages go in a circle; nothing was written. Run again.")
        news = {record["id"] for record in page["records"]} - seen
        gaps = 0 if news else gaps + 1
        if gaps > GAPS:
            raise IncompleteReadError(f"Airtable sent {gaps} pages without a new lead; nothing was written. Run again.")
        asked.add(offset)
        seen |= news
        options = {**options, "offset": offset}
    raise IncompleteReadError(f"Airtable's list of leads has more than {PAGES} pages; nothing was written.")
