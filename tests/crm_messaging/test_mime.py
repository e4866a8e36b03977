"""The message builder, against what the standard library reads back."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_messaging.channels.smtp_syntax import in_seven_bits, on_the_wire
from crm_messaging.message import EmailParts, Letter
from crm_messaging.mime import (
    BadAddress,
    Mailbox,
    Sign,
    ascii_address,
    build_email,
    header_field,
    message_id_for,
)
from crm_messaging.mime_words import BadHeader
from crm_messaging.wire_text import WireParts

SENDER = Mailbox("Lotus Fitness", "hello@lotus.example")
ASHA = Mailbox("Asha Verma", "asha@example.org")
PARTS = EmailParts("Hello", "<p>Hi</p>", "Hi\n")
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ID = message_id_for("renewal|7|2026|heads_up|email", "lotus.example")
UNSUBSCRIBE = {
    "List-Unsubscribe": "<https://lotus.example/u/abc>",
    "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
}
OURS = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"]


def built(*ordered: Any, **named: Any) -> bytes:
    return bytes(built_letter(*ordered, **named))


def built_letter(
    parts: EmailParts = PARTS,
    sender: Mailbox = SENDER,
    recipient: Mailbox = ASHA,
    headers: Mapping[str, str] | None = None,
    message_id: str = ID,
    sign: Sign | None = None,
) -> Letter:
    letter = build_email(
        WireParts.of(parts),
        sender=sender,
        recipient=recipient,
        message_id=message_id,
        date=NOON,
        fields=[header_field(name, value) for name, value in (headers or {}).items()],
        sign=sign,
    )
    # What it says of itself is what somebody finds who looks through it.
    assert on_the_wire(letter) == on_the_wire(Letter.of(bytes(letter)))
    assert letter.is_ascii is bytes(letter).isascii()
    return letter


def read(content: bytes) -> EmailMessage:
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def bodies(message: EmailMessage) -> tuple[str, str]:
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    assert text.get_content_charset() == html.get_content_charset() == "utf-8"
    octets = [part.get_payload(decode=True) for part in (text, html)]
    assert all(b"\n" not in part.replace(b"\r\n", b"") for part in octets)
    plain, markup = (part.decode().replace("\r\n", "\n") for part in octets)
    return plain, markup


def name_in(content: bytes, header: str) -> str:
    """The name beside an address, by the older reader.

    The newer one puts a space between two encoded words of a name; RFC 2047 section 6.2 wants
    none there.
    """
    unfolded = message_from_bytes(content, policy=policy.compat32)[header].replace("\r\n", "")
    return str(make_header(decode_header(parseaddr(unfolded)[0])))


def unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


anything = st.text(st.characters(codec="utf-8"), max_size=300)
# What may stand in one line: no controls, and no separators that a reader takes for line ends.
line = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1, max_size=200
)
awkward = st.sampled_from(
    [
        'Asha "the rock" Verma, PhD',
        "=?utf-8?q?not=20mine?=",
        "=?utf-8?b?4KSG4KS24KS+?= and more",
        "back\\slash",
        "آشا ورما",
        "\u202eamreV ahsA",
        "🏋️‍♀️ Asha 💪" * 9,
        "आशा वर्मा " * 12,
        "a" * 400,
        "word " * 60,
        " leading and trailing ",
        "two  spaces   three",
        "<script>, ; : @ ()",
        "=?",
        "?=",
    ]
)
names = st.one_of(line, awkward)


def assert_on_the_wire(content: bytes) -> None:
    assert content.partition(b"\r\n\r\n")[0].isascii()
    lines = content.split(b"\r\n")
    assert not any(control in each for each in lines for control in (b"\r", b"\n", b"\0"))
    assert max(map(len, lines)) <= 998


@settings(max_examples=400, deadline=None)
@given(subject=names, sender=names, recipient=names, text=anything, html=anything)
def test_a_reader_finds_what_was_written(
    subject: str, sender: str, recipient: str, text: str, html: str
) -> None:
    content = built(
        EmailParts(subject, html, text),
        Mailbox(sender, SENDER.address),
        Mailbox(recipient, ASHA.address),
        UNSUBSCRIBE,
    )
    assert_on_the_wire(content)
    message = read(content)
    eight_bit = [] if content.isascii() else ["Content-Transfer-Encoding"]
    assert message.keys() == [*OURS[:5], *UNSUBSCRIBE, *OURS[5:], *eight_bit]
    assert message["Subject"] == subject
    for header, name, address in (
        ("From", sender, SENDER.address),
        ("To", recipient, ASHA.address),
    ):
        (found,) = message[header].addresses
        assert found.addr_spec == address
        assert found.display_name.replace(" ", "") == name.replace(" ", "")
        assert name_in(content, header) == name
    assert bodies(message) == (unix(text), unix(html))
    assert message["Message-ID"] == ID
    assert message["Date"].datetime == NOON
    assert {name: message[name] for name in UNSUBSCRIBE} == UNSUBSCRIBE
    assert not message.defects


@settings(max_examples=300)
@given(st.text(st.characters(codec="utf-8"), max_size=80))
def test_no_text_adds_a_header(hostile: str) -> None:
    for parts, recipient in (
        (EmailParts(hostile, "h", "t"), ASHA),
        (PARTS, Mailbox(hostile, ASHA.address)),
    ):
        try:
            content = built(parts, recipient=recipient)
        except (BadHeader, BadAddress):
            continue
        assert read(content).keys() == OURS


INJECTIONS = [
    "Hi\r\nBcc: x@y.example",
    "Hi\nBcc: x@y.example",
    "Hi\rBcc: x@y.example",
    "Hi\0",
    "Hi\x85Bcc: x@y.example",
    "Hi\u2028Bcc: x@y.example",
    "Hi\ud800",
    "=?UTF-8?Q?=0A?=Bcc: x@y.example",
    "=?utf-8?q?Hi=0D=0ABcc:_x@y.example?=",
    "=?utf-8?b?SGkNCkJjYzogeEB5?=",
    "tail =?iso-8859-1?q?=0A?=",
]


@pytest.mark.parametrize("hostile", INJECTIONS)
def test_control_characters_are_refused_also_when_encoded(hostile: str) -> None:
    with pytest.raises(BadHeader):
        built(EmailParts(hostile, "h", "t"))
    with pytest.raises(BadAddress):
        built(recipient=Mailbox(hostile, ASHA.address))
    with pytest.raises(BadAddress):
        built(sender=Mailbox(hostile, SENDER.address))
    with pytest.raises(BadHeader):
        built(headers={"X-Note": hostile})


@pytest.mark.parametrize(
    "name", ["Bcc", "subject", "Content-Type", "X Y", "X:", "", "X-Ä", "X\r\nBcc", "1X"]
)
def test_a_header_that_is_ours_or_not_one_is_refused(name: str) -> None:
    with pytest.raises(BadHeader):
        built(headers={name: "value"})


@pytest.mark.parametrize("odd", ["=?utf-8?b?A?=", "=?unicode_escape?q?=5Cp?=", "=?rot13?q?a?="])
def test_what_looks_like_an_encoded_word_is_a_name_like_others(odd: str) -> None:
    assert read(built(recipient=Mailbox(odd, ASHA.address)))["To"].addresses[0].display_name == odd


@pytest.mark.parametrize("value", ["Клуб", "<https://lotus.example/" + "u" * 1000 + ">"])
def test_a_header_value_that_does_not_fit_is_refused(value: str) -> None:
    with pytest.raises(BadHeader):
        built(headers={"List-Help": value})


def test_reply_to_is_written_as_a_mailbox() -> None:
    message = read(built(headers={"Reply-To": "Клуб «Лотос» <desk@пример.рф>"}))
    (found,) = message["Reply-To"].addresses
    assert found.display_name == "Клуб «Лотос»"
    assert found.addr_spec == "desk@xn--e1afmkfd.xn--p1ai"


ADDRESSES = [
    ("asha@example.org", "asha@example.org"),
    ("a.b+tag@sub.example.org", "a.b+tag@sub.example.org"),
    ("asha@пример.рф", "asha@xn--e1afmkfd.xn--p1ai"),
    ("asha@faß.de", "asha@xn--fa-hia.de"),
]


@pytest.mark.parametrize(("address", "expected"), ADDRESSES)
def test_a_domain_is_written_in_idna(address: str, expected: str) -> None:
    assert ascii_address(address) == expected
    (found,) = read(built(recipient=Mailbox("", address)))["To"].addresses
    assert found.addr_spec == expected


@pytest.mark.parametrize(
    "address",
    [
        "आशा@example.org",
        "ravi",
        "ravi@",
        "@club.example",
        "a b@example.org",
        "a@b@example.org",
        "a..b@example.org",
        "asha@exa mple.org",
        "asha@example.org\r\nBcc: x@y.example",
        "asha@example.org>, <x@y.example",
        "asha@[127.0.0.1]",
        f"{'a' * 300}@example.org",
        "",
    ],
)
def test_an_address_that_cannot_be_written_is_refused(address: str) -> None:
    with pytest.raises(BadAddress) as error:
        built(recipient=Mailbox("Asha", address))
    assert not address or address not in str(error.value)


def test_the_same_message_is_the_same_bytes() -> None:
    assert built() == built()
    assert built() != built(message_id=message_id_for("another", "lotus.example"))


def test_one_moment_in_two_zones_is_one_date() -> None:
    noon = built()
    pune = NOON.astimezone(ZoneInfo("Asia/Kolkata"))
    arguments = {"sender": SENDER, "recipient": ASHA, "message_id": ID}
    assert bytes(build_email(WireParts.of(PARTS), date=pune, **arguments)) == noon
    assert b"\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n" in noon


def test_a_message_id_comes_from_its_key_alone() -> None:
    assert message_id_for("a|1", "lotus.example") == message_id_for("a|1", "lotus.example")
    assert message_id_for("a|1", "lotus.example") != message_id_for("a|2", "lotus.example")
    assert re.fullmatch(r"<[0-9a-f]{40}@xn--e1afmkfd\.xn--p1ai>", message_id_for("k", "пример.рф"))


@pytest.mark.parametrize("message_id", ["abc@d", "<a b@c>", "<a@b>\r\nBcc: x@y", "<>", ""])
def test_a_message_id_must_be_one(message_id: str) -> None:
    with pytest.raises(BadHeader):
        built(message_id=message_id)


def test_a_body_that_holds_the_boundary_is_not_cut() -> None:
    boundary = read(built()).get_boundary()
    text = f"before\n--{boundary}--\nafter\n"
    assert bodies(read(built(EmailParts("s", text, text)))) == (text, text)


EIGHT_BIT = b"Content-Transfer-Encoding: 8bit"
LONGEST = "ж" * 499  # 998 octets
BODIES = [
    ("Hi\n", "7bit", "7bit"),
    ("नमस्ते\n", "8bit", "base64"),
    (LONGEST, "8bit", "base64"),
    (LONGEST + "ж", "base64", "base64"),
    ("y" * 998 + "\n" + "z" * 998, "7bit", "7bit"),
    ("y" * 998 + "\n" + "z" * 999, "base64", "base64"),
    ("z" * 999 + "\n", "base64", "base64"),
    ("a\tb\n\n", "7bit", "7bit"),
    ("a\0b", "base64", "base64"),
    ("a\x1bb", "base64", "base64"),
    ("\n.\n..\n", "7bit", "7bit"),
    ("", "7bit", "7bit"),
]


@pytest.mark.parametrize(("text", "unsigned", "signed"), BODIES)
def test_a_body_leaves_as_it_is_where_that_is_safe(text: str, unsigned: str, signed: str) -> None:
    for sign, encoding in ((None, unsigned), (lambda *_: "X-Signed: yes", signed)):
        content = built(EmailParts("s", text, text), sign=sign)
        assert_on_the_wire(content)
        assert bodies(read(content)) == (text, text)
        for part in read(content).iter_parts():
            assert part["Content-Transfer-Encoding"] == encoding
        head = content.partition(b"\r\n\r\n")[0]
        assert (EIGHT_BIT in head) is (not content.isascii())
        assert sign is None or (content.isascii() and content.startswith(b"X-Signed: yes\r\n"))


@pytest.mark.parametrize("text", ["a.\n", ".a\n", "a\n.b\n", "a\n..", "ж\n.\n"])
def test_only_a_message_without_dots_at_line_begins_is_tidy(text: str) -> None:
    for parts in (EmailParts("s", "h", text), EmailParts("s", text, "t")):
        letter = built_letter(parts)
        assert letter.is_tidy is (b"\r\n." not in bytes(letter))
        assert_on_the_wire(bytes(letter))


@settings(max_examples=100, deadline=None)
@given(subject=names, recipient=names, text=anything, html=anything)
def test_a_server_for_seven_bits_gets_the_same(
    subject: str, recipient: str, text: str, html: str
) -> None:
    letter = built_letter(
        EmailParts(subject, html, text), recipient=Mailbox(recipient, ASHA.address)
    )
    content, downgraded = bytes(letter), bytes(in_seven_bits(letter))
    assert downgraded.isascii()
    assert_on_the_wire(downgraded)
    head = content.partition(b"\r\n\r\n")[0].removesuffix(b"\r\n" + EIGHT_BIT)
    assert downgraded.partition(b"\r\n\r\n")[0] == head
    assert bodies(read(downgraded)) == bodies(read(content))
    assert bytes(in_seven_bits(letter)) == downgraded


def test_a_long_subject_is_folded_at_its_spaces() -> None:
    subject = "Asha, your membership at Lotus Fitness runs until 11 March: renew it in two minutes"
    content = built(EmailParts(subject, "h", "t"))
    assert b"Subject: Asha, your" in content
    assert b" in two minutes\r\nDate:" in content
    assert read(content)["Subject"] == subject
