"""From a claimed touchpoint to its message."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from template_folder import ASHA, CATALOGUE, library

from crm_messaging.channels.settings import EmailSettings
from crm_messaging.compose import NAME_FIELDS, Composer, Sender
from crm_messaging.message import OutgoingEmail
from crm_store.sending import TopicRule
from crm_store.touchpoints import Claimed

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CLAIMED = Claimed(
    *(7, 3, 1, 42, "2027", "heads_up", "", "email", None),
    expires_at=NOON,
    queued_at=NOON,
    attempts=0,
    message_id="<7@lotus.example>",
)
SETTINGS: dict[str, Any] = {
    "from": "Клуб Лотос <hello@lotus.example>",
    "reply_to": "desk@lotus.example",
    "smtp": {"host": "mail.lotus.example"},
}


def composed(folder: Path, sender: Sender, **values: Any) -> OutgoingEmail:
    files = {"en/email/a/b.md": "---\nsubject: Hello\n---\nHi {{ customer.first_name }} · ok"}
    compiled = library(folder, files).load_email("a/b", "en")
    changed = {name.replace("__", "."): value for name, value in values.items()}
    row = {name: (ASHA | changed)[name] for name in compiled.fields.union(NAME_FIELDS)}
    composer = Composer(
        compiled, "en", row, catalogue=CATALOGUE, sender=sender, rule=TopicRule("renewals")
    )
    message = composer.compose(CLAIMED, row, "asha@example.org")
    assert isinstance(message, OutgoingEmail)
    return message


def test_the_same_touchpoint_makes_the_same_bytes(tmp_path: Path) -> None:
    sender = Sender.of(EmailSettings.model_validate(SETTINGS))
    first, again = (composed(tmp_path, sender) for _ in range(2))
    assert first == again
    read = message_from_bytes(bytes(first.letter), policy=policy.default)
    assert (first.sender, first.recipient) == ("hello@lotus.example", "asha@example.org")
    assert read["Message-ID"] == first.message_id
    assert read["To"].addresses[0].display_name == "Asha Verma"
    assert read["Reply-To"] == "desk@lotus.example"
    assert "Hi Asha · ok" in read.get_body(("plain",)).get_content()


def test_a_club_with_a_key_signs_and_then_writes_seven_bits(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "dkim.pem").write_bytes(pem)
    dkim = {"domain": "lotus.example", "selector": "club", "key_file": "dkim.pem"}
    sender = Sender.of(EmailSettings.model_validate({**SETTINGS, "dkim": dkim}), tmp_path)
    first, again = (composed(tmp_path, sender) for _ in range(2))
    assert first == again
    assert bytes(first.letter).isascii()
    assert bytes(first.letter).startswith(b"DKIM-Signature: v=1; a=ed25519-sha256;")
    unsigned = composed(tmp_path, Sender.of(EmailSettings.model_validate(SETTINGS)))
    assert not bytes(unsigned.letter).isascii()


def test_a_name_that_is_not_there_is_left_out(tmp_path: Path) -> None:
    sender = Sender.of(EmailSettings.model_validate(SETTINGS))
    made = composed(tmp_path, sender, customer__last_name=None)
    assert b"\r\nTo: Asha <asha@example.org>\r\n" in bytes(made.letter)
