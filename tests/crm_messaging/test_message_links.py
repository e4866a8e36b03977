"""What leads back from a message: links, list header fields (RFC 2369, 8058, 2919), return path."""

import re
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape
from pathlib import Path
from typing import cast

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from making import KEYS
from template_folder import ASHA, CATALOGUE, library

from crm_messaging.channels.settings import EmailSettings
from crm_messaging.compose import NAME_FIELDS, Composer, Sender
from crm_messaging.form import links_in
from crm_messaging.links import Holder, Links, Purpose
from crm_messaging.message import OutgoingEmail, OutgoingSms
from crm_messaging.message_fields import LINK_FIELDS, with_message_fields
from crm_messaging.message_links import MessageLinks, PrintedLinks
from crm_messaging.template_problems import TemplateUnusable
from crm_store.columns import LARGEST_ID
from crm_store.sending import TopicRule
from crm_store.touchpoints import Claimed

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CLAIMED = Claimed(
    *(812, 3, 1, 42, "2027", "heads_up", "", "email", None),
    expires_at=NOON,
    queued_at=NOON,
    attempts=0,
    message_id="<7@lotus.example>",
)
FIELDS = with_message_fields(CATALOGUE)
LINKS = MessageLinks(
    Links(KEYS),
    "https://go.lotus.example",
    "bounce@mail.lotus.example",
    {"renewals": "Клуб Лотос: Продление", "news": "Lotus: News"},
)
HOLDER = Holder(812, LINKS.links.address_hash("email", "asha@example.org"))
MARKETING, TRANSACTIONAL = TopicRule("renewals"), TopicRule("renewals", transactional=True)
SETTINGS = {"from": "Lotus <hello@lotus.example>", "smtp": {"host": "mail.lotus.example"}}
BODY = (
    "---\nsubject: Hello\n---\nHi {{ customer.first_name }}.\n\n"
    "{% if message.unsubscribe_url %}[Out]({{ message.unsubscribe_url }}){% endif %}\n\n"
    "[Choose]({{ message.preferences_url }}) · [Yes]({{ message.confirm_url }})\n"
)


def composed(
    folder: Path,
    rule: TopicRule = MARKETING,
    links: MessageLinks = LINKS,
    sender: Sender | None = None,
) -> tuple[OutgoingEmail, EmailMessage]:
    compiled = library(folder, {"en/email/a/b.md": BODY}).load_email("a/b", "en")
    row = {name: ASHA[name] for name in (compiled.fields.union(NAME_FIELDS)) & ASHA.keys()}
    composer = Composer(
        compiled,
        "en",
        row,
        catalogue=FIELDS,
        sender=sender or Sender.of(EmailSettings.model_validate(SETTINGS)),
        rule=rule,
        links=links,
    )
    message = composer.compose(CLAIMED, row, "asha@example.org")
    assert isinstance(message, OutgoingEmail)
    read = message_from_bytes(bytes(message.letter), policy=policy.default)
    return message, cast(EmailMessage, read)


def test_a_marketing_mail_tells_how_to_leave_the_list(tmp_path: Path) -> None:
    _, read = composed(tmp_path)
    found = re.fullmatch(
        r"<https://go\.lotus\.example/u/([\w-]{34})>, "
        r"<mailto:bounce\+([0-9a-f]{26})@mail\.lotus\.example\?subject=unsubscribe>",
        read["List-Unsubscribe"],
    )
    assert found is not None
    assert LINKS.links.read(Purpose.UNSUBSCRIBE, found[1], NOON) == HOLDER
    assert LINKS.links.read_leave(found[2]) == 812
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert read["List-Id"] == "Клуб Лотос: Продление <renewals.lotus.example>"


def test_each_link_in_the_body_is_for_its_purpose(tmp_path: Path) -> None:
    _, read = composed(tmp_path)
    for kind in ("plain", "html"):
        part = read.get_body((kind,))
        assert part is not None
        text = part.get_content()
        assert "asha@example.org" not in text
        for path, purpose in (
            ("u", Purpose.UNSUBSCRIBE),
            ("p", Purpose.PREFERENCES),
            ("ok", Purpose.CONFIRM),
        ):
            [token] = re.findall(rf"https://go\.lotus\.example/{path}/([\w-]+)", text)
            assert LINKS.links.read(purpose, token, NOON) == HOLDER


def test_a_bounce_comes_back_to_an_address_that_names_the_message(tmp_path: Path) -> None:
    message, read = composed(tmp_path)
    local, _, domain = message.sender.partition("@")
    assert (local.partition("+")[0], domain) == ("bounce", "mail.lotus.example")
    assert LINKS.links.read_return(local.partition("+")[2].upper()) == 812
    assert len(local) <= 64  # RFC 5321 section 4.5.3.1.1
    assert read["From"].addresses[0].addr_spec == "hello@lotus.example"


def test_without_a_mailbox_for_bounces_there_is_the_page_alone(tmp_path: Path) -> None:
    message, read = composed(tmp_path, links=replace(LINKS, return_path=None))
    assert message.sender == "hello@lotus.example"
    assert "mailto:" not in read["List-Unsubscribe"]


def test_a_transactional_mail_is_no_list(tmp_path: Path) -> None:
    message, read = composed(tmp_path, TRANSACTIONAL)
    assert not [name for name, _ in read.items() if name.lower().startswith("list-")]
    assert b"/u/" not in bytes(message.letter)
    assert b"https://go.lotus.example/p/" in bytes(message.letter)
    assert message.sender.startswith("bounce+")


