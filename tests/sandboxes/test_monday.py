"""The Monday sandbox from outside: signing in, versions, documents, partial success, idempotency."""

import io
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from integrations.sandboxes.core import ConnectionCut, Mounted, Sandbox
from integrations.sandboxes.monday import MondayWorld

CREATE = """mutation ($b: ID!, $n: String!, $cv: JSON, $l: Boolean) {
  create_item(board_id: $b, item_name: $n, column_values: $cv, create_labels_if_missing: $l) { id name } }"""


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.body["errors"]
        return self.body["data"]

    @property
    def error(self) -> Any:
        return self.body["errors"][0]

    @property
    def code(self) -> str:
        return str(self.error["extensions"]["code"])


@dataclass
class Monday:
    """A sandbox with nobody else in it, and a caller that speaks WSGI."""

    sandbox: Sandbox = field(default_factory=lambda: Sandbox({"monday": MondayWorld}))
    token: str = "sample-monday-token"

    @property
    def mounted(self) -> Mounted:
        return self.sandbox.mounted("monday")

    @property
    def world(self) -> MondayWorld:
        world = self.mounted.world
        assert isinstance(world, MondayWorld)
        return world

    def ask(self, query: str, headers: dict[str, str] | None = None, **variables: Any) -> Reply:
        return self.send({"query": query, "variables": variables}, headers)

    def send(self, body: Any, headers: dict[str, str] | None = None, **how: Any) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {"Authorization": self.token, "API-Version": "2026-10"} | (headers or {})
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/monday/v2",
            "QUERY_STRING": "",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(raw)),
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "wsgi.input": io.BytesIO(raw),
            **{"HTTP_" + name.upper().replace("-", "_"): value for name, value in sent.items()},
            **how,
        }
        started: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:
            started.extend((status, headers))
            return started.append

        out = b"".join(self.sandbox(environ, start))
        return Reply(status=int(started[0].split()[0]), headers=dict(started[1]), raw=out)

    @property
    def bills(self) -> str:
        return self.world.board("AP bills").id

    def create(self, name: str = "Bill 7", values: dict[str, Any] | None = None, *, board: str = "", **more: Any) -> Reply:
        text = None if values is None else json.dumps(values)
        return self.ask(CREATE, more.pop("headers", None), b=board or self.bills, n=name, cv=text, **more)


def a_monday(**settings: Any) -> Monday:
    monday = Monday()
    if settings:
        monday.world.reset(**settings)
    return monday


def test_a_fresh_world_lets_the_sample_token_in_and_has_the_boards() -> None:
    monday = a_monday()
    data = monday.ask("{ me { name kind account { name slug } } boards { id name items_count } }").data
    assert data["me"]["name"] == "Nora Ellis" and data["me"]["kind"] == "ADMIN"
    assert {board["name"]: board["items_count"] for board in data["boards"]} == {"Vendors": 4, "AP bills": 0}
    assert all(int(board["id"]) > 2**32 for board in data["boards"])


@pytest.mark.parametrize("header", ["sample-monday-token", "Bearer sample-monday-token", "bearer sample-monday-token"])
def test_a_token_works_with_and_without_bearer(header: str) -> None:
    assert a_monday().ask("{ me { id } }", {"Authorization": header}).status == 200


def test_a_wrong_or_revoked_token_is_not_authenticated() -> None:
    monday = a_monday()
    monday.world.add_token("short-lived")
    monday.world.revoke_token("short-lived")
    for token in ("nonsense", "", "short-lived"):
        reply = monday.ask("{ me { id } }", {"Authorization": token})
        assert reply.status == 401 and reply.body == {"errors": ["Not Authenticated"]}


def test_viewers_guests_and_inactive_people_have_no_access() -> None:
    monday = a_monday()
    monday.world.add_token("viewer", view_only=True)
    monday.world.add_token("guest", user_kind="guest")
    monday.world.deactivate_user(monday.world.add_token("gone"))
    for token in ("viewer", "guest", "gone"):
        reply = monday.ask("{ me { id } }", {"Authorization": token})
        assert reply.status == 403 and reply.code == "USER_ACCESS_DENIED"


def test_a_missing_scope_refuses_the_field() -> None:
    monday = a_monday()
    monday.world.add_token("reader", scopes=["boards:read", "me:read"])
    monday.token = "reader"
    assert monday.ask("{ boards { id } me { id } version { value } }").status == 200
    reply = monday.create()
    assert reply.code == "UNAUTHORIZED_FIELD_OR_TYPE" and reply.error["path"] == ["create_item"] and "data" not in reply.body
    assert monday.ask("{ me { account { id } } }").code == "UNAUTHORIZED_FIELD_OR_TYPE"


