"""The rehearsal's catchers, over real SMTP and HTTP, into a real folder."""

import asyncio
import json
import mailbox
import os
from email import message_from_bytes
from pathlib import Path

import httpx
import pytest
from smtp_script import until

from crm_messaging.channels.smtp import SmtpChannel
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.message import Letter, Outcome, OutgoingEmail
from crm_messaging.rehearsal.caught import CaughtMail
from crm_messaging.rehearsal.reading import CaughtEmail, CaughtSms
from crm_messaging.rehearsal.running import catchers, running_catchers
from crm_store.errors import EnvironmentUnready

HINDI = (
    "From: Lotus <hello@lotus.example>\r\nTo: Asha <asha@mail.example>\r\n"
    "Subject: =?utf-8?b?4KSo4KSu4KS44KWN4KSk4KWH?=\r\nContent-Language: hi\r\n"
    'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="b"\r\n\r\n'
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    ".आपकी सदस्यता\r\n.\r\nसमाप्त हो रही है\r\n"
    "--b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "<p>आपकी सदस्यता</p>\r\n--b--\r\n"
).encode()


def an_email(number: int = 1, content: bytes = HINDI) -> OutgoingEmail:
    recipient = f"member{number}@mail.example"
    letter = Letter.of(content)
    return OutgoingEmail(number, f"<{number}@x>", "bounce@lotus.example", recipient, letter)


async def yes(touchpoint_id: int) -> bool:
    return True


def channel_into(port: int, sessions: int = 4) -> SmtpChannel:
    return SmtpChannel(SmtpSettings(host="127.0.0.1", port=port, tls="none", sessions=sessions))


async def test_an_email_is_caught_byte_for_byte(tmp_path: Path) -> None:
    async with catchers(tmp_path) as ports:
        channel = channel_into(ports.mail)
        receipt = await channel.hand_over(an_email(), yes)
        await channel.close()
    assert receipt is not None
    assert receipt.outcome is Outcome.ACCEPTED
    caught = CaughtMail(tmp_path)
    (entry,) = caught.newest()
    assert entry.key in receipt.detail
    assert (entry.channel, entry.recipient, entry.subject, entry.language) == (
        "email", "member1@mail.example", "नमस्ते", "hi")  # fmt: skip
    assert entry.preview.startswith(".आपकी सदस्यता . समाप्त")
    assert (caught.raw(entry.key) or b"").endswith(HINDI)
    message = caught.get(entry.key)
    assert isinstance(message, CaughtEmail)
    assert message.sender == "bounce@lotus.example"
    assert message.html.strip() == "<p>आपकी सदस्यता</p>"


async def test_any_mail_program_can_open_the_folder(tmp_path: Path) -> None:
    caught = CaughtMail(tmp_path)
    key = caught.catch_email("a@x.example", "b@y.example", HINDI)
    box = mailbox.Maildir(tmp_path / "mail", create=False)
    ((name, message),) = box.items()
    assert message["Delivered-To"] == "b@y.example"
    # What a mail program does with a message it has shown:
    message.set_subdir("cur")
    message.add_flag("S")
    box[name] = message
    assert [entry.key for entry in caught.newest()] == [key]
    assert caught.get(key) is not None


async def test_many_sessions_at_once_lose_nothing(tmp_path: Path) -> None:
    async with catchers(tmp_path) as ports:
        channel = channel_into(ports.mail, sessions=20)
        receipts = await asyncio.gather(
            *(channel.hand_over(an_email(n), yes) for n in range(1, 301))
        )
        await channel.close()
    assert {r.outcome for r in receipts if r} == {Outcome.ACCEPTED}
    caught = CaughtMail(tmp_path)
    assert caught.count() == 300
    recipients = {entry.recipient for entry in caught.newest(limit=1000)}
    assert recipients == {f"member{n}@mail.example" for n in range(1, 301)}


async def test_a_text_message_is_caught_as_twilio_would_take_it(tmp_path: Path) -> None:
    async with catchers(tmp_path) as ports, httpx.AsyncClient(trust_env=False) as client:
        url = f"{ports.sms_url}/2010-04-01/Accounts/AC1/Messages.json"
        form = {"From": "LOTUS", "To": "+919876543210", "Body": "नमस्ते <b>"}
        answer = await client.post(url, data=form, auth=("AC1", "secret"))
        refused = await client.post(url, data={"From": "LOTUS", "Body": "x"}, auth=("AC1", "x"))
    assert answer.status_code == 201
    assert (refused.status_code, refused.json()["code"]) == (400, 21604)
    caught = CaughtMail(tmp_path)
    (entry,) = caught.newest()
    assert (entry.channel, entry.recipient, entry.language) == ("sms", "+919876543210", "hi")
    assert caught.get(entry.key) == CaughtSms(
        "LOTUS", "+919876543210", "नमस्ते <b>", answer.json()["sid"]
    )
    assert json.loads(caught.raw(entry.key) or b"")["body"] == "नमस्ते <b>"


