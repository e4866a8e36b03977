"""A connection serves one message after the other, and is let go when none comes."""

import asyncio

from http_script import answer, scripted_http

from crm_messaging.channels.http_connections import IDLE_S
from crm_messaging.channels.opening import open_channels
from crm_messaging.channels.sms_settings import TwilioSettings
from crm_messaging.message import Outcome, OutgoingSms

COMMON_IDLE_LIMIT_S = 5.0
"""Of Node.js and uvicorn, unless they are told otherwise."""


async def yes(touchpoint_id: int) -> bool:
    return True


async def test_no_message_meets_the_moment_in_which_a_server_hangs_up() -> None:
    assert IDLE_S < COMMON_IDLE_LIMIT_S / 2
    async with scripted_http(answer("201 Created", '{"sid": "SM1"}')) as server:
        settings = TwilioSettings.model_validate(
            {"provider": "twilio", "from": "LOTUS", "account": "AC1", "token": "s3cret"}
            | {"base_url": server.url}
        )
        channel = open_channels(None, settings)["sms"]
        opened = []
        for number, pause in enumerate((0.0, 0.0, IDLE_S + 0.2)):
            await asyncio.sleep(pause)
            message = OutgoingSms(number, "<7@club.example>", "+919876543210", "Namaste")
            receipt = await channel.hand_over(message, yes)
            assert receipt is not None and receipt.outcome is Outcome.ACCEPTED
            opened.append(server.connections)
        await channel.close()
    assert opened == [1, 1, 2]