def test_private_boards_are_invisible_to_strangers_and_owner_boards_read_only() -> None:
    monday = a_monday()
    private = monday.world.add_board("Secret", kind="private")
    owners = monday.world.add_board("Owners only", permissions="owners")
    monday.world.add_token("other")
    monday.token = "other"
    data = monday.ask("query ($i: [ID!]) { boards(ids: $i) { name access_level } }", i=[private, owners]).data
    assert data["boards"] == [{"name": "Owners only", "access_level": "view"}]
    assert monday.create(board=private).code == "InvalidBoardIdException"
    assert monday.create(board=owners).code == "UserUnauthorizedException"


@pytest.mark.parametrize(
    ("asked", "given"),
    [("", "2026-10"), ("2026-10", "2026-10"), ("2024-10", "2025-04"), ("2026-02", "2026-10"), ("2027-01", "2027-01")],
)
def test_the_version_header_is_silently_put_right(asked: str, given: str) -> None:
    reply = a_monday().ask("{ version { value } versions { kind value display_name } }", {"API-Version": asked})
    assert reply.headers["API-Version"] == reply.data["version"]["value"] == given


def test_a_malformed_version_is_an_error() -> None:
    assert a_monday().ask("{ me { id } }", {"API-Version": "2026"}).code == "InvalidVersionException"


def test_unknown_fields_and_syntax_errors_refuse_the_document() -> None:
    monday = a_monday()
    assert monday.ask("{ me { is_admin } }").code == "GRAPHQL_VALIDATION_FAILED"
    assert "data" not in monday.ask("{ boards { nope } }").body
    assert monday.ask("{ me { id ").error["message"].startswith("Parse error on")
    assert monday.ask('{ users(name: "a\nb") { id } }').error["message"].startswith("Parse error on")


def test_variables_are_an_object_and_surplus_ones_are_ignored() -> None:
    monday = a_monday()
    assert monday.send({"query": "{ me { id } }", "variables": "{}"}).status == 400
    assert monday.ask("{ me { id } }", columnValues="{}", other=1).data["me"]["id"]


def test_column_values_that_are_not_json_text_refuse_the_whole_document() -> None:
    monday = a_monday()
    for wrong in ("not json", {"amount": "1"}):
        reply = monday.ask(CREATE, b=monday.bills, n="Bill", cv=wrong)
        assert reply.error["message"] == "Variable $cv of type JSON was provided invalid value"
        assert (
            reply.error["extensions"]["value"] == wrong and "code" not in reply.error["extensions"] and "data" not in reply.body
        )
    literal = 'mutation { create_item(board_id: 1, item_name: "x", column_values: {amount: "1"}) { id } }'
    assert monday.ask(literal).code == "GRAPHQL_VALIDATION_FAILED"
    assert monday.world.board_items("AP bills") == []


def test_a_missing_variable_refuses_the_whole_document() -> None:
    reply = a_monday().ask(CREATE, n="Bill")
    assert reply.error["message"] == "Variable $b of type ID! was provided invalid value"


def test_no_query_and_no_json_are_bad_requests() -> None:
    monday = a_monday()
    assert monday.send({}).body == {"errors": ["No query string was present"]}
    reply = monday.send(b"{nope")
    assert reply.status == 400 and reply.code == "JsonParseException"


def test_fragments_operation_names_forms_and_addresses_are_understood() -> None:
    monday = a_monday()
    text = "query A { me { ...who } } query B { account { name } } fragment who on User { name }"
    assert monday.send({"query": text, "operationName": "A"}).data == {"me": {"name": "Nora Ellis"}}
    assert monday.send({"query": text}).code == "GRAPHQL_VALIDATION_FAILED"
    form = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
    assert monday.send(b"query=%7B%20me%20%7B%20name%20%7D%20%7D", None, **form).data["me"]["name"] == "Nora Ellis"
    get = {"REQUEST_METHOD": "GET", "QUERY_STRING": "query=%7B%20me%20%7B%20name%20%7D%20%7D"}
    assert monday.send(b"", None, **get).data["me"]["name"] == "Nora Ellis"


def test_calls_are_listed_under_their_root_fields() -> None:
    monday = a_monday()
    monday.ask("{ boards { id } a: boards { id } complexity { query } }")
    monday.ask("{ me { id } }", {"Authorization": "wrong"})
    assert [(call["operation"], call["status"]) for call in monday.mounted.calls] == [("boards,complexity", 200), ("me", 401)]


def many(n: int) -> str:
    declared = "".join(f", $n{i}: String!, $c{i}: JSON!" for i in range(n))
    aliases = " ".join(f"r{i}: create_item(board_id: $b, item_name: $n{i}, column_values: $c{i}) {{ id name }}" for i in range(n))
    return f"mutation ($b: ID!{declared}) {{ {aliases} complexity {{ query before after }} }}"