BASES = [
    *(("https://go.lotus.example", True), ("http://[::1]:4280", True), ("http://a.b/c~d%20", True)),
    *(("https://a.example/x&y", False), ("https://a.example/'x'", False), ("http://a/=_x", False)),
    *(('https://a.example/"><b>', False), ("https://клуб.example", False), (".a", False)),
    *(("_a", False), ("http://a/`", False), ("http://a b", False), ("http://a\n.b", False)),
]


@pytest.mark.parametrize(("base", "is_tame"), BASES)
def test_links_are_written_so_that_they_are_read_as_they_are(
    tmp_path: Path, base: str, is_tame: bool
) -> None:
    links = replace(LINKS, base_url=base)
    _, read = composed(tmp_path, TRANSACTIONAL, links)
    for kind in ("plain", "html"):
        part = read.get_body((kind,))
        assert part is not None
        text = part.get_content().replace("\r\n", "\n")
        assert kind == "plain" or not re.search("[\"'&<]", base) or base not in text
        said = re.escape(base) + r"/(?:p|ok)/[\w-]{34}(?![\w-])"
        assert len(re.findall(said, unescape(text) if kind == "html" else text)) == 2


@pytest.mark.parametrize(("base", "is_tame"), BASES)
@given(st.integers(0, LARGEST_ID), st.integers(0, LARGEST_ID), st.booleans())
def test_what_is_known_of_our_links_is_what_a_look_at_them_tells(
    base: str, is_tame: bool, touchpoint: int, link: int, marketing: bool
) -> None:
    links = replace(LINKS, base_url=base)
    holder = links.holder(touchpoint, "email", "asha@example.org")
    unsubscribe = links.url(Purpose.UNSUBSCRIBE, holder, NOON) if marketing else None
    printed = PrintedLinks.of(LINK_FIELDS, [link, 0])
    values = links.values(printed, holder, NOON, unsubscribe)
    known = links.tame_in(values)
    assert known == links_in({"message": values})
    assert len(known) == (4 + marketing if is_tame else 0)


def test_the_signature_covers_the_ways_out(tmp_path: Path) -> None:
    """RFC 8058 section 4: both fields, or a mail provider does not offer one click."""
    key = generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "dkim.pem").write_bytes(pem)
    settings = {
        **SETTINGS,
        "dkim": {"domain": "lotus.example", "selector": "club", "key_file": "dkim.pem"},
    }
    sender = Sender.of(EmailSettings.model_validate(settings), tmp_path)
    message, read = composed(tmp_path, sender=sender)
    signed = re.search(r"h=([^;]+);", read["DKIM-Signature"].replace("\r\n", ""))
    assert signed is not None
    names = [name.strip() for name in signed[1].split(":")]
    assert {"list-unsubscribe", "list-unsubscribe-post", "list-id"} <= set(names)
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    record = b"v=DKIM1; k=rsa; p=" + b64encode(public)
    assert dkim.verify(bytes(message.letter), dnsfunc=lambda *_args, **_more: record)
    forged = bytes(message.letter).replace(b"/u/", b"/x/", 1)
    assert not dkim.verify(forged, dnsfunc=lambda *_args, **_more: record)


def test_a_text_message_has_the_links_too(tmp_path: Path) -> None:
    text = "{{ customer.first_name }}, out: {{ message.unsubscribe_url }}"
    compiled = library(tmp_path, {"en/sms/a/b.txt": text}).load_sms("a/b", "en")
    row = {name: ASHA[name] for name in NAME_FIELDS}
    composer = Composer(
        compiled, "en", row, catalogue=FIELDS, sender=None, rule=MARKETING, links=LINKS
    )
    claimed = CLAIMED._replace(channel="sms")
    message = composer.compose(claimed, row, "+919876543210")
    assert isinstance(message, OutgoingSms)
    token = message.body.rpartition("/")[2]
    found = LINKS.links.read(Purpose.UNSUBSCRIBE, token, NOON)
    assert found == LINKS.holder(812, "sms", "+919876543210")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{{ unsubscribe_url }}", "Did you mean message.unsubscribe_url"),
        ("{{ message.unsubscribe }}", "message.unsubscribe_url"),
        ("[x]({{ message.unsubscribe_url }}{{ customer.ref }})", "part of a link's host"),
        ("[x]({{ customer.ref or message.confirm_url }})", "cannot begin with a value"),
    ],
)
def test_what_a_template_may_say_of_links(tmp_path: Path, written: str, told: str) -> None:
    files = {"en/email/a/b.md": f"---\nsubject: Hello\n---\n{written}\n"}
    with pytest.raises(TemplateUnusable, match=re.escape(told)):
        library(tmp_path, files).load_email("a/b", "en")


def test_labels_are_in_the_readers_language(tmp_path: Path) -> None:
    layout = (
        "<mjml><mj-body><mj-section><mj-column><mj-text>{{ content }}"
        '<p><a href="{{ message.unsubscribe_url }}">{{ unsubscribe_label }}</a></p>'
        "</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    for language, label in (("en", "Unsubscribe"), ("ru", "Отписаться"), ("de", "Unsubscribe")):
        files = {
            "layouts/club.mjml": layout,
            f"{language}/email/a/b.md": "---\nsubject: Hello\n---\nHi.\n",
        }
        made = library(tmp_path / language, files).load_email("a/b", language)
        assert f"{label} ({{{{ message.unsubscribe_url }}}})" in made.text.source
        assert f">{label}</a>" in made.html.source
