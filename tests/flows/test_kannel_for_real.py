"""Through Debian's Kannel: out to a phone, its delivery report, and STOP on the way back."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from engines import Workshop
from kannel_for_real import INSTALLED, PASSWORD, USER, kannel
from making import make_customer, make_event, rows_of
from public_site import public_project, public_site

from crm_messaging.channels.opening import open_channels
from crm_messaging.channels.sms_settings import KannelSettings
from crm_messaging.message import Outcome, OutgoingSms
from crm_messaging.sms_segments import count
from crm_store.models.inbox import InboundMessage
from crm_store.suppressions import suppressions
from flows.inbox import handle_inbox
from flows.readers import readers_of

pytestmark = pytest.mark.skipif(
    not INSTALLED, reason="Kannel is not installed: apt-get install kannel kannel-extras"
)

KEY = "k" * 24
HERS = "+919876543210"
CAMPAIGN = """
campaign: leads
name: Leads
topic: news
trigger: {type: new_lead}
steps:
  - {id: welcome, at: now, sms: note/short}
  - {id: nudge, at: +2d, sms: note/short}
"""
CLUB = f"""
channels:
  sms: {{provider: kannel, username: {USER}, answers: {{stop: You get no more texts.}}}}
"""


def settings(url: str) -> KannelSettings:
    return KannelSettings.model_validate(
        {
            **{"provider": "kannel", "from": "LOTUS", "url": url},
            **{"username": USER, "password": PASSWORD, "hook_secret": KEY},
        }
    )


async def test_a_message_its_report_and_a_stop(lite_club: Workshop) -> None:
    club = lite_club
    club.campaign(CAMPAIGN)
    folder = club.folder / "public"
    folder.mkdir()
    (folder / ".env").write_text(f"SAMPARK_CHANNELS__SMS__HOOK_SECRET={KEY}")
    project = public_project(folder, CLUB)
    club.engine = replace(club.engine, readers=readers_of(project.settings))
    site = public_site(project, club.store, club.engine.club_id, clock=club.clock)
    async with site as client:
        public_url = str(client.base_url).rstrip("/")
        incoming = f"{public_url}/hooks/kannel/incoming?key={KEY}"
        async with kannel(club.folder / "kannel", incoming) as running:
            [channel] = open_channels(None, settings(running.url), public_url=public_url).values()
            club.engine.channels["sms"] = channel
            make_event(club.store, make_customer(club.store, phone=HERS, first_name="Асель ₹"))
            await club.sweep()
            assert club.ledger() == [("welcome", "accepted", None)]
            await arrived(club, 1)
            await handle_inbox(club.engine)
            assert club.ledger() == [("welcome", "delivered", None)]
            [first] = await running.until_reached(1)
            assert first.startswith(f"LOTUS {HERS} ucs-2 ")

            running.phone_writes("919876543210", "Stop please")
            await until(lambda: is_out(club))
            _, answer = await running.until_reached(2)
            assert answer == "LOTUS 919876543210 text You get no more texts."
            running.phone_writes("919876543210", "see you tomorrow")
            await arrived(club, 3)
            await asyncio.sleep(0.3)
            assert len(running.reached_phones()) == 2, "what needs no answer gets none"
            club.clock.on(days=2)
            await club.sweep()
            assert club.ledger()[1] == ("nudge", "suppressed", "opted_out")
            await channel.close()


# What an operator bills: Kannel cuts the text, and we count what comes out.
TEXTS = [
    "a" * 160, "a" * 161, "a" * 306, "a" * 307, "€" * 80, "€" * 81, "a" * 152 + "€" + "b" * 8,
    "न" * 70, "न" * 71, "Я" * 134, "Я" * 135, "don’t " * 12, "💪" * 35, "💪" * 36,
]  # fmt: skip


async def test_kannel_cuts_a_text_into_as_many_segments_as_we_count(tmp_path: Path) -> None:
    async def yes(_touchpoint_id: int) -> bool:
        return True

    async with kannel(tmp_path / "kannel", "http://127.0.0.1:9/?") as running:
        [channel] = open_channels(None, settings(running.url)).values()
        for number, text in enumerate(TEXTS):
            message = OutgoingSms(number, f"<{number}@sms.invalid>", f"+91987654{number:04}", text)
            receipt = await channel.hand_over(message, yes)
            assert receipt is not None
            assert receipt.outcome is Outcome.ACCEPTED
        reached = await running.until_reached(sum(count(text).segments for text in TEXTS))
        await channel.close()
    for number, text in enumerate(TEXTS):
        parts = [one for one in reached if f"+91987654{number:04}" in one]
        assert len(parts) == count(text).segments, text[:5]


async def arrived(club: Workshop, number: int) -> None:
    await until(lambda: len(rows_of(club.store, InboundMessage, "id")) >= number)


def is_out(club: Workshop) -> bool:
    with club.store.read() as connection:
        return bool(suppressions(connection, [("sms", HERS)]))


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not done():  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.02)
