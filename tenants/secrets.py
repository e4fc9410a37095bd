"""The encrypted field. What it seals is JSON, never pickle, and says inside which row it belongs to.

django_cryptography does the encryption (AES-CBC, then HMAC-SHA256 over it); this file adds several keys, the binding to a row,
and that the content is only ever read by ``open_sealed``. Stored: ``b"1" + key id (8 hex digits) + token``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NoReturn

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django_cryptography.core.signing import BadSignature, FernetSigner
from django_cryptography.fields import EncryptedMixin
from django_cryptography.utils.crypto import FernetBytes, InvalidToken

from tenants.redaction import remember_secrets

_FORMAT = b"1"
_ID_LENGTH = 8


class SealBroken(RuntimeError):
    """A sealed value that cannot be opened, or that was sealed for another row."""


class Sealed:
    """Something secret, opaque on purpose: no repr, no comparison, no pickling shows what is inside. Read it with open_sealed."""

    __slots__ = ("_plain", "_token")

    def __init__(self, *, token: bytes | None = None, plain: Mapping[str, Any] | None = None) -> None:
        self._token = token
        self._plain = plain

    def __repr__(self) -> str:
        return "<Sealed>"

    def __copy__(self) -> Sealed:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Sealed:
        return self

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("A sealed value is not pickled: read it where it is needed, with open_sealed.")


class _ForThisRow(bytes):
    """Ciphertext that the field itself made or read for the row being saved: the only thing it writes."""


class _Key:
    def __init__(self, text: str) -> None:
        material = HKDF(algorithm=SHA256(), length=68, salt=None, info=b"tenants.secrets").derive(text.encode())
        self.id = material[64:].hex().encode()
        self._box = FernetBytes(material[:32], FernetSigner(material[32:64]))

    def seal(self, plain: bytes) -> bytes:
        return _FORMAT + self.id + self._box.encrypt(plain)

    def open(self, token: bytes) -> bytes:
        try:
            return self._box.decrypt(token[1 + _ID_LENGTH :])
        except (BadSignature, InvalidToken, ValueError) as error:
            raise SealBroken("The sealed value was damaged or changed.") from error


@lru_cache(maxsize=32)
def _key(text: str) -> _Key:
    return _Key(text)


def _keys() -> list[_Key]:
    """Newest first. Read at each use, so that a changed setting counts at once."""
    if not settings.CREDENTIAL_KEYS:
        raise SealBroken("CREDENTIAL_KEYS is empty: there is no key to seal or open credentials with.")
    return [_key(text) for text in settings.CREDENTIAL_KEYS]


def newest_key_id() -> str:
    return _keys()[0].id.decode()


def key_id_of(token: bytes) -> str:
    """The id of the key that sealed this, readable without opening it."""
    return token[1 : 1 + _ID_LENGTH].decode("ascii", "replace")


def _open_token(token: bytes) -> bytes:
    if token[:1] != _FORMAT:
        raise SealBroken("The sealed value has an unknown format.")
    for key in _keys():
        if key.id == token[1 : 1 + _ID_LENGTH]:
            return key.open(token)
    raise SealBroken(f"The value was sealed with key {key_id_of(token)}, which CREDENTIAL_KEYS does not hold any more.")


def token_of(sealed: Sealed) -> bytes:
    """The ciphertext as it is stored; for rotate_keys."""
    return sealed._token or b""


def reseal(token: bytes) -> bytes:
    """The same content under the newest key; for rotate_keys."""
    return _keys()[0].seal(_open_token(token))


class _SealedAttribute(DeferredAttribute):
    """Wraps a plain mapping the moment it is assigned, so that no repr of the instance can show it."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        if isinstance(value, Mapping):
            value = Sealed(plain=dict(value))
        elif not (value is None or isinstance(value, Sealed)):
            raise TypeError(f"{self.field.name} takes a mapping of texts, not {type(value).__name__}.")
        instance.__dict__[self.field.attname] = value


