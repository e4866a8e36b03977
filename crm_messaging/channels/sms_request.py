"""One text message as one HTTP request: what all providers have in common."""

import logging
from collections.abc import Callable

import httpx
from pydantic import SecretStr

from crm_messaging.channels.http_connections import kept
from crm_messaging.channels.http_outcomes import silent
from crm_messaging.channels.sms_settings import HttpLimits
from crm_messaging.message import MaySend, Outgoing, OutgoingSms, Receipt
from crm_store.charsets import charset_named

# At INFO it writes down each URL, and some gateways take number and password in theirs.
logging.getLogger("httpx").setLevel(logging.WARNING)


class SmsOverHttp:
    """Sends requests, asks `may_send` before each, and never repeats one.

    `request` builds what to send; `judge` reads the answer, which is kept with the message:
    the `secret` is taken out of it.
    """

    def __init__(
        self,
        limits: HttpLimits,
        request: Callable[[OutgoingSms], httpx.Request],
        judge: Callable[[OutgoingSms, httpx.Response], Receipt],
        name: str = "sms",
        secret: SecretStr | None = None,
    ) -> None:
        self.name = name
        self._secret = secret.get_secret_value() if secret else ""
        self._concurrency = limits.connections
        self._request = request
        self._judge = judge
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(limits.reply_timeout, connect=limits.connect_timeout),
            limits=kept(limits.connections),
            follow_redirects=False,  # a redirected POST would be a second request
            trust_env=False,  # what the environment says is read in one place only
        )

    @property
    def concurrency(self) -> int:
        return self._concurrency

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        """Hand one text message over; see `crm_messaging.message.Channel`."""
        if not isinstance(message, OutgoingSms):
            raise TypeError("The SMS channel was given something that is no text message.")
        request = self._request(message)
        if not await may_send(message.touchpoint_id):
            return None
        try:
            answer = await self._client.send(request)
        except httpx.RequestError as error:
            return silent(message, error)
        if charset_named(answer.charset_encoding) is None:
            answer.encoding = "utf-8"
        return self._judge(message, _without(self._secret, answer))

    async def close(self) -> None:
        await self._client.aclose()


def _without(secret: str, answer: httpx.Response) -> httpx.Response:
    """The answer without our secret: some gateways repeat what they did not like."""
    if not secret or secret not in answer.text:
        return answer
    said = answer.text.replace(secret, "<secret>")
    kept = {
        name: answer.headers[name] for name in ("retry-after", "date") if name in answer.headers
    }
    return httpx.Response(answer.status_code, headers=kept, text=said)
