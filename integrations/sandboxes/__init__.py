"""Stand-ins for the outside systems, written from their documents alone: the demo's world, the tests', and every "try it" button's."""

from collections.abc import Callable, Mapping

from integrations.sandboxes.core import Clock, Faults, Sandbox, World
from integrations.sandboxes.intacct import IntacctWorld
from integrations.sandboxes.monday import MondayWorld

VENDORS: Mapping[str, Callable[[Clock, Faults], World]] = {"intacct": IntacctWorld, "monday": MondayWorld}

__all__ = ["VENDORS", "Sandbox"]
