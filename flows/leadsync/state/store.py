"""
The state database as a whole, each subject a part of it.

What is never kept: a secret (but the one that Airtable signs its webhook with), a person's text other than the values
both sides agreed on, what was last seen, and, until a report has listed them, the two values of a conflict.
"""

from __future__ import annotations

from leadsync.state.calls import MonthlyCalls
from leadsync.state.checks import Checks
from leadsync.state.database import Database
from leadsync.state.facts import Facts
from leadsync.state.findings import Findings
from leadsync.state.holders import Holders
from leadsync.state.journal import Journal
from leadsync.state.keys import PairKeys
from leadsync.state.snapshots import Snapshots


class StateStore:
    """
    One state database. `url`: SQLAlchemy URL.

    Raises (from every method of every part): StateStoreError, as `Database`.
    """

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.journal = Journal(self.database)
        self.snapshots = Snapshots(self.database)
        self.findings = Findings(self.database)
        self.checks = Checks(self.database)
        self.facts = Facts(self.database)
        self.keys = PairKeys(self.database)
        self.calls = MonthlyCalls(self.database)
        self.holders = Holders(self.database)

    def close(self) -> None:
        """Give the connections back."""
        self.database.engine.dispose()
