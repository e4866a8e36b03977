"""A request that says it comes from a provider, and what may be wrong with it."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from hmac import compare_digest
from typing import Any
from urllib.parse import parse_qsl

from crm_store.errors import SamparkError
from crm_store.storable import storable

Fields = Mapping[str, Any]
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
FORM = "application/x-www-form-urlencoded"


class Forged(Exception):
    """The request does not come from whom it says, or nobody can tell."""


class Malformed(SamparkError):
    """The body is not of the form that the provider sends. Its reason quotes nothing of it."""


@dataclass(frozen=True)
class Posted:
    """A request as it came. Header names are in small letters."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def json(self) -> Any:
        """The body. Raises `Malformed`."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise Malformed("The body is no JSON.") from error

    @property
    def object(self) -> Fields:
        """The body, a JSON object. Raises `Malformed`."""
        if not isinstance(self.json, dict):
            raise Malformed("The body is no JSON object.")
        return self.json

    @property
    def objects(self) -> list[Fields]:
        """The body, one JSON object or a list of them. Raises `Malformed`."""
        listed = self.json if isinstance(self.json, list) else [self.json]
        if not all(isinstance(one, dict) for one in listed):
            raise Malformed("The body is no list of JSON objects.")
        return listed

    @cached_property
    def form(self) -> dict[str, list[str]]:
        """The body as a form (`application/x-www-form-urlencoded`): storable values by name."""
        values: dict[str, list[str]] = {}
        try:
            pairs = parse_qsl(
                self.body.decode(), keep_blank_values=True, strict_parsing=True, max_num_fields=500
            )
        except ValueError as error:
            raise Malformed("The body is no form.") from error
        for name, value in pairs:
            values.setdefault(storable(name), []).append(storable(value))
        return values

    @property
    def content_type(self) -> str:
        """Without its parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def must_parse(self) -> None:
        """Raise `Malformed` unless the body is of the form that its type says."""
        _ = self.form if self.content_type == FORM else self.json

    def digest(self) -> str:
        """What stands for the body: the same octets, the same digest."""
        return hashlib.sha256(self.body).hexdigest()

    def must_know(self, token: str) -> None:
        """Raise `Forged` unless the request carries the token.

        As `Authorization: Bearer`, or as the password of Basic (RFC 7617), which is what a URL
        with ``user:password@`` sends; the user's name is not looked at.
        """
        kind, _, credentials = self.headers.get("authorization", "").partition(" ")
        if kind.lower() == "basic":
            try:
                credentials = base64.b64decode(credentials, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError) as error:
                raise Forged from error
            credentials = credentials.partition(":")[2]
        if not compare_digest(octets(credentials), octets(token)):
            raise Forged


def octets(written: str) -> bytes:
    """UTF-8, whatever the text is: JSON can hold half a character, which has no octets."""
    return written.encode("utf-8", "replace")


def inner(value: Any, *keys: str) -> Any:
    """`value[key][key]…`, or None where a provider has left something out."""
    for key in keys:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def text(value: Any, *keys: str) -> str:
    """The same, if it is a text or a number, on one line; else an empty one.

    Control characters become spaces, and the text is `storable`.
    """
    found = inner(value, *keys)
    if not isinstance(found, str | int | float):
        return ""
    line = str(found)
    return line if line.isprintable() else storable(_CONTROLS.sub(" ", line))


def each(value: Any, *keys: str) -> Iterator[Any]:
    """The same, if it is a list: its items."""
    found = inner(value, *keys)
    yield from found if isinstance(found, list) else []


def pairs(value: Any, *keys: str) -> Iterator[tuple[str, Any]]:
    """The same, if it is an object: its keys and values."""
    found = inner(value, *keys)
    yield from found.items() if isinstance(found, Mapping) else ()
