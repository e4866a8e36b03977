"""The connections of the SMTP channel: how many, how long, and what one fate is to the next one."""

import asyncio
import random
from collections.abc import Callable

import pytest
from smtp_hand_over import (
    ACCEPTED,
    ASHA,
    DEFERRED,
    IN_DOUBT,
    NO_PIPELINING,
    REJECTED,
    settings,
    yes,
)
from smtp_script import CLOSE, GARBAGE, GOOD, HANG, ScriptedServer, scripted, serving, until

from crm_messaging.channels.smtp import SmtpChannel
from crm_messaging.message import Letter, Outcome


async def test_connections_are_reused_and_never_more_than_allowed() -> None:
    async with scripted() as server:
        channel = SmtpChannel(settings(server.port, sessions=3))
        receipts = await asyncio.gather(
            *(channel.hand_over(ASHA._replace(touchpoint_id=n), yes) for n in range(60))
        )
        await channel.close()
        assert sorted(r.touchpoint_id for r in receipts if r and r.outcome is ACCEPTED) == list(
            range(60)
        )
        assert len(server.taken) == 60
        assert server.connections == 3
        assert server.commands.count("QUIT") == 3


def allowing(sessions: int, server: ScriptedServer) -> Callable[[int, str], str]:
    """Answers of a server that keeps `sessions` connections and turns the others away."""

    def answer(connection: int, point: str) -> str:
        if point == "greeting" and server.open_connections > sessions:
            return "421 4.7.0 too many connections\r\n" + CLOSE
        return GOOD.get(point, "500 what?\r\n")

    return answer


async def test_a_server_that_allows_few_sessions_gets_all_over_those() -> None:
    async with scripted() as server:
        server.answer = allowing(3, server)
        patient = {"connect_timeout": 30, "reply_timeout": 30, "final_reply_timeout": 30}
        channel = SmtpChannel(
            settings(server.port, sessions=16, messages_per_connection=20, **patient)
        )
        for _ in range(3):
            receipts = await asyncio.gather(*(channel.hand_over(ASHA, yes) for _ in range(100)))
            assert [r.outcome for r in receipts if r] == [ACCEPTED] * 100
        await channel.close()
        assert len(server.taken) == 300
        assert server.connections <= 16 + 300 // 20 + 1, "no knocking where nobody opens"


async def test_fewer_sessions_are_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crm_messaging.channels.smtp_pool.FEWER_SESSIONS_S", 0.0)
    async with scripted() as server:
        server.answer = allowing(1, server)
        channel = SmtpChannel(settings(server.port, sessions=4))
        await asyncio.gather(*(channel.hand_over(ASHA, yes) for _ in range(20)))
        server.answer = allowing(4, server)
        async with asyncio.timeout(2):
            while server.open_connections < 4:
                await asyncio.gather(*(channel.hand_over(ASHA, yes) for _ in range(20)))
        await channel.close()


async def test_a_shut_door_is_the_answer_to_everybody_who_waits() -> None:
    async with scripted({"greeting": "421 4.3.2 closed\r\n" + CLOSE}) as server:
        channel = SmtpChannel(settings(server.port, sessions=4))
        receipts = await asyncio.gather(*(channel.hand_over(ASHA, yes) for _ in range(50)))
        await channel.close()
        assert {(r.outcome, r.connected) for r in receipts if r} == {(DEFERRED, False)}
        assert len(receipts) == 50
        assert server.connections <= 4


async def test_a_connection_is_replaced_after_its_share() -> None:
    async with scripted() as server:
        channel = SmtpChannel(settings(server.port, sessions=1, messages_per_connection=4))
        await asyncio.gather(*(channel.hand_over(ASHA, yes) for _ in range(10)))
        await channel.close()
        assert len(server.taken) == 10
        assert server.connections == 3
        assert server.commands.count("QUIT") == 3


async def test_a_connection_the_server_closed_while_idle_is_replaced_unseen() -> None:
    async with scripted() as server:
        channel = SmtpChannel(settings(server.port, sessions=1))
        await channel.hand_over(ASHA, yes)
        server.hang_up()  # the channel may or may not have noticed when the next one comes
        receipt = await channel.hand_over(ASHA, yes)
        assert receipt is not None
        assert receipt.outcome is ACCEPTED
        await channel.close()
        assert len(server.taken) == 2


