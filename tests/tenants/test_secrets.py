"""Sealed values: they open in their own row only, under any of the keys, and are never shown."""

from __future__ import annotations

import copy
import io
import json
import logging
import pickle
from typing import Any

import pytest
import structlog
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from structlog.stdlib import ProcessorFormatter

from tenants import rotation
from tenants.models import Tenant
from tenants.scoping import acting_for
from tenants.secrets import SealBroken, Sealed, SealedField, key_id_of, mask, newest_key_id, open_sealed, reseal, token_of
from tests.tenants.factory import make

pytestmark = [pytest.mark.django_db, pytest.mark.database]

OLD, NEW = "the old key, long enough to be one", "the new key, long enough to be one"
CANARY = "canary-Zq81-password"


@pytest.fixture
def row(anna_org: Tenant) -> Any:
    """A row of some tenant's model that seals something; which one does not matter."""
    with acting_for(anna_org):
        row = make(apps.get_model("integrations", "Connection"))
        row.secrets = {"password": CANARY}
        row.save()
        yield row


def _again(row: Any) -> Any:
    return type(row).objects.get(pk=row.pk)


def _write_token(row: Any, token: bytes) -> None:
    database: Any = connection
    with connection.cursor() as cursor:
        pk = row._meta.pk.get_db_prep_value(row.pk, connection)
        cursor.execute(f"UPDATE {row._meta.db_table} SET secrets = %s WHERE id = %s", [database.Database.Binary(token), pk])
        assert cursor.rowcount == 1


def test_what_was_sealed_is_read_again(row: Any) -> None:
    assert open_sealed(_again(row), "secrets") == {"password": CANARY}
    assert CANARY.encode() not in token_of(_again(row).secrets)


def test_a_change_of_something_else_leaves_the_seal_as_it_is(row: Any) -> None:
    before = token_of(_again(row).secrets)
    same = _again(row)
    same.save()
    assert token_of(_again(row).secrets) == before
    row.secrets = None
    row.save()
    assert open_sealed(_again(row), "secrets") == {}


def test_a_sealed_value_moved_to_another_row_does_not_open(row: Any) -> None:
    other = make(type(row))
    _write_token(other, token_of(_again(row).secrets))
    with pytest.raises(SealBroken, match="another row"):
        open_sealed(_again(other), "secrets")


def test_a_sealed_value_of_another_tenant_does_not_open(row: Any, carla_org: Tenant) -> None:
    stolen = _again(row)
    stolen.tenant_id = carla_org.pk
    with pytest.raises(SealBroken, match="another row"):
        open_sealed(stolen, "secrets")


@pytest.mark.parametrize("place", [0, 4, 20, -1])
def test_a_changed_byte_is_noticed(row: Any, place: int) -> None:
    token = bytearray(token_of(_again(row).secrets))
    token[place] ^= 1
    _write_token(row, bytes(token))
    with pytest.raises(SealBroken):
        open_sealed(_again(row), "secrets")


@pytest.mark.parametrize("token", [b"", b"1", b"1" + b"0" * 8])
def test_a_stump_is_refused_with_a_sentence(row: Any, token: bytes) -> None:
    _write_token(row, token)
    with pytest.raises(SealBroken):
        open_sealed(_again(row), "secrets")
    _write_token(row, b"1" + newest_key_id().encode() + token)
    with pytest.raises(SealBroken):
        open_sealed(_again(row), "secrets")


def test_pickle_is_never_read_even_under_the_right_key(row: Any) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (pytest.fail, ("a pickle was loaded",))

    from tenants import secrets

    _write_token(row, secrets._keys()[0].seal(pickle.dumps(Bomb())))
    with pytest.raises(SealBroken, match="does not hold"):
        open_sealed(_again(row), "secrets")


