"""What Trello's refusals are about: a 401 may be the credentials' or a single card's."""

import pytest

from leadsync.errors import ServiceRefusedError
from leadsync.trello.refusals import refused_setting

ABOUT_A_THING = (
    "unauthorized permission requested",
    "unauthorized card permission requested",
    "unauthorized member permission requested.",
    "unauthorized board list requested 0123456789abcdef01234567",
    "unauthorized board requested",
    "Unauthorized Board Requested",
)
ABOUT_THE_TOKEN = (
    "invalid token",
    "expired token",
    "invalid app token",
    "missing scopes",
    "unauthorized",
    "Unauthorized",
    "",
)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        *((text, "") for text in ABOUT_A_THING),
        *((text, "TRELLO_API_TOKEN") for text in ABOUT_THE_TOKEN),
        *((text, "TRELLO_API_KEY") for text in ("invalid key", "invalid app key")),
    ],
)
def test_setting_that_a_401_is_about(text, setting):
    """In words unknown to us it is the token: where it died, whoever stands before Trello may say it as he likes."""
    assert refused_setting(ServiceRefusedError("Trello", 401, "", text)) == setting


@pytest.mark.parametrize("status", [400, 403, 404])
def test_other_refusal_is_about_no_setting(status):
    assert refused_setting(ServiceRefusedError("Trello", status, "", "invalid token")) == ""
