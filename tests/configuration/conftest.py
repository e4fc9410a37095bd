from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.configuration.files import Office, open_office


@pytest.fixture
def office(db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Office]:
    with open_office(tmp_path, monkeypatch, settings) as office:
        yield office
