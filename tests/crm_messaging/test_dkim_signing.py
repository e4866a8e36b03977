"""Signatures, as dkimpy verifies them."""

from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from crm_messaging.channels.dkim_settings import DkimSettings
from crm_messaging.dkim_signing import DkimSigner
from crm_messaging.message import EmailParts
from crm_messaging.mime import Mailbox, build_email, header_field, message_id_for
from crm_messaging.wire_text import WireParts
from crm_store.errors import SamparkError

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HEADERS = {
    "Reply-To": "Клуб «Лотос» <desk@lotus.example>",
    "List-Unsubscribe": "<https://lotus.example/u/" + "a1b2" * 20 + ">",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
ED25519_KEY = ed25519.Ed25519PrivateKey.generate()
KEYS = {"rsa": RSA_KEY, "ed25519": ED25519_KEY}


def record_of(kind: str) -> bytes:
    """What stands in the DNS: RFC 6376 section 3.6.1, RFC 8463 section 4."""
    if kind == "rsa":
        form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        public = RSA_KEY.public_key().public_bytes(*form)
    else:
        public = ED25519_KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return b"v=DKIM1; k=" + kind.encode() + b"; p=" + b64encode(public)


def verified(content: bytes, kind: str) -> bool:
    def in_the_dns(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"club._domainkey.lotus.example."
        return record_of(kind)

    return bool(dkim.verify(content, dnsfunc=in_the_dns))


def signed(kind: str, parts: EmailParts, name: str = "Asha Verma") -> bytes:
    letter = build_email(
        WireParts.of(parts),
        sender=Mailbox("Клуб Лотос", "hello@lotus.example"),
        recipient=Mailbox(name, "asha@example.org"),
        message_id=message_id_for("renewal|7", "lotus.example"),
        date=NOON,
        fields=[header_field(name, value) for name, value in HEADERS.items()],
        sign=DkimSigner("lotus.example", "club", KEYS[kind]),
    )
    return bytes(letter)


PARTS = EmailParts("Ваш абонемент  заканчивается " * 5, "<p>नमस्ते</p>\n", "Hi,\n \n\ta  b \n\n\n")


@pytest.mark.parametrize("kind", KEYS)
def test_a_receiver_verifies_it(kind: str) -> None:
    content = signed(kind, PARTS)
    assert content.isascii()
    assert content.startswith(b"DKIM-Signature: v=1;")
    assert verified(content, kind)
    assert signed(kind, PARTS) == content


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1)


@pytest.mark.parametrize("kind", KEYS)
def test_whatever_the_message_says(kind: str) -> None:
    @settings(max_examples=60, deadline=None)
    @given(
        subject=words, name=words, text=st.text(max_size=80), html=st.text(" \t\n.a", max_size=9)
    )
    def check(subject: str, name: str, text: str, html: str) -> None:
        assert verified(signed(kind, EmailParts(subject, html, text), name), kind)

    check()


CHANGES = [
    (b"\r\nFrom: ", b"\r\nFrom: x@y.example\r\nFrom: "),
    (b"\r\nSubject: ", b"\r\nSubject: another\r\nSubject: "),
    (b"<asha@example.org>", b"<ravi@example.org>"),
    (b"Sun, 22 Nov", b"Mon, 23 Nov"),
    (b"Message-ID: <", b"Message-ID: <x"),
    (b"Reply-To: ", b"Reply-To: x"),
    (b"<https://lotus.example/u", b"<https://lotus.example/v"),
    (b"One-Click", b"Two-Clicks"),
    (b"boundary=", b"x=y; boundary="),
    (b"MIME-Version: 1.0", b"MIME-Version: 1.1"),
    (b"Hi,", b"Ho,"),
]


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_no_change_goes_unnoticed(old: bytes, new: bytes) -> None:
    content = signed("ed25519", PARTS)
    assert old in content
    assert verified(content, "ed25519")
    assert not verified(content.replace(old, new, 1), "ed25519")


def test_what_servers_may_do_on_the_way_breaks_nothing() -> None:
    content = signed("rsa", PARTS)
    relayed = b"Received: from a by b; Sun, 22 Nov 2026 12:00:01 +0000\r\n" + content
    relayed = relayed.replace(b"MIME-Version: 1.0", b"mime-version:   1.0 ")
    assert verified(relayed.replace(b"\ta  b \r\n", b" a b\r\n") + b"\r\n\r\n", "rsa")


def settings_for(key_file: Path) -> DkimSettings:
    return DkimSettings(domain="lotus.example", selector="club", key_file=key_file)


@pytest.mark.parametrize("kind", KEYS)
def test_the_key_comes_from_a_file_beside_the_settings(kind: str, tmp_path: Path) -> None:
    pem = KEYS[kind].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "dkim.pem").write_bytes(pem)
    signer = DkimSigner.of(settings_for(Path("dkim.pem")), tmp_path)
    expected = DkimSigner("lotus.example", "club", KEYS[kind])
    fields = ["From: a@b.example", "Subject: x"]
    assert signer(fields, b"x\r\n", NOON) == expected(fields, b"x\r\n", NOON)


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, password: bytes = b"") -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


BAD_KEYS = [
    (None, "cannot be read: No such file"),
    (b"", "holds no private key"),
    (b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n", "holds no private key"),
    (pem_of(RSA_KEY, b"secret"), "without a password"),
    (pem_of(ec.generate_private_key(ec.SECP256R1())), "DKIM cannot use"),
]


@pytest.mark.parametrize(("content", "reason"), BAD_KEYS)
def test_a_key_that_cannot_be_used(content: bytes | None, reason: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "dkim.pem").write_bytes(content)
    with pytest.raises(SamparkError, match=reason) as error:
        DkimSigner.of(settings_for(Path("dkim.pem")), tmp_path)
    assert "channels.email.dkim: the key file dkim.pem" in error.value.reason
    assert "openssl genrsa" in error.value.instruction
    assert "c2VjcmV0" not in str(error.value)


@pytest.mark.parametrize("name", ["", "a b", "lotus.example; s=x", "клуб.рф", "lotus.example\n"])
def test_a_domain_and_a_selector_are_names(name: str, tmp_path: Path) -> None:
    for changed in ({"domain": name}, {"selector": name}):
        good = {"domain": "lotus.example", "selector": "club", "key_file": tmp_path}
        with pytest.raises(ValidationError):
            DkimSettings.model_validate(good | changed)
