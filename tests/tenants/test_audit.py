"""The trail: whole, unforgeable, and without anybody's name in it."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections, transaction

from tenants.audit import SYSTEM, Actor, Verdict, log_heads, record, verify
from tenants.models import AuditEvent, Tenant, User
from tenants.scoping import WrongTenant, acting_for
from tests.conftest import OwnerSession

Lift = Callable[[], AbstractContextManager[OwnerSession]]
pytestmark = pytest.mark.database


def _write(tenant: Tenant, n: int) -> None:
    with acting_for(tenant):
        for number in range(n):
            record("flow.paused", by=SYSTEM, subject=("flow", str(number)), because="The board is gone.", details={"n": number})


def _tamper(lifted_guard: Lift, tenant: Tenant, sql: str) -> None:
    with lifted_guard() as owner:
        owner.look_as(tenant.pk)
        assert owner.execute(sql) == 1


@pytest.mark.django_db
def test_events_of_a_tenant_form_one_chain_and_the_platforms_another(anna_org: Tenant, anna: User) -> None:
    _write(anna_org, 2)
    with acting_for(anna_org):
        record("member.invited", by=Actor(kind="user", id=str(anna.pk)), subject=anna)
        assert list(AuditEvent.objects.values_list("number", flat=True)) == [1, 2, 3]
        assert AuditEvent.objects.get(number=3).subject_type == "tenants.user"
    record("sign_in.failed", by=SYSTEM)
    assert AuditEvent.objects.get().action == "sign_in.failed"
    assert verify(anna_org, batch=2) == Verdict(chain=anna_org.pk, ok=True, count=3, head=verify(anna_org).head)
    assert verify(None).count == 1


@pytest.mark.django_db
def test_an_event_can_be_written_for_a_tenant_from_outside_but_not_from_another_one(anna_org: Tenant, carla_org: Tenant) -> None:
    record("organisation.created", by=SYSTEM, tenant=anna_org)
    assert verify(anna_org).count == 1
    with acting_for(carla_org):
        with pytest.raises(WrongTenant):
            record("organisation.created", by=SYSTEM, tenant=anna_org)
        with pytest.raises(WrongTenant):
            verify(None)
        assert AuditEvent.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_refuses_to_change_or_delete_an_event(anna_org: Tenant, verb: str) -> None:
    _write(anna_org, 1)
    with acting_for(anna_org):
        with pytest.raises(DatabaseError), transaction.atomic():
            AuditEvent.objects.update(action="nothing.happened") if verb == "update" else AuditEvent.objects.all().delete()
        event = AuditEvent.objects.get()
        assert event.action == "flow.paused"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no owner and no TRUNCATE")
@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_its_owner_too(anna_org: Tenant) -> None:
    import psycopg

    from tests.conftest import owner_session

    _write(anna_org, 1)
    for sql in ("UPDATE tenants_auditevent SET action = 'x'", "DELETE FROM tenants_auditevent", "TRUNCATE tenants_auditevent"):
        with pytest.raises(psycopg.DatabaseError, match="only be added to"), owner_session() as owner:
            owner.look_as(anna_org.pk)
            owner.execute(sql)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("change", "wrong_at", "why"),
    [
        ("UPDATE tenants_auditevent SET because = 'It was somebody else.' WHERE number = 2", 2, "was altered"),
        ("UPDATE tenants_auditevent SET actor_id = 'other' WHERE number = 3", 3, "was altered"),
        ("DELETE FROM tenants_auditevent WHERE number = 2", 2, "is missing"),
        ("DELETE FROM tenants_auditevent WHERE number = 1", 1, "is missing"),
        ("UPDATE tenants_auditevent SET seal = '00' WHERE number = 3", 3, "seal"),
        ("UPDATE tenants_auditevent SET previous = '00' WHERE number = 3", 3, "does not follow"),
    ],
)
def test_what_was_changed_behind_our_back_is_found(
    lifted_guard: Lift, anna_org: Tenant, change: str, wrong_at: int, why: str
) -> None:
    _write(anna_org, 4)
    _tamper(lifted_guard, anna_org, change)
    verdict = verify(anna_org)
    assert (verdict.ok, verdict.wrong_at) == (False, wrong_at)
    assert why in verdict.why


@pytest.mark.django_db(transaction=True)
def test_a_cut_end_shows_against_a_head_that_was_noted(lifted_guard: Lift, anna_org: Tenant) -> None:
    _write(anna_org, 3)
    noted = verify(anna_org)
    _tamper(lifted_guard, anna_org, "DELETE FROM tenants_auditevent WHERE number = 3")
    assert verify(anna_org).ok
    verdict = verify(anna_org, expected_head=(noted.count, noted.head))
    assert not verdict.ok
    assert "cut off" in verdict.why
    _write(anna_org, 2)
    assert "written anew" in verify(anna_org, expected_head=(noted.count, noted.head)).why


@pytest.mark.django_db
def test_a_trail_sealed_with_another_key_is_refused(anna_org: Tenant, settings: Any) -> None:
    _write(anna_org, 1)
    settings.AUDIT_KEY = "another key that is long enough to be one"
    assert "AUDIT_KEY" in verify(anna_org).why


@pytest.mark.django_db(transaction=True)
def test_four_writers_at_once_do_not_fork_the_chain(anna_org: Tenant) -> None:
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            start.wait(timeout=10)
            for _ in range(10):
                with transaction.atomic():
                    _write(anna_org, 1)
        except BaseException as error:
            failures.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    verdict = verify(anna_org)
    assert (verdict.ok, verdict.count) == (True, 40)


@pytest.mark.django_db
def test_an_event_of_work_that_was_undone_is_undone_with_it(anna_org: Tenant) -> None:
    _write(anna_org, 1)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        _write(anna_org, 1)
        1 / 0  # noqa: B018
    _write(anna_org, 1)
    assert (verify(anna_org).ok, verify(anna_org).count) == (True, 2)


@pytest.mark.django_db
def test_neither_secrets_nor_personal_data_enter_the_trail(anna_org: Tenant, anna: User) -> None:
    with acting_for(anna_org):
        record(
            "member.invited",
            by=Actor(kind="user", id=str(anna.pk)),
            subject=anna,
            because="anna@harbor.example asked for it with token=abcdefgh12345",
            details={"password": "hunter2-canary", "email": anna.email, "who": [f"Write to {anna.email}"], "ip": "192.0.2.7"},
        )
        event = AuditEvent.objects.get()
    text = json.dumps([event.because, event.details, event.subject_id, event.actor_id])
    for secret in ("hunter2", "anna@", "abcdefgh", "192.0.2.7"):
        assert secret not in text


@pytest.mark.django_db
@pytest.mark.parametrize("value", [1e16, 0.1, float("nan"), 10**30, "\x00\ud800 ü", {"deep": [1.5, None, True]}, {1: 2}])
def test_any_value_comes_back_as_it_was_hashed(anna_org: Tenant, value: Any) -> None:
    record("odd.value", by=SYSTEM, details={"value": value}, tenant=anna_org)
    assert verify(anna_org).ok


@pytest.mark.django_db
def test_the_command_says_which_trails_are_whole(anna_org: Tenant, settings: Any) -> None:
    _write(anna_org, 2)
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    assert "harbor: 2 events, unbroken" in out.getvalue()
    out = io.StringIO()
    call_command("verify_audit", "harbor", "--json", stdout=out)
    assert json.loads(out.getvalue())[0]["ok"] is True
    with pytest.raises(CommandError, match="broken"):
        call_command("verify_audit", "harbor", "--head", "9:" + "0" * 64, stdout=io.StringIO())
    with pytest.raises(CommandError, match="no organisation"):
        call_command("verify_audit", "nobody")
    settings.AUDIT_KEY = "another key that is long enough to be one"
    with pytest.raises(CommandError, match="1 of 2"):
        call_command("verify_audit", stdout=io.StringIO())


@pytest.mark.django_db
def test_the_days_heads_are_logged(anna_org: Tenant, caplog: pytest.LogCaptureFixture) -> None:
    _write(anna_org, 3)
    with caplog.at_level("INFO"):
        assert log_heads() == 1
    assert verify(anna_org).head in caplog.text
