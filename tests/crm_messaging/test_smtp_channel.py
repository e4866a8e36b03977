"""The SMTP channel against a server that misbehaves at every point, and against a good one."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smtp_hand_over import (
    ACCEPTED,
    ASHA,
    DEFERRED,
    IN_DOUBT,
    NO_PIPELINING,
    REJECTED,
    no,
    settings,
    yes,
)
from smtp_script import CLOSE, GARBAGE, HANG, scripted, until

from crm_messaging.channels.smtp import SmtpChannel
from crm_messaging.channels.smtp_syntax import on_the_wire
from crm_messaging.message import Letter, Outcome

# fault: what the server says or does at a point     outcome     connected  the detail has
FAULTS = [
    ({}, ACCEPTED, True, "250 2.0.0 queued"),
    ({"greeting": "421 too busy\r\n"}, DEFERRED, False, "421 too busy"),
    ({"greeting": "554 not you\r\n"}, DEFERRED, False, "554 not you"),
    ({"greeting": CLOSE}, DEFERRED, False, "no session"),
    ({"greeting": HANG}, DEFERRED, False, "no session"),
    ({"greeting": GARBAGE}, DEFERRED, False, "refused the session"),
    ({"EHLO": "502 what is EHLO\r\n"}, DEFERRED, False, "502"),
    ({"EHLO": CLOSE}, DEFERRED, False, "no session"),
    ({"MAIL": "451 later\r\n"}, DEFERRED, True, "451 later"),
    ({"MAIL": "421 closing\r\n" + CLOSE}, DEFERRED, True, "421 closing"),
    ({"MAIL": "550 bad sender\r\n"}, REJECTED, True, "550 bad sender"),
    ({"MAIL": "550 bad sender\r\n" + CLOSE}, REJECTED, True, "550 bad sender"),
    ({"MAIL": "530 5.7.0 log in first\r\n"}, DEFERRED, False, "530 5.7.0 log in first"),
    ({"MAIL": CLOSE}, DEFERRED, True, "closed the connection"),
    ({"MAIL": HANG}, DEFERRED, True, "no reply within 0.3 seconds"),
    ({"MAIL": GARBAGE}, DEFERRED, True, "not an SMTP reply"),
    ({"RCPT": "450 greylisted\r\n"}, DEFERRED, True, "450 greylisted"),
    ({"RCPT": "550 5.1.1 <asha.rao@mail.example>: no asha.rao here\r\n"}, REJECTED, True,
     "550 5.1.1 <address>: no <address> here"),
    ({"RCPT": "550 no\r\n", "DATA": "503 no recipients\r\n"}, REJECTED, True, "550 no"),
    ({"RCPT": CLOSE}, DEFERRED, True, "closed the connection"),
    ({"RCPT": HANG}, DEFERRED, True, "no reply"),
    ({"RCPT": GARBAGE}, DEFERRED, True, "not an SMTP reply"),
    ({"DATA": "451 no space\r\n"}, DEFERRED, True, "451 no space"),
    ({"DATA": "554 no\r\n"}, REJECTED, True, "554 no"),
    ({"DATA": "250 what body?\r\n"}, DEFERRED, True, "250 what body?"),
    ({"DATA": CLOSE}, DEFERRED, True, "closed the connection"),
    ({"DATA": HANG}, DEFERRED, True, "no reply"),
    ({"DATA": GARBAGE}, DEFERRED, True, "not an SMTP reply"),
    ({"DATA": "354 go on\r\n421 or not\r\n"}, DEFERRED, True, "421 or not"),
    ({"DATA": "354 go on\r\n" + CLOSE}, DEFERRED, True, "closed the connection"),
    ({"dot": "451 not now\r\n"}, DEFERRED, True, "451 not now"),
    ({"dot": "421 going down\r\n" + CLOSE}, DEFERRED, True, "421 going down"),
    ({"dot": "552 too big\r\n"}, REJECTED, True, "552 too big"),
    ({"dot": CLOSE}, IN_DOUBT, True, "closed the connection"),
    ({"dot": HANG}, IN_DOUBT, True, "no reply within 0.3 seconds"),
    ({"dot": GARBAGE}, IN_DOUBT, True, "not an SMTP reply"),
    ({"dot": "250-half a reply\r\n" + CLOSE}, IN_DOUBT, True, "closed the connection"),
    ({"dot": "354 more please\r\n"}, IN_DOUBT, True, "354 more please"),
    ({"dot": "999 no such code\r\n"}, IN_DOUBT, True, "not an SMTP reply"),
]  # fmt: skip


@pytest.mark.parametrize("extensions", [{}, NO_PIPELINING], ids=["pipelining", "one by one"])
@pytest.mark.parametrize(("fault", "outcome", "connected", "detail"), FAULTS)
async def test_every_mishap_has_its_outcome(
    fault: dict[str, str],
    outcome: Outcome,
    connected: bool,
    detail: str,
    extensions: dict[str, str],
) -> None:
    async with scripted(extensions | fault) as server:
        channel = SmtpChannel(settings(server.port))

        async def slow_yes(touchpoint_id: int) -> bool:
            await asyncio.sleep(0.02)  # a commit takes time, in which a server may hang up
            return True

        receipt = await channel.hand_over(ASHA, slow_yes)
        await channel.close()

        assert receipt is not None
        assert (receipt.outcome, receipt.connected) == (outcome, connected)
        assert detail in receipt.detail
        assert "asha" not in receipt.detail
        assert receipt.touchpoint_id == 7
        await until(lambda: server.open_connections == 0)


async def test_no_server_at_all_does_not_count_against_the_message(unused_tcp_port: int) -> None:
    channel = SmtpChannel(settings(unused_tcp_port))
    receipt = await channel.hand_over(ASHA, yes)
    assert receipt is not None
    assert (receipt.outcome, receipt.connected) == (DEFERRED, False)
    await channel.close()


@pytest.mark.parametrize("host", ["smtp..example", f"{'a' * 64}.example", "no such.example"])
async def test_a_name_that_is_none_is_no_connection(host: str) -> None:
    channel = SmtpChannel(settings(25, host=host))
    receipt = await channel.hand_over(ASHA, yes)
    assert receipt is not None
    assert (receipt.outcome, receipt.connected) == (DEFERRED, False)
    assert "no session" in receipt.detail
    await channel.close()


@pytest.mark.parametrize("extensions", [{}, NO_PIPELINING], ids=["pipelining", "one by one"])
async def test_nothing_is_delivered_when_it_may_not_be_sent(extensions: dict[str, str]) -> None:
    async with scripted(extensions) as server:
        channel = SmtpChannel(settings(server.port))
        assert await channel.hand_over(ASHA, no) is None
        await until(lambda: server.open_connections == 0)  # nothing else ends DATA undelivered
        receipt = await channel.hand_over(ASHA._replace(touchpoint_id=8), yes)
        assert receipt is not None
        assert receipt.outcome is ACCEPTED
        await channel.close()
        assert len(server.taken) == 1


async def test_sending_is_committed_before_the_body_leaves() -> None:
    async with scripted() as server:
        channel = SmtpChannel(settings(server.port))
        seen: list[tuple[bool, int]] = []

        async def look(touchpoint_id: int) -> bool:
            await asyncio.sleep(0.02)
            seen.append(("DATA" in server.commands, len(server.taken)))
            return True

        await channel.hand_over(ASHA, look)
        await channel.close()
        assert seen == [(True, 0)]


async def test_a_failing_ledger_leaves_nothing_behind() -> None:
    async with scripted() as server:
        channel = SmtpChannel(settings(server.port, sessions=1))

        async def broken(touchpoint_id: int) -> bool:
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            await channel.hand_over(ASHA, broken)
        assert (await channel.hand_over(ASHA, yes)) is not None
        await channel.close()
        assert len(server.taken) == 1


async def test_a_cancelled_hand_over_frees_its_place() -> None:
    async with scripted() as server:
        channel = SmtpChannel(settings(server.port, sessions=1))
        stuck = asyncio.Event()

        async def wait_for_ever(touchpoint_id: int) -> bool:
            stuck.set()
            await asyncio.sleep(60)
            return True

        first = asyncio.create_task(channel.hand_over(ASHA, wait_for_ever))
        await stuck.wait()
        second = asyncio.create_task(channel.hand_over(ASHA, yes))
        third = asyncio.create_task(channel.hand_over(ASHA, yes))
        await asyncio.sleep(0.01)
        second.cancel()
        first.cancel()
        receipt = await third
        assert receipt is not None
        assert receipt.outcome is ACCEPTED
        await channel.close()
        assert len(server.taken) == 1


async def test_a_cancelled_guest_leaves_its_host_alone() -> None:
    """The guest's envelope has left with the host's body; the host's reply is still to come."""
    async with scripted() as server:
        channel = SmtpChannel(settings(server.port, sessions=1, final_reply_timeout=5))
        server.before_dot_reply = asyncio.Event()
        host = asyncio.create_task(channel.hand_over(ASHA, yes))
        guest = asyncio.create_task(channel.hand_over(ASHA._replace(touchpoint_id=8), yes))
        await until(lambda: len(server.taken) == 1)
        guest.cancel()
        await asyncio.sleep(0.01)
        server.before_dot_reply.set()
        receipt = await host
        assert receipt is not None
        assert receipt.outcome is ACCEPTED
        await until(lambda: server.open_connections == 0)
        assert (await channel.hand_over(ASHA, yes)) is not None
        await channel.close()
        assert len(server.taken) == 2