class SealedField(EncryptedMixin, models.BinaryField):  # type: ignore[type-arg]
    """Sealed JSON. ``bind`` names the attributes of the row that are sealed inside and must match when it is opened.

    Assign a mapping and save. ``QuerySet.update``, ``bulk_update`` and filters refuse it, since they do not know the row.
    """

    base_class = models.BinaryField
    wasinstance = True
    descriptor_class = _SealedAttribute

    def __init__(self, *args: Any, bind: tuple[str, ...] = ("tenant_id", "id"), **kwargs: Any) -> None:
        self.bind = tuple(bind)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = models.BinaryField.deconstruct(self)
        return name, path, args, {**kwargs, "bind": self.bind}

    def clone(self) -> SealedField:
        _name, _path, args, kwargs = self.deconstruct()
        return type(self)(*args, **kwargs)

    def get_default(self) -> Any:
        """Unset is None and not, as for other binary fields, no bytes."""
        return super().get_default() or None

    def get_lookup(self, lookup_name: str) -> Any:
        if lookup_name != "isnull":
            raise TypeError(f"{self.name} is sealed: it can be asked for with {self.name}__isnull only, not compared.")
        return super().get_lookup(lookup_name)

    def get_transform(self, lookup_name: str) -> NoReturn:
        raise TypeError(f"{self.name} is sealed: nothing inside it can be queried.")

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value: Sealed | None = getattr(model_instance, self.attname)
        if value is None:
            return None
        if value._token is None:
            value = Sealed(token=_keys()[0].seal(self._pack(model_instance, value._plain or {})))
            setattr(model_instance, self.attname, value)
        return _ForThisRow(value._token or b"")

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        if value is not None and not isinstance(value, _ForThisRow):
            raise TypeError(
                f"{self.name} is sealed for one row: assign it to the instance and call save(); update() cannot seal."
            )
        return None if value is None else connection.Database.Binary(bytes(value))

    def from_db_value(self, value: Any, *_args: Any, **_kwargs: Any) -> Sealed | None:
        return None if value is None else Sealed(token=bytes(value))

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> NoReturn:
        raise TypeError(f"{self.name} is sealed and is not written to fixtures.")

    def open(self, instance: models.Model) -> dict[str, Any]:
        value: Sealed | None = getattr(instance, self.attname)
        if value is None:
            return {}
        if value._token is None:
            return dict(value._plain or {})
        return self._unpack(instance, _open_token(value._token))

    def _bound(self, instance: models.Model) -> dict[str, str]:
        bound = {name: getattr(instance, name) for name in self.bind}
        if missing := [name for name, value in bound.items() if value is None]:
            raise ValueError(f"{self.name} cannot be sealed before {', '.join(missing)} is known.")
        return {name: str(value) for name, value in bound.items()}

    def _pack(self, instance: models.Model, plain: Mapping[str, Any]) -> bytes:
        return json.dumps({"for": self._bound(instance), "field": self.name, "plain": plain}, allow_nan=False).encode()

    def _unpack(self, instance: models.Model, packed: bytes) -> dict[str, Any]:
        try:
            content = json.loads(packed)
            bound, field, plain = content["for"], content["field"], content["plain"]
        except (ValueError, KeyError, TypeError) as error:
            raise SealBroken("The sealed value does not hold what this version writes.") from error
        if bound != self._bound(instance) or field != self.name or not isinstance(plain, dict):
            raise SealBroken("The sealed value was made for another row; it was not opened.")
        return plain


def open_sealed(instance: models.Model, name: str) -> dict[str, Any]:
    """The only reader: the content of a SealedField, when it was sealed for this very row; empty when nothing is set.

    Raises SealBroken with a sentence otherwise. What was read is masked in every log line of this process from then on.
    """
    field = instance._meta.get_field(name)
    if not isinstance(field, SealedField):
        raise TypeError(f"{name} is not a sealed field.")
    plain = field.open(instance)
    remember_secrets(plain)
    return plain


def mask(secret: object) -> str:
    """What a screen may say about a secret: neither its length nor a character of it."""
    return "set" if secret else "not set"