def test_an_older_key_still_opens_and_a_removed_one_says_so(row: Any, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [OLD]
    row.secrets = {"password": CANARY}
    row.save()
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    assert open_sealed(_again(row), "secrets") == {"password": CANARY}
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(SealBroken, match="CREDENTIAL_KEYS does not hold"):
        open_sealed(_again(row), "secrets")


def test_update_filters_and_queries_inside_are_refused(row: Any) -> None:
    objects = type(row).objects
    for refused in (
        lambda: objects.update(secrets={"password": "x"}),
        lambda: objects.update(secrets=_again(row).secrets),
        lambda: objects.bulk_update([row], ["secrets"]),
        lambda: list(objects.filter(secrets={"password": CANARY})),
        lambda: list(objects.filter(secrets__password=CANARY)),
        lambda: list(objects.values("secrets__password")),
        lambda: setattr(row, "secrets", "plain text"),
    ):
        with pytest.raises(TypeError), transaction.atomic():
            refused()
    assert objects.filter(secrets__isnull=False).count() == 1
    assert type(objects.values_list("secrets", flat=True).get()) is Sealed


def test_the_content_is_never_shown_before_or_after_saving(row: Any) -> None:
    row.secrets = {"password": "canary-not-saved"}
    for each in (row, _again(row)):
        shown = [
            repr(each.secrets),
            str(each.secrets),
            f"{each.secrets}",
            repr(each.__dict__),
            repr(vars(each)),
            repr(copy.deepcopy(each.secrets)),
        ]
        assert "canary" not in "".join(shown)
        with pytest.raises(TypeError):
            pickle.dumps(each.secrets)
        with pytest.raises(TypeError):
            json.dumps(each.secrets)


def test_what_was_opened_is_masked_in_every_later_log_line(row: Any) -> None:
    plain = open_sealed(_again(row), "secrets")["password"]
    lines = io.StringIO()
    handler, root = logging.StreamHandler(lines), logging.getLogger()
    handler.setFormatter(next(each.formatter for each in root.handlers if isinstance(each.formatter, ProcessorFormatter)))
    root.addHandler(handler)
    try:
        structlog.get_logger("test").warning(
            "sending", body=f"x {plain} y", row=row, sealed=row.secrets, values=[{"deep": plain}]
        )
        logging.getLogger("somebody.elses").warning("sent %s", plain)
        try:
            raise ValueError(f"the vendor said: {plain} is wrong")
        except ValueError:
            structlog.get_logger("test").exception("failed")
            logging.getLogger("somebody.elses").exception("failed")
    finally:
        root.removeHandler(handler)
    assert lines.getvalue().count("the vendor said: [hidden] is wrong") == 2
    assert "sending" in lines.getvalue()
    assert CANARY not in lines.getvalue()


def test_a_screen_learns_only_whether_a_secret_is_set() -> None:
    assert {mask("a"), mask("a much longer secret"), mask(Sealed(token=b"x"))} == {"set"}
    assert {mask(""), mask(None)} == {"not set"}


def test_a_migration_can_be_written_for_the_field() -> None:
    field = SealedField(bind=("id",), null=True)
    _name, path, _args, kwargs = field.deconstruct()
    assert path == "tenants.secrets.SealedField"
    assert (kwargs["bind"], kwargs["null"]) == (("id",), True)
    assert field.clone().bind == ("id",)


# -- Rotation --


@pytest.fixture
def five_old_rows(anna_org: Tenant, settings: Any) -> list[Any]:
    settings.CREDENTIAL_KEYS = [OLD]
    with acting_for(anna_org):
        rows = [make(apps.get_model("integrations", "Connection")) for _ in range(5)]
        for number, row in enumerate(rows):
            row.secrets = {"password": f"canary-number-{number}"}
            row.save()
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    return rows


def _rotate() -> dict[str, Any]:
    out = io.StringIO()
    call_command("rotate_keys", "--json", "--batch", "2", stdout=out)
    done: dict[str, Any] = json.loads(out.getvalue())
    return done


def test_rotation_stopped_half_way_goes_on_where_it_stopped(
    five_old_rows: list[Any], anna_org: Tenant, settings: Any, monkeypatch: Any
) -> None:
    real, calls = reseal, []

    def dies_at_the_fourth(token: bytes) -> bytes:
        calls.append(token)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(token)

    monkeypatch.setattr(rotation, "reseal", dies_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        _rotate()
    monkeypatch.setattr(rotation, "reseal", real)
    done = _rotate()
    assert sum(column["n_moved"] for column in done["columns"]) == 3  # one batch of two was safe
    assert done["left"] == 0
    assert sum(column["n_moved"] for column in _rotate()["columns"]) == 0
    settings.CREDENTIAL_KEYS = [NEW]
    with acting_for(anna_org):
        opened = {open_sealed(_again(row), "secrets")["password"] for row in five_old_rows}
    assert opened == {f"canary-number-{number}" for number in range(5)}


def test_a_save_during_the_rotation_wins(five_old_rows: list[Any], anna_org: Tenant, monkeypatch: Any) -> None:
    real, changed = reseal, five_old_rows[0]

    def saves_meanwhile(token: bytes) -> bytes:
        if not hasattr(saves_meanwhile, "done"):
            saves_meanwhile.done = True  # type: ignore[attr-defined]
            for row in five_old_rows:
                row.secrets = {"password": "changed meanwhile"}
                row.save()
        return real(token)

    monkeypatch.setattr(rotation, "reseal", saves_meanwhile)
    assert _rotate()["left"] == 0
    with acting_for(anna_org):
        assert open_sealed(_again(changed), "secrets") == {"password": "changed meanwhile"}


def test_rotation_fails_loudly_while_something_cannot_be_moved(five_old_rows: list[Any], settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [NEW]
    with pytest.raises(CommandError, match="5 values"):
        _rotate()


def test_keys_are_told_apart_by_a_short_id(five_old_rows: list[Any], anna_org: Tenant, settings: Any) -> None:
    with acting_for(anna_org):
        assert key_id_of(token_of(_again(five_old_rows[0]).secrets)) != newest_key_id()
