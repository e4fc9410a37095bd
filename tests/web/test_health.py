"""What load balancers and people ask."""

import uuid
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from integrations.models import Due

pytestmark = pytest.mark.database


def test_a_process_that_answers_is_alive(client: Client) -> None:
    assert client.get("/health/live").json() == {"alive": True}


def test_ready_is_said_with_the_applications_own_role(client: Client, db: None) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()) == (200, {"ready": True, "complaints": []})


def test_a_flow_that_waits_too_long_says_that_the_workers_are_missing(client: Client, db: None) -> None:
    Due.objects.create(flow_id=uuid.uuid4(), tenant_id=uuid.uuid4(), due_at=timezone.now() - timedelta(minutes=11))
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["complaints"] == ["A flow has been due for 11 minutes: are the workers running?"]


def test_health_takes_no_orders(client: Client, db: None) -> None:
    assert client.post("/health/ready").status_code == 405


def test_an_unknown_address_is_answered_with_a_sentence(client: Client, db: None) -> None:
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "There is nothing at this address." in answer.content.decode()
