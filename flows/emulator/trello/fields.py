"""
Which fields of a model come back: those asked for, else the default ones.

What a field holds is in `model`.
"""

from typing import Any

from emulator.wire.messages import unsupported

BOARD_DEFAULT_FIELDS = (
    "id",
    "name",
    "desc",
    "descData",
    "closed",
    "idOrganization",
    "idEnterprise",
    "pinned",
    "url",
    "shortUrl",
    "prefs",
    "labelNames",
)
NESTED_MEMBER_FIELDS = ("id", "avatarHash", "fullName", "initials", "username")
LIST_DEFAULT_FIELDS = (
    "id",
    "name",
    "closed",
    "color",
    "idBoard",
    "pos",
    "subscribed",
    "softLimit",
    "type",
    "datasource",
)


def chosen(model: dict[str, Any], fields: str | None, default: tuple[str, ...] | None = None) -> dict[str, Any]:
    """
    The fields asked for: a comma list, `all` or nothing; `id` always comes back.

    Raises: Refused with 501 for a field that the service may have and the emulator has not.
    """
    if fields is None:
        return model if default is None else {key: model[key] for key in default}
    if fields == "all":
        return model
    wanted = {"id", *filter(None, fields.split(","))}
    missing = sorted(wanted - model.keys())
    if missing:
        raise unsupported(f"field {', '.join(missing)}")
    return {key: value for key, value in model.items() if key in wanted}
