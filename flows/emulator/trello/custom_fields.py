"""
The custom fields of a board and their options, as they are held and shown.

What a card has in one is an item, held by the card; what a value may be is in `custom_field_values`.
"""

from dataclasses import dataclass, field
from typing import Any

from emulator.trello.positions import whole

TYPES = ("checkbox", "list", "number", "text", "date")
FIELDS_MOST, OPTIONS_MOST = 50, 50


@dataclass
class Option:
    """One entry of a dropdown."""

    id: str
    text: str
    pos: float
    color: str = "none"

    def model(self, field_id: str) -> dict[str, Any]:
        """As its field shows it."""
        place = {"color": self.color, "pos": whole(self.pos)}
        return {"id": self.id, "idCustomField": field_id, "value": {"text": self.text}} | place

    def listed_model(self) -> dict[str, Any]:
        """As the list of options shows it, where the id is called otherwise and the field is left out."""
        return {"color": self.color, "pos": whole(self.pos), "_id": self.id, "value": {"text": self.text}}


@dataclass
class CustomField:
    """A column that all cards of a board have; names are not unique."""

    id: str
    board_id: str
    name: str
    type: str
    """One of TYPES."""
    pos: float
    group: str
    on_front: bool = True
    options: list[Option] = field(default_factory=list)

    def model(self, with_limits: bool = False) -> dict[str, Any]:
        """All fields; boards list them without limits."""
        model: dict[str, Any] = {
            "id": self.id,
            "idModel": self.board_id,
            "modelType": "board",
            "fieldGroup": self.group,
            "display": {"cardFront": self.on_front},
            "name": self.name,
            "pos": whole(self.pos),
        }
        if self.type == "list":
            model["options"] = [each.model(self.id) for each in self.options]
        model["type"] = self.type
        if with_limits:
            most = {"status": "ok", "disableAt": OPTIONS_MOST, "warnAt": OPTIONS_MOST - 10}
            model["limits"] = {"customFieldOptions": {"perField": most}}
        return model | {"isSuggestedField": False}
