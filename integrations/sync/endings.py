"""How a part of a run ends."""

from enum import StrEnum


class Ending(StrEnum):
    DONE = "done"
    CONTINUES = "continues"  # out of time; the rest follows in the next slice