def test_a_bad_alias_fails_alone_with_its_path() -> None:
    monday = a_monday()
    values: dict[str, Any] = {f"c{i}": json.dumps({"amount": "nope" if i == 1 else str(i)}) for i in range(3)}
    values |= {f"n{i}": f"Bill {i}" for i in range(3)}
    body = monday.ask(many(3), b=monday.bills, **values).body
    assert body["data"]["r1"] is None and body["data"]["r0"]["name"] == "Bill 0" and body["data"]["r2"]["name"] == "Bill 2"
    assert [error["path"] for error in body["errors"]] == [["r1"]]
    assert body["errors"][0]["extensions"]["error_data"] == {"column_type": "numeric"}
    assert [item["name"] for item in monday.world.board_items("AP bills")] == ["Bill 0", "Bill 2"]
    assert body["data"]["complexity"] == {"query": 30_000 + 13, "before": 10_000_000, "after": 10_000_000 - 30_013}


def test_the_same_key_replays_the_answer_and_creates_nothing() -> None:
    monday = a_monday()
    key = {"Idempotency-Key": "k1"}
    first, second = monday.create(headers=key), monday.create(headers=key)
    assert first.raw == second.raw and second.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers and len(monday.world.board_items("AP bills")) == 1


def test_a_key_is_forgotten_after_thirty_minutes_and_belongs_to_one_person() -> None:
    monday = a_monday()
    monday.world.add_token("colleague")
    monday.create(headers={"Idempotency-Key": "k1"})
    monday.create(headers={"Idempotency-Key": "k1", "Authorization": "colleague"})
    assert len(monday.world.board_items("AP bills")) == 2
    monday.mounted.clock.advance(1801)
    monday.create(headers={"Idempotency-Key": "k1"})
    assert len(monday.world.board_items("AP bills")) == 3


def test_a_key_means_nothing_on_queries() -> None:
    monday = a_monday()
    monday.ask("{ boards { id } }", {"Idempotency-Key": "q"})
    assert "Idempotency-Replayed" not in monday.ask("{ boards { id } }", {"Idempotency-Key": "q"}).headers


def test_a_key_that_is_still_running_is_a_conflict() -> None:
    monday = a_monday()
    user_id = next(iter(monday.world.world.users))
    monday.world.remembered.begin((user_id, "", "k1"), monday.mounted.clock.now())
    reply = monday.create(headers={"Idempotency-Key": "k1"})
    assert reply.status == 409 and reply.code == "IDEMPOTENCY_CONFLICT" and reply.headers["Retry-After"]


def test_a_throttled_request_is_not_remembered_under_its_key() -> None:
    monday = a_monday()
    monday.mounted.faults.arm("minute_limit")
    assert monday.create(headers={"Idempotency-Key": "k1"}).status == 429
    assert monday.create(headers={"Idempotency-Key": "k1"}).status == 200


def test_a_lost_answer_comes_again_under_its_key() -> None:
    monday = a_monday()
    monday.mounted.faults.arm("commit_then_drop", operation="create_item")
    with pytest.raises(ConnectionCut):
        monday.create(headers={"Idempotency-Key": "k1"})
    reply = monday.create(headers={"Idempotency-Key": "k1"})
    assert reply.headers["Idempotency-Replayed"] == "true"
    assert [item["id"] for item in monday.world.board_items("AP bills")] == [reply.data["create_item"]["id"]]


def test_parallel_callers_lose_nothing() -> None:
    monday = a_monday()
    threads = [threading.Thread(target=lambda: [monday.create() for _ in range(10)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    items = monday.world.board_items("AP bills")
    assert len(items) == len({item["id"] for item in items}) == 80


def test_every_answer_carries_a_request_id_version_and_limits() -> None:
    reply = a_monday().ask("{ me { id } }")
    assert reply.body["extensions"]["request_id"] and reply.body["account_id"]
    assert {"API-Version", "RateLimit-Policy", "RateLimit"} <= set(reply.headers)


def test_the_control_door_resets_seeds_and_shows_the_world() -> None:
    monday = a_monday()
    door = {"PATH_INFO": "/_sandbox/monday/seed", "REMOTE_ADDR": "127.0.0.1"}
    assert len(monday.send({"n": 30}, None, **door).body["item_ids"]) == 30
    state = monday.send({}, None, PATH_INFO="/_sandbox/monday/state", REQUEST_METHOD="GET").body
    board = next(board for board in state["boards"] if board["name"] == "AP bills")
    assert board["items_count"] == 30 and board["items"][0]["columns"]["amount"] == "1267.01"
    monday.send({}, None, PATH_INFO="/_sandbox/monday/reset")
    assert monday.world.board_items("AP bills") == []
