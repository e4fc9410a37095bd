"""What every command says of a name that it does not know."""

from typing import Any

from tests.configuration.files import refusal


def assert_lists(said: str, *words: Any) -> None:
    assert refusal(*words).said == said
