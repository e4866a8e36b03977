"""DKIM signatures: RFC 6376 with RSA, RFC 8463 with Ed25519; relaxed/relaxed, over the whole body.

The private key is read once. Both kinds of signature are the same each time they are made of the
same message.
"""

from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from crm_messaging.channels.dkim_settings import DkimSettings
from crm_messaging.mime_words import structured
from crm_store.errors import SamparkError

SIGNED = (
    *("from", "subject", "to", "date", "message-id", "mime-version", "content-type"),
    *("reply-to", "list-unsubscribe", "list-unsubscribe-post", "list-id"),
)
"""Fields that are signed where a message has them."""
ONCE_MORE = ("from", "subject")
"""Fields named once more than there are: one that is added later breaks the signature (RFC 6376
section 8.15)."""
MIN_RSA_BITS = 1024
"""RFC 8301 section 3.2, its "must"; 2048 is its "should"."""

_WORD = 70
_HOW_TO_MAKE_ONE = "Make one: openssl genrsa -out dkim.pem 2048"


class DkimSigner:
    """Signs for one domain with one key. It is a `crm_messaging.mime.Sign`."""

    def __init__(self, domain: str, selector: str, key: RSAPrivateKey | Ed25519PrivateKey) -> None:
        self._domain = domain
        self._selector = selector
        self._key = key
        self._algorithm = "rsa-sha256" if isinstance(key, RSAPrivateKey) else "ed25519-sha256"

    @classmethod
    def of(cls, settings: DkimSettings, folder: Path) -> "DkimSigner":
        """As `channels.email.dkim` says; `key_file` counts from `folder`. Raises `SamparkError`."""
        path = folder / settings.key_file
        return cls(settings.domain, settings.selector, _read_key(path, str(settings.key_file)))

    def __call__(self, fields: Sequence[str], body: bytes, date: datetime) -> str:
        """The field `DKIM-Signature`. The same arguments give the same field."""
        relaxed = dict(_relaxed_field(field) for field in fields)
        names = [name for name in SIGNED if name in relaxed]
        body_hash = b64encode(sha256(_relaxed_body(body)).digest()).decode()
        unsigned = (
            f"v=1; a={self._algorithm}; c=relaxed/relaxed; d={self._domain}; s={self._selector};"
            f" t={int(date.timestamp())}; h={': '.join((*names, *ONCE_MORE))}; bh={body_hash}; b="
        )
        lines = [f"{name}:{relaxed[name]}" for name in names]
        lines.append(f"dkim-signature:{unsigned}")
        signature = b64encode(self._sign("\r\n".join(lines).encode("ascii"))).decode()
        words = [signature[at : at + _WORD] for at in range(0, len(signature), _WORD)]
        return structured("DKIM-Signature", unsigned + " ".join(words))

    def _sign(self, octets: bytes) -> bytes:
        if isinstance(self._key, RSAPrivateKey):
            return self._key.sign(octets, PKCS1v15(), SHA256())
        # RFC 8463 section 3: what Ed25519 signs is the hash.
        return self._key.sign(sha256(octets).digest())


def _relaxed_field(field: str) -> tuple[str, str]:
    """RFC 6376 section 3.4.2, of a field that holds no other white space than its own."""
    name, _, value = field.partition(":")
    return name.lower(), " ".join(value.split())


def _relaxed_body(body: bytes) -> bytes:
    """RFC 6376 section 3.4.4."""
    body = body.replace(b"\t", b" ")
    while b"  " in body:
        body = body.replace(b"  ", b" ")
    return body.replace(b" \r\n", b"\r\n").rstrip(b"\r\n") + b"\r\n"


def _read_key(path: Path, name: str) -> RSAPrivateKey | Ed25519PrivateKey:
    place = f"channels.email.dkim: the key file {name}"
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise SamparkError(f"{place} cannot be read: {error.strerror}.", _HOW_TO_MAKE_ONE) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # What they say may quote the key.
        reason = f"{place} holds no private key in PEM without a password."
        raise SamparkError(reason, _HOW_TO_MAKE_ONE) from None
    if isinstance(key, RSAPrivateKey) and key.key_size >= MIN_RSA_BITS:
        return key
    if isinstance(key, Ed25519PrivateKey):
        return key
    reason = f"{place} holds a key that DKIM cannot use: it takes RSA of 2048 bits, or Ed25519."
    raise SamparkError(reason, _HOW_TO_MAKE_ONE)
