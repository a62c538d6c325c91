"""
Personal access tokens: their scopes, the bases they reach, and the level of their user.

Whether a call is allowed is decided by `service`.
"""

from dataclasses import dataclass

ALL_SCOPES = frozenset(
    {
        "data.records:read",
        "data.records:write",
        "schema.bases:read",
        "schema.bases:write",
        "webhook:manage",
        "user.email:read",
    }
)
LEVELS = ("none", "read", "comment", "edit", "create")


@dataclass
class Token:
    """A personal access token."""

    text: str
    scopes: frozenset[str]
    bases: frozenset[str] | None
    """None means every base."""
    role: str
    """Permission level of its user: read, comment, edit or create."""
    user_id: str

    def reaches(self, base_id: str) -> bool:
        """Whether the base was added to the token."""
        return self.bases is None or base_id in self.bases

    def has_level(self, level: str) -> bool:
        """Whether its user has at least this permission level."""
        return LEVELS.index(self.role) >= LEVELS.index(level)
