"""Labels of status and dropdown columns: what a column starts with, how labels are found, and how new ones come about."""

from collections.abc import Mapping, Sequence
from typing import Any

from .answers import Refused, bad_argument, bad_value, dropdown_label_missing, label_missing
from .state import Column

STATUS_LABELS = 40
STATUS_LABEL_LENGTH = 30
EMPTY_STATUS = 5  # the grey label that stands for "nothing chosen"; it can not be given a text

# Name -> (id of a label in that colour, its hex value), from the vendor's page on status columns.
# fmt: off
COLORS = {
    "working_orange": (0, "#fdab3d"), "done_green": (1, "#00c875"), "stuck_red": (2, "#e2445c"), "dark_blue": (3, "#0086c0"),
    "purple": (4, "#9d50dd"), "explosive": (5, "#ff642e"), "grass_green": (6, "#037f4c"), "bright_blue": (7, "#579bfc"),
    "saladish": (8, "#cab641"), "egg_yolk": (9, "#ffcb00"), "blackish": (10, "#333333"), "dark_red": (11, "#bb3354"),
    "sofia_pink": (12, "#ff158a"), "lipstick": (13, "#ff5ac4"), "dark_purple": (14, "#784bd1"), "bright_green": (15, "#9cd326"),
    "chili_blue": (16, "#66ccff"), "american_gray": (17, "#808080"), "brown": (18, "#7f5347"), "dark_orange": (19, "#d974b0"),
    "sunset": (101, "#ff7575"), "bubble": (102, "#faa1f1"), "peach": (103, "#ffadad"), "berry": (104, "#e8697d"),
    "winter": (105, "#9aadbd"), "river": (106, "#68a1bd"), "navy": (107, "#225091"), "aquamarine": (108, "#4eccc6"),
    "indigo": (109, "#5559df"), "dark_indigo": (110, "#401694"), "pecan": (151, "#563e3e"), "lavender": (152, "#a25ddc"),
    "royal": (153, "#2b76e5"), "steel": (154, "#a9bee8"), "orchid": (155, "#dce3ea"), "lilac": (156, "#bda8f0"),
    "tan": (157, "#a0a0a0"), "sky": (158, "#a1e3f6"), "coffee": (159, "#bd816e"), "teal": (160, "#2da283"),
}
# fmt: on
HEX = dict(COLORS.values())


def starting_settings(column_type: str) -> dict[str, Any]:
    match column_type:
        case "status":
            texts = [("Working on it", 0), ("Done", 1), ("Stuck", 2)]
            return {"labels": [status_label(text, number, index) for index, (text, number) in enumerate(texts)]}
        case "dropdown":
            return {"labels": [], "limit_select": False, "label_limit_count": None}
        case "numbers":
            return {"unit": {"symbol": "", "custom_unit": None, "direction": "right", "precision": -1}}
        case "board_relation":
            return {"boardIds": [], "allowMultipleItems": True, "allowCreateReflectionColumn": False}
    return {}


def status_label(text: str, number: int, index: int, *, is_done: bool | None = None) -> dict[str, Any]:
    done = number == 1 if is_done is None else is_done
    known = {"id": number, "label": text, "color": number, "hex": HEX[number], "index": index}
    return {**known, "is_done": done, "is_deactivated": False}


def status_settings(given: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The settings that a list of labels, as a caller sends it, comes to; the colour decides the id."""
    if len(given) > STATUS_LABELS:
        raise bad_argument(f"A status column holds at most {STATUS_LABELS} labels")
    labels = [_status_label(label) for label in given]
    numbers = [label["id"] for label in labels]
    if len(set(numbers)) < len(numbers):
        raise bad_argument("Each label of a status column needs its own color")
    return {"labels": labels}


def _status_label(given: Mapping[str, Any]) -> dict[str, Any]:
    number = given.get("id")
    if number not in HEX and given.get("color") in COLORS:
        number = COLORS[given["color"]][0]  # the caller's own ids do not count; the color decides
    if number not in HEX or number == EMPTY_STATUS:
        raise bad_argument("This color can not be used for a label")
    if not 0 <= int(given.get("index", 0)) <= STATUS_LABELS - 1:
        raise bad_argument("The index of a label lies between 0 and 39")
    if len(str(given["label"])) > STATUS_LABEL_LENGTH:
        raise bad_argument(f"A label has at most {STATUS_LABEL_LENGTH} characters")
    label = status_label(str(given["label"]), number, int(given.get("index", 0)), is_done=given.get("is_done"))
    return {**label, "is_deactivated": bool(given.get("is_deactivated"))}


def dropdown_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    texts = [(label.get("id"), str(label["label"]), bool(label.get("is_deactivated"))) for label in given.get("labels") or ()]
    highest = max((number for number, _, _ in texts if number), default=0)
    labels = []
    for number, text, is_off in texts:
        highest += 0 if number else 1
        labels.append({"id": number or highest, "label": text, "is_deactivated": is_off})
    limits = {"limit_select": bool(given.get("limit_select")), "label_limit_count": given.get("label_limit_count")}
    return {"labels": labels, **limits}


class Labels:
    """The labels of one item's columns while its values are read; new ones become real only when all values are good."""

    def __init__(self, *, may_create: bool) -> None:
        self._may_create = may_create
        self._new: list[tuple[Column, dict[str, Any]]] = []

    def of(self, column: Column) -> list[dict[str, Any]]:
        return [*column.settings.get("labels", ()), *(label for owner, label in self._new if owner is column)]

    def by_id(self, column: Column, number: int) -> dict[str, Any] | None:
        return next((label for label in self.of(column) if label["id"] == number and not label.get("is_deactivated")), None)

    def by_text(self, column: Column, text: str) -> dict[str, Any]:
        for label in self.of(column):
            if label["label"] == text and not label.get("is_deactivated"):
                return label
        if not self._may_create or column.is_managed:
            raise self._missing(column, text)
        label = self._make(column, text)
        self._new.append((column, label))
        return label

    def keep(self) -> None:
        for column, label in self._new:
            column.settings = {**column.settings, "labels": [*column.settings.get("labels", ()), label]}
            column.changes += 1

    def _missing(self, column: Column, text: str) -> Refused:
        if column.type == "status":
            return label_missing()
        return dropdown_label_missing(text, {label["id"]: label["label"] for label in self.of(column)})

    def _make(self, column: Column, text: str) -> dict[str, Any]:
        known = self.of(column)
        if column.type == "dropdown":
            return {"id": max((label["id"] for label in known), default=0) + 1, "label": text, "is_deactivated": False}
        if len(text) > STATUS_LABEL_LENGTH:
            raise bad_value(f"A label has at most {STATUS_LABEL_LENGTH} characters", "color")
        taken = {label["id"] for label in known} | {EMPTY_STATUS}
        free = [number for number in HEX if number not in taken]
        if not free or len(known) >= STATUS_LABELS:
            raise bad_value("This column has no room for another label", "color")
        return status_label(text, free[0], len(known), is_done=False)