async def test_a_guest_does_not_cut_short_the_wait_of_its_host() -> None:
    """10 minutes for the reply to the dot, though a command waits only 5 (RFC 5321 §4.5.3.2)."""
    async with scripted() as server:
        times = {"reply_timeout": 0.1, "final_reply_timeout": 5}
        channel = SmtpChannel(settings(server.port, sessions=1, **times))
        server.before_dot_reply = asyncio.Event()
        both = asyncio.gather(channel.hand_over(ASHA, yes), channel.hand_over(ASHA, yes))
        await asyncio.sleep(0.3)
        server.before_dot_reply.set()
        assert [r.outcome for r in await both if r] == [ACCEPTED, ACCEPTED]
        await channel.close()
        assert server.connections == 1


async def test_every_reply_has_its_own_time() -> None:
    """MAIL, RCPT and DATA leave together; the server does its work one after the other."""
    async with scripted() as server:
        server.seconds_before_each_reply = 0.15
        channel = SmtpChannel(settings(server.port, sessions=1))
        both = asyncio.gather(channel.hand_over(ASHA, yes), channel.hand_over(ASHA, yes))
        assert [r.outcome for r in await both if r] == [ACCEPTED, ACCEPTED]
        await channel.close()
        assert server.connections == 1


async def test_a_reply_that_trickles_in_is_late_all_the_same() -> None:
    async with scripted({"MAIL": "250-and\r\n", "RCPT": "250-and\r\n"}) as server:
        server.seconds_before_each_reply = 0.2
        channel = SmtpChannel(settings(server.port))
        receipt = await channel.hand_over(ASHA, yes)
        await channel.close()
        assert receipt is not None
        assert receipt.outcome is DEFERRED
        assert "no reply within 0.3 seconds" in receipt.detail