async def test_a_session_opened_for_one_who_has_gone_is_for_the_next() -> None:
    async with scripted() as server:
        server.seconds_before_each_reply = 0.05
        channel = SmtpChannel(settings(server.port, sessions=1))
        gone = asyncio.create_task(channel.hand_over(ASHA, yes))
        await until(lambda: server.connections == 1)
        gone.cancel()
        receipt = await channel.hand_over(ASHA._replace(touchpoint_id=8), yes)
        await channel.close()
        assert receipt is not None
        assert receipt.outcome is ACCEPTED
        assert gone.cancelled()
        assert (server.connections, len(server.taken)) == (1, 1)


async def test_closing_does_not_wait_for_a_session_that_nobody_wants() -> None:
    async with scripted({"greeting": HANG}) as server:
        channel = SmtpChannel(settings(server.port, connect_timeout=60))
        gone = asyncio.create_task(channel.hand_over(ASHA, yes))
        await until(lambda: server.open_connections == 1)
        gone.cancel()
        async with asyncio.timeout(2):
            await asyncio.wait([gone])
            await channel.close()
        await until(lambda: server.open_connections == 0)


async def test_what_is_no_fault_of_the_server_is_raised_for_everybody_who_waits() -> None:
    channel = SmtpChannel(settings(25).model_copy(update={"port": 70_000}))
    async with asyncio.timeout(2):
        raised = await asyncio.gather(
            *(channel.hand_over(ASHA, yes) for _ in range(20)), return_exceptions=True
        )
        await channel.close()
    assert [type(one) for one in raised] == [OverflowError] * 20


@pytest.mark.parametrize("seed", range(3))
async def test_whoever_is_cancelled_takes_no_place_along(seed: int) -> None:
    """At any moment: in the queue, as a guest, in doubt. Those after them find all sessions."""
    dice = random.Random(seed)  # noqa: S311
    at_once: list[int] = []

    def answer(_connection: int, point: str) -> str:
        if point == "greeting":
            at_once.append(server.open_connections)
        closes = point == "dot" and server.before_dot_reply is None and dice.random() < 0.1
        return CLOSE if closes else GOOD.get(point, "500 what?\r\n")

    async with serving(answer) as server:
        channel = SmtpChannel(settings(server.port, sessions=3, messages_per_connection=5))
        tasks = []
        for number in range(200):
            letter = Letter.of(b"%d\r\n" % number)
            one = ASHA._replace(touchpoint_id=number, letter=letter)
            tasks.append(asyncio.create_task(channel.hand_over(one, yes)))
            if dice.random() < 0.4:
                asyncio.get_running_loop().call_later(dice.random() / 20, tasks[-1].cancel)
        await asyncio.wait(tasks)
        assert 0 < sum(one.cancelled() for one in tasks) < 200
        server.before_dot_reply = asyncio.Event()
        taken = len(server.taken)
        late = asyncio.gather(*(channel.hand_over(ASHA, yes) for _ in range(30)))
        await until(lambda: len(server.taken) == taken + 3)
        server.before_dot_reply.set()
        assert [r.outcome for r in await late if r] == [ACCEPTED] * 30
        await channel.close()
        bodies = [one for one in server.taken if one[:1].isdigit()]
        assert len(bodies) == len(set(bodies)), "never twice"
        assert max(at_once) <= 3


@pytest.mark.parametrize("sessions", [1, 4])
@pytest.mark.parametrize("dot", ["250 one is enough\r\n" + CLOSE, "250 ok\r\n421 full\r\n" + CLOSE])
async def test_a_server_that_takes_one_message_per_connection_gets_them_all(
    dot: str, sessions: int
) -> None:
    async with scripted({"dot": dot}) as server:
        channel = SmtpChannel(settings(server.port, sessions=sessions))
        receipts = await asyncio.gather(*(channel.hand_over(ASHA, yes) for _ in range(12)))
        await channel.close()
        assert [r.outcome for r in receipts if r] == [ACCEPTED] * 12
        assert len(server.taken) == 12


async def test_one_refused_recipient_does_not_disturb_the_next() -> None:
    async with scripted(
        {"RCPT": "550 no\r\n", "DATA": "503 no\r\n"}, faulty_connections=1
    ) as server:
        channel = SmtpChannel(settings(server.port, sessions=1, messages_per_connection=2))
        receipts = await asyncio.gather(*(channel.hand_over(ASHA, yes) for _ in range(4)))
        await channel.close()
        assert [r.outcome for r in receipts if r] == [REJECTED, REJECTED, ACCEPTED, ACCEPTED]
        assert "RSET" in server.commands


async def test_a_354_for_nobody_is_answered_by_hanging_up() -> None:
    """RSET would become a line of the message that the server now waits for."""
    async with scripted({"RCPT": "550 no\r\n"}) as server:
        channel = SmtpChannel(settings(server.port, reply_timeout=60))
        async with asyncio.timeout(2):
            receipt = await channel.hand_over(ASHA, yes)
            await channel.close()
        assert receipt is not None
        assert receipt.outcome is REJECTED
        assert (server.taken, server.commands[-1]) == ([], "DATA")


