"""Who sends a lead: each sender proves itself in its own way, over the raw body."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from pydantic import SecretStr

from crm_messaging.webhooks.posted import Forged, Posted, text
from crm_store.errors import EnvironmentUnready
from flows.leads.settings import FormSettings

FRESH = timedelta(minutes=5)
"""A signed moment older than this is somebody's recording."""


@dataclass(frozen=True)
class Sent:
    """A request, with all that a signature may cover."""

    posted: Posted
    url: str
    """As the sender has it: our public address, path and query."""
    key: str
    """The parameter `key` of the URL; senders that sign nothing prove themselves by it."""
    now: datetime


Verify: TypeAlias = Callable[[Sent, str], None]
"""Given the request and the form's secret. Raises `Forged`."""


def _same(given: str, expected: str) -> None:
    if not hmac.compare_digest(given.encode(), expected.encode()):
        raise Forged


def _mac(secret: str, octets: bytes) -> bytes:
    return hmac.digest(secret.encode(), octets, hashlib.sha256)


def by_key(sent: Sent, secret: str) -> None:
    """The secret stands in the URL's `key`, or in `Authorization` (Bearer or Basic)."""
    if sent.key:
        _same(sent.key, secret)
    else:
        sent.posted.must_know(secret)


def typeform(sent: Sent, secret: str) -> None:
    """`Typeform-Signature: sha256=` and the base64 of HMAC-SHA256 over the body."""
    given = sent.posted.headers.get("typeform-signature", "")
    expected = base64.b64encode(_mac(secret, sent.posted.body)).decode()
    _same(given, f"sha256={expected}")


def google_ads(sent: Sent, secret: str) -> None:
    """The key that was written beside the form stands in the body."""
    _same(text(sent.posted.object, "google_key"), secret)


def meta(sent: Sent, secret: str) -> None:
    """`X-Hub-Signature-256: sha256=` and the hexadecimal HMAC-SHA256 over the body."""
    given = sent.posted.headers.get("x-hub-signature-256", "")
    _same(given, f"sha256={_mac(secret, sent.posted.body).hex()}")


def hubspot(sent: Sent, secret: str) -> None:
    """Version 3 covers method, address, body and moment; version 2 knows no moment.

    A request that carries the third version is judged by it alone.
    """
    headers, body = sent.posted.headers, sent.posted.body
    if third := headers.get("x-hubspot-signature-v3"):
        stamp = headers.get("x-hubspot-request-timestamp", "")
        if not stamp.isdecimal() or len(stamp) > 15:
            raise Forged
        age = sent.now.timestamp() - int(stamp) / 1000
        if abs(age) > FRESH.total_seconds():
            raise Forged
        signed = b"".join((b"POST", sent.url.encode(), body, stamp.encode()))
        _same(third, base64.b64encode(_mac(secret, signed)).decode())
    else:
        signed = b"".join((secret.encode(), b"POST", sent.url.encode(), body))
        _same(headers.get("x-hubspot-signature", ""), hashlib.sha256(signed).hexdigest())


def _anybody(_sent: Sent, _secret: str) -> None:
    """A page of ours: whoever fills it in is welcome."""


PROOFS: dict[str, Verify] = {
    "hosted": _anybody,
    "typeform": typeform,
    "google_forms": by_key,
    "tilda": by_key,
    "google_ads": google_ads,
    "meta": meta,
    "json": by_key,
    "hubspot": hubspot,
    "pipedrive": by_key,
}
"""By the `kind` of a form in club.yaml."""


def secret_of(name: str, form: FormSettings) -> str:
    """The form's secret. Raises `EnvironmentUnready` where it needs one and has none."""
    if form.kind == "hosted":
        return ""
    return _told(form.secret, name, "SECRET")


def _told(secret: SecretStr | None, name: str, what: str) -> str:
    if secret is None or not secret.get_secret_value():
        variable = f"SAMPARK_FORMS__{name.upper().replace('-', '_')}__{what}"
        raise EnvironmentUnready(
            f"The form {name} has no secret: anybody could send leads.",
            f"Set {variable} in .env, or take the form out of club.yaml.",
        )
    return secret.get_secret_value()
