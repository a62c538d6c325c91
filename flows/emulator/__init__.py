"""
Airtable and Trello on localhost, as far as a lead sync needs them, over real HTTP.

    with Emulator() as emulator:
        lead = emulator.airtable.add_lead("Ada", "ada@example.com", "NEW", "web")
        run(emulator.settings())
        assert emulator.trello.cards()

It fakes the wire: shapes, paging, batch limits, error bodies, rate limits and penalties. Facts without a
primary source are switches (`knobs.Knobs`). It shares no code with the program under test or a client library.

What it does not do it answers with 501 and a text that begins with `emulator:`, whichever path, parameter, key of a
body or value asks for it:
- deliver webhooks to other machines, or over HTTPS: callbacks on this one get real POSTs, signed and retried by the
  emulator's clock, and Trello's are probed; a webhook for any other address is refused;
- Airtable: comments, uploads, computing of formulas, rollups and lookups (`recompute` says what they give), making
  such columns through the API, the other end of a link and links to a record that was deleted, hidden fields of
  views, OAuth, deleting tables through the API, paging of bases, schema changes in webhook payloads, texts that
  depend on a locale;
- Airtable formulas beyond the functions listed in `airtable.formula_functions.FUNCTIONS`, or over linked records;
- Trello: checklists, attachments, covers, places, due reminders through the API, inviting members through the API,
  workspaces, board templates, OAuth 1 signatures, database-time and per-member limits, object limits other than open
  cards, custom fields and their options, the 414 and 431 of over-long URLs, editing of comments, the `display` and
  `entities` of actions;
- gzip, conditional requests, CORS, HTTPS.
"""

from emulator.clock import Clock, ManualClock, RealTimeClock
from emulator.control import Emulator
from emulator.knobs import Knobs
from emulator.wire.faults import Fault
from emulator.wire.messages import Request

__all__ = ["Clock", "Emulator", "Fault", "Knobs", "ManualClock", "RealTimeClock", "Request"]
