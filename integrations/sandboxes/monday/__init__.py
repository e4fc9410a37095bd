"""Monday.com in memory: boards, items and their values behind the GraphQL endpoint, as strict as the real one."""

from .app import MondayWorld

__all__ = ["MondayWorld"]
