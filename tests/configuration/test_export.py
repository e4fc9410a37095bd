"""A tenant as a file: without a secret in it, and good enough to be applied again, here or elsewhere."""

from __future__ import annotations

import tomllib

import pytest

from tests.commands.names import assert_lists
from tests.configuration.files import COLUMNS, FILE, SECRETS, Office, everything, run, without

EXPORTED = {
    "ACME_BOOKS_SENDER_PASSWORD": "ACME_SENDER_PASSWORD",
    "ACME_BOOKS_USER_PASSWORD": "ACME_USER_PASSWORD",
    "ACME_BOARD_TOKEN": "ACME_MONDAY_TOKEN",
}


def set_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, ours in EXPORTED.items():
        monkeypatch.setenv(name, SECRETS[ours])


def test_an_exported_file_is_applied_again_without_a_change(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.apply(FILE + COLUMNS)
    run("ping", "acme/board")
    run("ping", "acme/books")
    run("run_flow", "acme/bills")
    set_exported(monkeypatch)
    text = run("export", "acme")
    before = everything()

    assert office.apply(text) == "Everything is as the file says.\n"

    assert without(everything(), "seen_at") == without(before, "seen_at")
    assert run("export", "acme") == text


def test_an_exported_file_holds_no_secret(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.apply(FILE + COLUMNS)
    for name in ("ACME_USER_PASSWORD", "ACME_SENDER_PASSWORD"):
        monkeypatch.setenv(name, f"canary-{name}-pw")
    office.apply(FILE + COLUMNS)

    text = run("export", "acme")

    assert "canary" not in text
    assert not any(secret in text for secret in SECRETS.values())
    books, board = sorted(tomllib.loads(text)["connections"], key=lambda each: each["vendor"])
    assert books["user_password"] == "env:ACME_BOOKS_USER_PASSWORD"
    assert board["token"] == "env:ACME_BOARD_TOKEN"


def test_an_exported_file_builds_the_same_tenant_elsewhere(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another world the board has another id, so it is named by its title there."""
    office.apply(FILE + COLUMNS)
    set_exported(monkeypatch)
    text = run("export", "acme")
    place = office.flow().place

    said = office.apply(text.replace('slug = "acme"', 'slug = "acme-two"').replace(f'"{place}"', '"AP bills"'))

    assert "tenant acme-two: made" in said
    for name, ours in EXPORTED.items():
        monkeypatch.setenv(name.replace("ACME_", "ACME__TWO_"), SECRETS[ours])
    again = run("export", "acme-two")
    assert again.replace("acme-two", "acme").replace("ACME__TWO_", "ACME_") == text


def test_no_two_connections_share_a_variable(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    second = FILE[FILE.rindex("[[connections]]") : FILE.index("[[flows]]")]
    more = second.replace('"board"', '"a-b"') + second.replace('"board"', '"a_b"') + second.replace('"board"', '"9"')
    office.apply(FILE.replace("[[flows]]", more + "[[flows]]").replace('"acme"', '"9lives"'))

    tokens = [each["token"] for each in tomllib.loads(run("export", "9lives"))["connections"] if "token" in each]

    assert sorted(tokens) == ["env:_9LIVES_9_TOKEN", "env:_9LIVES_A_B_TOKEN", "env:_9LIVES_A__B_TOKEN", "env:_9LIVES_BOARD_TOKEN"]


def test_a_stopped_flow_is_exported_as_active(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file says what is wanted, not how it goes."""
    office.apply(FILE)
    office.vendor("monday").world.delete_column("AP bills", "Vendor")
    with pytest.raises(Exception, match="no longer has the column"):
        run("run_flow", "acme/bills")

    assert tomllib.loads(run("export", "acme"))["flows"][0]["state"] == "active"


def test_a_paused_flow_is_exported_as_paused(office: Office) -> None:
    office.apply(FILE.replace('"active"', '"paused"'))

    assert tomllib.loads(run("export", "acme"))["flows"][0]["state"] == "paused"


def test_an_unknown_tenant_is_refused_with_those_there_are(office: Office) -> None:
    office.apply(FILE)

    assert_lists("There is no tenant ‘acne’. There are: acme.", "export", "acne")
