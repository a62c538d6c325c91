"""
The state database as a whole, each subject a part of it.

What is never kept: a secret (but the one that Airtable signs its webhook with), a person's text other than the values
both sides agreed on, what was last seen, what runs changed for as long as the history is kept, a plan until it has been
reviewed, and, until it is settled and a report has listed it, the two values of a conflict; and, until a
sync ends well, what a service said of a lead that could not be written.
"""

from __future__ import annotations

from leadsync.state.base_rows import BaseRows
from leadsync.state.calls import MonthlyCalls
from leadsync.state.checks import Checks
from leadsync.state.database import Database
from leadsync.state.ends import Ends
from leadsync.state.facts import Facts
from leadsync.state.history import History
from leadsync.state.holders import Holders
from leadsync.state.journal import Journal
from leadsync.state.kept import Kept, PairRun, Review, Spent
from leadsync.state.keys import PairKeys
from leadsync.state.listed import LeadList
from leadsync.state.snapshots import Snapshots
from leadsync.state.standing import Standing
from leadsync.state.waiting import WaitingRows


class StateStore:
    """
    One state database. `url`: SQLAlchemy URL.

    Raises (from every method of every part): StateStoreError, as `Database`.
    """

    def __init__(self, url: str) -> None:
        self.database = Database(url)
        self.journal = Journal(self.database)
        self.base = BaseRows(self.database)
        self.history = History(self.database)
        self.snapshots = Snapshots(self.database)
        self.standing = Standing(self.database)
        self.checks = Checks(self.database)
        self.ends = Ends(self.database)
        self.facts = Facts(self.database)
        self.keys = PairKeys(self.database)
        self.calls = MonthlyCalls(self.database)
        self.holders = Holders(self.database)
        self.listed = LeadList(self.database)
        self.pair_runs = Kept(self.database, PairRun)
        self.spent_plans = Kept(self.database, Spent)
        self.reviews = Kept(self.database, Review)
        self.waiting = WaitingRows(self.database)

    def close(self) -> None:
        """Give the connections back."""
        self.database.engine.dispose()
