"""The providers as senders: their samples, wrapped and signed as each of them does it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from making import NOW

SAMPLES = Path(__file__).parents[1].parent / "shared" / "data" / "webhooks-esp"

TOKEN = "a-token-that-is-long-enough"
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-reports"
CERTIFICATE_URL = (
    "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
)
SUBSCRIBE_URL = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"
_serial = count(1)


@cache
def sns_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@cache
def sns_certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    made = x509.CertificateBuilder(name, name, sns_key().public_key(), 1)
    made = made.not_valid_before(NOW - timedelta(days=1)).not_valid_after(NOW + timedelta(days=99))
    return made.sign(sns_key(), hashes.SHA256()).public_bytes(Encoding.PEM)


@cache
def sendgrid_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def sendgrid_public_key() -> str:
    public = sendgrid_key().public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(der).decode()


def webhooks_block() -> str:
    """`webhooks:` of club.yaml with every provider; the secrets are in `ENVIRONMENT`."""
    return f"""
webhooks:
  ses: {{topics: ["{TOPIC}"]}}
  sendgrid: {{public_key: "{sendgrid_public_key()}"}}
  postmark:
  mailgun:
  brevo:
  unisender_go:
"""


ENVIRONMENT = {
    f"SAMPARK_WEBHOOKS__{name}": TOKEN
    for name in ("POSTMARK__TOKEN", "MAILGUN__SECRET", "BREVO__TOKEN", "UNISENDER_GO__SECRET")
}


@dataclass(frozen=True)
class Post:
    """A request as a provider sends it."""

    provider: str
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/hooks/{self.provider}"


def ses(said: Any, *, version: str = "2", **envelope: str) -> Post:
    """A message of SES in SNS's envelope."""
    number = next(_serial)
    wrapped: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": f"22b80b92-fdea-4c2c-8f9d-{number:012}",
        "TopicArn": TOPIC,
        "Message": json.dumps(said),
        "Timestamp": "2026-11-22T05:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
    } | envelope
    names = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    if wrapped["Type"] != "Notification":
        names = [*names[:2], "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    signed = "".join(f"{name}\n{wrapped[name]}\n" for name in names if name in wrapped)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()  # noqa: S303
    signature = sns_key().sign(signed.encode(), padding.PKCS1v15(), algorithm)
    wrapped.setdefault("Signature", base64.b64encode(signature).decode())
    body = json.dumps(wrapped).encode()
    return Post("ses", body, {"content-type": "text/plain; charset=UTF-8"})


def sendgrid(said: Any) -> Post:
    body = json.dumps(said).encode() + b"\r\n"
    timestamp = "1600112502"
    signature = sendgrid_key().sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
    return Post(
        "sendgrid",
        body,
        {
            "content-type": "application/json",
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(signature).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": timestamp,
        },
    )


def postmark(said: Any) -> Post:
    credentials = base64.b64encode(f"postmark:{TOKEN}".encode()).decode()
    headers = {"content-type": "application/json", "authorization": f"Basic {credentials}"}
    return Post("postmark", json.dumps(said).encode(), headers)


def mailgun(said: Any, *, at: datetime = NOW) -> Post:
    """Today's form where the sample has `event-data`, else the legacy form."""
    token = f"{next(_serial):050}"
    timestamp = str(int(at.timestamp()))
    digest = hmac.new(TOKEN.encode(), (timestamp + token).encode(), hashlib.sha256).hexdigest()
    signature = {"timestamp": timestamp, "token": token, "signature": digest}
    if "event-data" in said:
        body = json.dumps(said | {"signature": signature}).encode()
        return Post("mailgun", body, {"content-type": "application/json"})
    fields = [(name, value) for name, value in said.items()] + list(signature.items())
    body = urlencode(fields, doseq=True).encode()
    return Post("mailgun", body, {"content-type": "application/x-www-form-urlencoded"})


def brevo(said: Any) -> Post:
    headers = {"content-type": "application/json", "authorization": f"Bearer {TOKEN}"}
    return Post("brevo", json.dumps(said).encode(), headers)


def unisender_go(said: Any) -> Post:
    call = {"auth": TOKEN, **said}
    keyed = json.dumps(call, separators=(",", ":"), ensure_ascii=False).encode()
    auth = hashlib.md5(keyed, usedforsecurity=False).hexdigest()
    body = keyed.replace(TOKEN.encode(), auth.encode())
    return Post("unisender_go", body, {"content-type": "application/json"})


SENDERS: Mapping[str, Callable[[Any], Post]] = {
    "amazon_ses": ses,
    "sendgrid": sendgrid,
    "postmark": postmark,
    "mailgun": mailgun,
    "brevo": brevo,
    "unisender_go": unisender_go,
}


def sample(name: str) -> Post:
    """A sample by its path, such as ``postmark/open_event.json``, ready to be sent."""
    said = json.loads((SAMPLES / name).read_text(encoding="utf-8"))
    sender = name.partition("/")[0]
    if sender == "amazon_ses" and said.get("Type") == "Notification":
        return ses(json.loads(said["Message"]))  # it is in its envelope already
    return SENDERS[sender](said)


def all_samples() -> list[str]:
    return sorted(str(path.relative_to(SAMPLES)) for path in SAMPLES.glob("*/*.json"))
