from tests.configuration.conftest import office

__all__ = ["office"]