async def test_dots_are_doubled_on_the_wire() -> None:
    async with scripted() as server:
        channel = SmtpChannel(settings(server.port))
        await channel.hand_over(ASHA, yes)
        await channel.close()
        assert server.taken == [b"Subject: Hello\r\n\r\n..A dot, and two:\r\n...\r\nBye\r\n"]


@given(st.text(alphabet="a.\r\n", max_size=40))
def test_a_message_ends_where_it_ends_and_nowhere_else(text: str) -> None:
    wire = on_the_wire(Letter.of(text.encode()))
    *lines, end, after = wire.split(b"\r\n")
    assert (end, after) == (b".", b"")
    assert all(line != b"." for line in lines)
    assert b"\n" not in wire.replace(b"\r\n", b"")
    assert b"\r" not in wire.replace(b"\r\n", b"")
    plain = b"\r\n".join(
        line.removeprefix(b".") if line.startswith(b".") else line for line in lines
    )
    given_lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    assert plain.replace(b"\r\n", b"\n").decode() == given_lines


async def test_eight_bit_bodies_are_announced_or_encoded_anew() -> None:
    hindi = ASHA._replace(letter=Letter.of((
        "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
        "Content-Transfer-Encoding: 8bit\r\n\r\nनमस्ते\r\n"
    ).encode()))  # fmt: skip
    for extensions, announced in (({}, True), ({"EHLO": "250 scripted\r\n"}, False)):
        async with scripted(extensions) as server:
            channel = SmtpChannel(settings(server.port))
            await channel.hand_over(hindi, yes)
            await channel.close()
            assert any("BODY=8BITMIME" in command for command in server.commands) is announced
            assert server.taken[0].isascii() is not announced


@pytest.mark.parametrize(
    "recipient",
    ["a@b\r\nRCPT TO:<x@y>", "a@b> <c@d", "asha rao@b.example", "आशा@b.example", "nobody", "@"],
)
async def test_an_address_that_would_break_the_envelope_is_refused(recipient: str) -> None:
    async with scripted() as server:
        channel = SmtpChannel(settings(server.port))
        receipt = await channel.hand_over(ASHA._replace(recipient=recipient), yes)
        await channel.close()
        assert receipt is not None
        assert receipt.outcome is REJECTED
        assert server.connections == 0