@pytest.mark.parametrize(
    ("dot", "outcome"),
    [("451 not now\r\n", DEFERRED), ("554 spam\r\n", REJECTED), (CLOSE, IN_DOUBT)],
)
async def test_what_befalls_one_message_is_not_told_of_its_neighbour(
    dot: str, outcome: Outcome
) -> None:
    """The guest's envelope went out with the first body; only the first body met the fault."""
    async with scripted({"dot": dot}, faulty_connections=1) as server:
        channel = SmtpChannel(settings(server.port, sessions=1, messages_per_connection=2))
        receipts = await asyncio.gather(*(channel.hand_over(ASHA, yes) for _ in range(3)))
        await channel.close()
        outcomes = [r.outcome for r in receipts if r]
        assert outcomes[0] is outcome
        assert outcomes[2] is ACCEPTED
        assert outcomes[1] is (ACCEPTED if dot == CLOSE else outcome)


async def test_a_large_message_arrives_whole_and_in_order() -> None:
    lines = b"".join(b".%06d and some more text to fill the line\r\n" % n for n in range(30_000))
    large = ASHA._replace(letter=Letter.of(b"Subject: large\r\n\r\n" + lines))
    async with scripted() as server:
        channel = SmtpChannel(
            settings(server.port, sessions=1, final_reply_timeout=10, reply_timeout=10)
        )
        receipts = await asyncio.gather(*(channel.hand_over(large, yes) for _ in range(3)))
        await channel.close()
        assert [r.outcome for r in receipts if r] == [ACCEPTED] * 3
        assert (
            server.taken
            == [
                b"Subject: large\r\n\r\n"
                + lines.replace(b".", b"..", 1).replace(b"\r\n.", b"\r\n..")
            ]
            * 3
        )


MOODS = {
    "greeting": ["421 busy\r\n", CLOSE],
    "MAIL": ["451 later\r\n", "550 no\r\n", "421 bye\r\n" + CLOSE, CLOSE, GARBAGE],
    "RCPT": ["450 grey\r\n", "550 who?\r\n", CLOSE],
    "DATA": ["451 full\r\n", "354 go\r\n" + CLOSE, CLOSE],
    "dot": ["451 not now\r\n", "554 spam\r\n", "250 ok\r\n" + CLOSE, CLOSE, GARBAGE, HANG],
}


@pytest.mark.parametrize("extensions", [{}, NO_PIPELINING], ids=["pipelining", "one by one"])
@pytest.mark.parametrize("seed", range(4))
async def test_whatever_the_server_does_the_receipts_are_true(
    seed: int, extensions: dict[str, str]
) -> None:
    """Accepted means taken once; deferred, rejected and stopped mean not taken (G3)."""
    dice = random.Random(seed)  # noqa: S311

    def moody(connection: int, point: str) -> str:
        # A refused session is rarer: the last one speaks for all who wait.
        if point in MOODS and dice.random() < (0.02 if point == "greeting" else 0.06):
            return dice.choice(MOODS[point])
        return (GOOD | extensions).get(point, "500 what?\r\n")

    asked: dict[int, int] = {}

    async def sometimes(touchpoint_id: int) -> bool:
        asked[touchpoint_id] = asked.get(touchpoint_id, 0) + 1
        await asyncio.sleep(dice.random() / 500)
        return dice.random() > 0.05

    async with serving(moody) as server:
        channel = SmtpChannel(settings(server.port, sessions=4, messages_per_connection=9))
        letters = [
            ASHA._replace(touchpoint_id=n, letter=Letter.of(b"%d\r\n" % n)) for n in range(400)
        ]
        receipts = await asyncio.gather(*(channel.hand_over(one, sometimes) for one in letters))
        await channel.close()

        may_have_been_kept = [
            int(body)
            for body, said in zip(server.taken, server.said_of_taken, strict=True)
            if said[0] not in "45"
        ]
    outcomes = {n: receipt.outcome if receipt else None for n, receipt in enumerate(receipts)}
    assert {ACCEPTED, DEFERRED, REJECTED, IN_DOUBT, None} == set(outcomes.values())
    assert len(may_have_been_kept) == len(set(may_have_been_kept)), "never twice"
    for number, outcome in outcomes.items():
        if outcome is ACCEPTED:
            assert number in may_have_been_kept
        elif outcome is not IN_DOUBT:
            assert number not in may_have_been_kept
    assert max(asked.values()) == 1
    assert set(may_have_been_kept) <= set(asked)
