"""How many worlds there are, and who may turn their knobs."""

from __future__ import annotations

import json
import time
from io import BytesIO
from typing import Any

import pytest

from integrations.sandboxes import core
from integrations.sandboxes.core import Answer, Clock, Faults, Request, Sandbox


class Pond:
    """The smallest world: it remembers what was thrown in."""

    FAULTS: frozenset[str] = frozenset()

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self.stones: list[str] = []

    def reset(self, **settings: Any) -> None:
        self.stones.clear()

    def seed(self, **settings: Any) -> Any:
        return None

    def state(self) -> Any:
        return self.stones

    def handle(self, request: Request) -> Answer:
        self.stones.append(request.path)
        return core.as_json(self.stones)


def ask(sandbox: Sandbox, path: str, **environ: str) -> tuple[int, Any]:
    told: list[int] = []
    path, _, query = path.partition("?")
    basic: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": BytesIO()}
    here = {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "9000", "REMOTE_ADDR": "127.0.0.1"}

    def start_response(status: str, *_: Any) -> Any:
        told.append(int(status.split()[0]))

    body = b"".join(sandbox({**basic, **here, **environ}, start_response))
    return told[0], json.loads(body)


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    monkeypatch.setattr(core, "KEPT_WORLDS", 3)
    return Sandbox({"north": Pond, "south": Pond})


def test_a_world_too_many_is_refused_while_all_are_in_use(sandbox: Sandbox) -> None:
    for name in ("a", "b", "c"):
        assert ask(sandbox, f"/w/{name}/north/stone")[0] == 200

    for path in ("/w/d/north/stone", "/north/stone", "/_sandbox/north/state?world=d"):
        status, said = ask(sandbox, path)
        assert (status, said["error"].partition(".")[0]) == (503, "All 3 worlds of this sandbox are in use")

    assert ask(sandbox, "/w/a/north/stone") == (200, ["/stone", "/stone"])
    assert ask(sandbox, "/w/a/south/stone")[0] == 200, "the other vendor of a known world is no new world"


def test_the_world_that_is_unused_for_longest_makes_way(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    for minutes, path in enumerate(["/north", "/w/a/north", "/w/a/south", "/w/b/north", "/w/a/north"]):
        monkeypatch.setattr(time, "monotonic", lambda minutes=minutes: began + minutes * 60)
        ask(sandbox, f"{path}/stone")
    monkeypatch.setattr(time, "monotonic", lambda: began + core.UNUSED_AFTER + 200)

    assert ask(sandbox, "/w/d/north/stone")[0] == 200

    assert ask(sandbox, "/north/stone") == (200, ["/stone", "/stone"]), "the default world stays"
    assert ask(sandbox, "/w/a/north/stone") == (200, ["/stone", "/stone", "/stone"])
    assert ask(sandbox, "/w/b/north/stone")[0] == 503, "b had to go, and now all are in use"


@pytest.mark.parametrize(
    "came", [{"REMOTE_ADDR": "10.0.0.5"}, {"HTTP_X_FORWARDED_FOR": "10.0.0.5"}, {"HTTP_FORWARDED": "for=10.0.0.5"}]
)
def test_the_control_door_is_closed_to_whoever_comes_from_elsewhere(sandbox: Sandbox, came: dict[str, str]) -> None:
    assert ask(sandbox, "/_sandbox/north/state", **came)[0] == 403
    assert ask(sandbox, "/_sandbox/north/state") == (200, [])
    assert ask(sandbox, "/north/stone", **came)[0] == 200
