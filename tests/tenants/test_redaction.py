"""Nothing secret leaves through a log line, whatever shape it comes in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.redaction import MASK, looks_secret, redact, remember_secret, remember_secrets

SECRET_KEYS = [
    "password", "userPassword", "user_password", "client_secret", "clientSecret", "access_token", "refreshToken", "Authorization",
    "Cookie", "Set-Cookie", "sessionid", "sessionId", "session_id", "X-Api-Key", "apikey", "CREDENTIAL_KEYS", "signature",
]  # fmt: skip
PLAIN_KEYS = [
    "credentials_set_at",
    "token_expires_at",
    "has_password",
    "footprint",
    "name",
    "vendor",
    "run_id",
    "flow",
    "token_count",
    "authorization_url",
    "passed",
    "n_records",
    "author",
    "monkey",
]
secrets = st.text("abcdefghijkmnopqrstuvwxyzABCDEFGH0123456789", min_size=12, max_size=60).map(lambda text: f"Q7{text}")
nesting = st.recursive(
    st.just("here"),
    lambda inner: st.lists(inner, min_size=1, max_size=3) | st.dictionaries(st.text(max_size=5), inner, min_size=1, max_size=3),
)


def _fill(shape: Any, value: Any) -> Any:
    if isinstance(shape, list):
        return [_fill(part, value) for part in shape]
    if isinstance(shape, dict):
        return {key: _fill(part, value) for key, part in shape.items()}
    return value


@pytest.mark.parametrize("key", SECRET_KEYS)
def test_what_is_named_like_a_secret_is_masked(key: str) -> None:
    assert looks_secret(key)
    assert redact("anything", key=key) == MASK
    assert redact({key: {"deep": "anything"}}) == {key: MASK}
    assert redact([(key, "anything")]) == [[key, MASK]]


@pytest.mark.parametrize("key", PLAIN_KEYS)
def test_what_is_not_named_like_a_secret_stays_readable(key: str) -> None:
    assert redact("anything", key=key) == "anything"


@given(shape=nesting, secret=secrets, key=st.sampled_from(SECRET_KEYS))
def test_a_secret_is_masked_however_deep_it_lies(shape: Any, secret: str, key: str) -> None:
    assert secret not in repr(redact(_fill(shape, {key: secret})))


@given(secret=secrets, around=st.text(max_size=20))
@pytest.mark.parametrize(
    "form",
    [
        "<password>{}</password>", "<sessionid>{}</sessionid>", '<ns:Password type="x">{}</ns:Password>', "<password>{}",
        "Bearer {}", "Authorization: Basic {}", "https://user:{}@host.example/path", "postgres://{}@db/x",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{}", "password={}&x=1", '{{"client_secret": "{}"}}', "access_token: {}",
        "https://x.example/callback?refresh_token={}",
    ],
)  # fmt: skip
def test_what_looks_like_a_secret_is_masked_inside_a_text(form: str, secret: str, around: str) -> None:
    assert secret not in redact(f"{around} {form.format(secret)}")
    assert secret not in repr(redact({"body": form.format(secret).encode()}))


@given(
    secret=st.text(min_size=6, max_size=40).filter(lambda text: text.strip() and text not in MASK), before=st.text(max_size=20)
)
def test_a_remembered_secret_is_masked_wherever_it_turns_up(secret: str, before: str) -> None:
    remember_secret(secret)
    assert secret not in redact(f"{before}{secret}")


def test_a_secret_inside_another_one_leaves_no_half_behind() -> None:
    remember_secret("shorter-canary")
    remember_secret("shorter-canary-and-longer")
    assert redact("x shorter-canary-and-longer y") == f"x {MASK} y"


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates() | st.uuids() | st.decimals(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=10,
)


@given(value=values, key=st.text(max_size=10))
def test_redaction_never_fails(value: Any, key: str) -> None:
    redact(value, key=key)


def test_an_object_that_cannot_describe_itself_does_not_lose_the_line() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError("no")

    assert "ValueError" in redact(Broken())


@pytest.mark.parametrize(
    "sentence", ["The token expired yesterday.", "Basic accounting", "Bearer of bad news", "a.b.c", "v1.2.3"]
)
def test_sentences_stay_readable(sentence: str) -> None:
    assert redact(sentence) == sentence


def test_names_beside_a_secret_are_not_remembered_as_secrets() -> None:
    remember_secrets(
        {
            "company_id": "Harbor-Services-1",
            "user_name": "gateway-user-1",
            "session_id": "canary-session",
            "pin": ["canary-pin-1"],
        }
    )
    assert redact("Harbor-Services-1 gateway-user-1") == "Harbor-Services-1 gateway-user-1"
    assert redact("canary-session canary-pin-1") == f"{MASK} {MASK}"


@pytest.mark.parametrize("part", ["-a", "a.", "<password>", "a://", "Basic a", "a" * 11 + ".", "token="])
def test_a_long_hostile_text_is_read_once(part: str) -> None:
    """Quadratic matching would take minutes for this; the test run's own limit is the bound."""
    redact(part * 100_000)


def test_a_value_that_contains_itself_ends() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = loop
    assert MASK in repr(redact(loop))
