"""
Which fields of a model come back: those asked for, else the default ones.

What a field holds is in `model`.
"""

from typing import Any

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
    """The fields asked for: a comma list, `all` or nothing; `id` always comes back."""
    if fields is None:
        return model if default is None else {key: model[key] for key in default}
    if fields == "all":
        return model
    wanted = {"id", *fields.split(",")}
    return {key: value for key, value in model.items() if key in wanted}