def test_the_newest_comes_first_in_pages_and_by_words(tmp_path: Path) -> None:
    caught = CaughtMail(tmp_path)
    for number in range(1, 6):
        caught.catch_email("a@x.example", f"m{number}@y.example", HINDI)
        caught.catch_sms(CaughtSms("L", f"+9190000000{number}", f"Offer {number} ends", "SM1"))
    reopened = CaughtMail(tmp_path)
    reopened.catch_sms(CaughtSms("L", "+919000000099", "the last", "SM2"))

    def listed(**query: object) -> list[str]:
        return [entry.recipient for entry in reopened.newest(**query)]  # type: ignore[arg-type]

    assert listed(limit=3) == ["+919000000099", "+91900000005", "m5@y.example"]
    assert listed(offset=9) == ["+91900000001", "m1@y.example"]
    assert listed(channel="email", limit=2) == ["m5@y.example", "m4@y.example"]
    assert listed(words="ENDS offer 3") == ["+91900000003"]
    assert reopened.count() == 11
    assert reopened.count(channel="sms", words="offer") == 5
    assert reopened.clear() == 11
    assert (reopened.count(), listed()) == (0, [])


@pytest.mark.parametrize(
    "key", ["", "..", "../../etc/passwd", "000000001-000000000000", "*", "0" * 22]
)
def test_a_key_that_is_none_finds_nothing(tmp_path: Path, key: str) -> None:
    caught = CaughtMail(tmp_path)
    caught.catch_email("a@x.example", "b@y.example", HINDI)
    assert (caught.get(key), caught.raw(key), caught.summary(key)) == (None, None, None)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00 no header at all",
        b"Subject: =?no-such-charset?b?4KSo?= =?utf-8?q?=FF?=\r\nTo: <<<>>\r\n\r\nx",
        b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe",
        b"Content-Type: text/plain; charset=unicode_escape\r\n\r\n\\p\\ud800",
        b"Subject: =?unicode_escape?q?=5Cp?= =?rot13?q?a?=\r\n\r\nx",
        b"Subject: =?utf-8?b?A?=\r\n\r\nx",
        b'Content-Type: multipart/mixed; boundary="\r\nSubject: \xe0\xa4\xa8\r\n\r\n--',
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!not base64",
        b"Content-Type: text/html; charset=utf-8\r\n\r\n<table><tr><td",
    ],
)
def test_whatever_was_caught_can_be_listed_and_opened(tmp_path: Path, content: bytes) -> None:
    caught = CaughtMail(tmp_path)
    key = caught.catch_email("a@x.example", "b@y.example", content)
    assert [entry.recipient for entry in caught.newest(words="b@y")] == ["b@y.example"]
    assert isinstance(caught.get(key), CaughtEmail)


async def test_a_full_disk_defers_and_rejects_nothing(tmp_path: Path) -> None:
    async with catchers(tmp_path) as ports:
        (tmp_path / "mail" / "tmp").rmdir()  # stands in for a disk that takes nothing more
        channel = channel_into(ports.mail)
        receipt = await channel.hand_over(an_email(), yes)
        await channel.close()
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"{ports.sms_url}/2010-04-01/Accounts/AC1/Messages.json"
            answer = await client.post(url, data={"From": "L", "To": "+1", "Body": "x"})
    assert receipt is not None
    assert receipt.outcome is Outcome.DEFERRED
    assert "cannot be written" in receipt.detail
    assert answer.status_code == 503


async def test_a_second_process_finds_the_catchers_of_its_own_folder(tmp_path: Path) -> None:
    ours, other = tmp_path / "ours", tmp_path / "other"
    assert await running_catchers(ours) is None
    async with catchers(ours) as ports:
        assert await running_catchers(ours) == ports
        other.mkdir()
        (other / "ports.json").write_text((ours / "ports.json").read_text())
        assert await running_catchers(other) is None  # somebody else's catchers
        note = (ours / "ports.json").read_text()
    assert await running_catchers(ours) is None
    (ours / "ports.json").write_text(note)  # left behind by a kill
    assert await running_catchers(ours) is None


async def test_a_port_in_use_is_said_in_words(tmp_path: Path) -> None:
    async with catchers(tmp_path / "a") as ports:
        with pytest.raises(EnvironmentUnready, match=f"Port {ports.mail} .* in use.* `catchers:"):
            async with catchers(tmp_path / "b", mail_port=ports.mail):
                pass
    async with catchers(tmp_path / "a", mail_port=ports.mail, sms_port=ports.sms) as again:
        assert again == ports


async def test_stopping_closes_the_connections(tmp_path: Path) -> None:
    async with catchers(tmp_path) as ports:
        reader, writer = await asyncio.open_connection("127.0.0.1", ports.mail)
        await reader.readline()
    assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()
    await until(lambda: len(asyncio.all_tasks()) == 1)


def test_a_header_in_the_trace_lines_cannot_be_forged(tmp_path: Path) -> None:
    caught = CaughtMail(tmp_path)
    key = caught.catch_email("", "b@y.example", b"Delivered-To: forged@x.example\r\n\r\nhello")
    message = caught.get(key)
    assert isinstance(message, CaughtEmail)
    assert message.recipient == "b@y.example"
    assert message_from_bytes(caught.raw(key) or b"").get_payload() == "hello"
    assert os.listdir(tmp_path / "mail" / "tmp") == []  # noqa: PTH208
