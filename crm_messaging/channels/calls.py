"""The channel `webhook`: a signed POST to another system that the club's campaigns name.

Signed as Standard Webhooks 1.0 lays down (standardwebhooks.com): the receiver computes
HMAC-SHA256 over `webhook-id`, `webhook-timestamp` and the body, each followed by a dot, with the
club's secret; the id stays the same when a call is repeated.

A campaign may be written by somebody who must not reach what this machine can reach. So only
hosts of club.yaml are called; their name is resolved here, every address of it has to be public,
and the connection goes to the address that was looked at (no second lookup in between).
"""

import asyncio
import base64
import hmac
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from ipaddress import IPv4Address, ip_address, ip_network
from typing import TypeAlias
from urllib.parse import urlsplit

import httpx

from crm_messaging.channels.call_settings import CallSettings
from crm_messaging.channels.http_connections import kept
from crm_messaging.channels.http_outcomes import never, refused, silent
from crm_messaging.message import MaySend, Outcome, Outgoing, OutgoingCall, Receipt
from crm_store.sending import WEBHOOK

Resolve: TypeAlias = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as texts."""


async def resolved(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, by this machine's resolver."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


def is_public(address: str) -> bool:
    """Whether an address is one host of the public internet (the registries of RFC 6890).

    An IPv6 address may lead to an IPv4 host: through a NAT64 (RFC 6052 section 2.1) it is judged by
    that one; the other ways are of the past, and nobody's host is found by them.
    """
    found = ip_address(address)
    if found.version == 6 and found in _NAT64:
        found = IPv4Address(found.packed[-4:])
    return (
        found.is_global
        and not found.is_multicast
        and (found.version == 4 or found in _UNICAST)
        and not any(found in one for one in _NO_HOSTS)
    )


_NAT64 = ip_network("64:ff9b::/96")
_UNICAST = ip_network("2000::/3")
"""All that is given to hosts of the internet (RFC 4291 section 2.4)."""
_NO_HOSTS = [
    ip_network(one) for one in ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "3fff::/20")
]
_ANSWER_READ = 64 * 1024
"""Octets of an answer: its status says all, and the rest keeps the connection in use."""


class CallChannel:
    """Calls other systems; see `crm_messaging.message.Channel`."""

    name = WEBHOOK

    def __init__(
        self,
        settings: CallSettings,
        clock: Callable[[], datetime],
        *,
        resolve: Resolve = resolved,
        trust: ssl.SSLContext | bool = True,
        is_allowed: Callable[[str], bool] = is_public,
    ) -> None:
        """`trust` and `is_allowed` say which certificates and addresses are good enough."""
        self._settings, self._clock = settings, clock
        self._resolve, self._is_allowed = resolve, is_allowed
        self._client = httpx.AsyncClient(
            timeout=settings.timeout,
            verify=trust,
            limits=kept(settings.connections),
            follow_redirects=False,  # a redirect would lead past the list of hosts
            trust_env=False,
        )

    @property
    def concurrency(self) -> int:
        return self._settings.connections

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        """Make one call."""
        if not isinstance(message, OutgoingCall):
            raise TypeError("The webhook channel was given something that is no call.")
        url = urlsplit(message.url)
        host, port = url.hostname or "", url.port or 443
        if url.scheme != "https" or host not in self._settings.hosts:
            return _refusal(message, f"`calls: hosts:` in club.yaml does not name {host}")
        try:
            addresses = await self._resolve(host, port)
        except OSError:
            return Receipt(message.touchpoint_id, Outcome.DEFERRED, f"{host} is not found")
        if not addresses or not all(self._is_allowed(one) for one in addresses):
            return _refusal(message, f"{host} is in a private network")
        request = self._request(message, addresses[0], host, port)
        if not await may_send(message.touchpoint_id):
            return None
        try:
            async with asyncio.timeout(self._settings.timeout):
                answer = await self._answer(request)
        except httpx.RequestError as error:
            return _of_this_host(silent(message, error))
        except TimeoutError:
            slow = httpx.ReadTimeout("it did not answer in time", request=request)
            return _of_this_host(silent(message, slow))
        return _of_this_host(self._judged(message, answer))

    async def close(self) -> None:
        await self._client.aclose()

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        """The answer's head. Of its body no more than is short, and nothing is unpacked."""
        answer = await self._client.send(request, stream=True)
        try:
            length = 0
            async for part in answer.aiter_raw():
                length += len(part)
                if length > _ANSWER_READ:
                    break
        finally:
            await answer.aclose()
        return answer

    def _request(self, call: OutgoingCall, address: str, host: str, port: int) -> httpx.Request:
        url = httpx.URL(call.url).copy_with(host=address)
        headers = {
            "Host": host if port == 443 else f"{host}:{port}",
            "Content-Type": "application/json",
            "User-Agent": "Sampark",
            **self._signature(call),
        }
        # The certificate has to be the host's, whatever address the connection goes to.
        extensions = {"sni_hostname": host}
        return self._client.build_request(
            "POST", url, content=call.body, headers=headers, extensions=extensions
        )

    def _signature(self, call: OutgoingCall) -> dict[str, str]:
        at = str(int(self._clock().timestamp()))
        headers = {"webhook-id": call.message_id, "webhook-timestamp": at}
        if self._settings.secret is not None:
            key = self._settings.secret.get_secret_value().encode()
            signed = b".".join((call.message_id.encode(), at.encode(), call.body))
            digest = base64.b64encode(hmac.digest(key, signed, sha256)).decode()
            headers["webhook-signature"] = f"v1,{digest}"
        return headers

    @staticmethod
    def _judged(call: OutgoingCall, answer: httpx.Response) -> Receipt:
        if answer.is_success:
            return Receipt(call.touchpoint_id, Outcome.ACCEPTED, f"HTTP {answer.status_code}")
        # Standard Webhooks: 410 says that nobody listens there any more.
        if answer.is_redirect or answer.status_code == httpx.codes.GONE:
            return never(call, answer, "")
        return refused(call, answer, "")


def _of_this_host(receipt: Receipt) -> Receipt:
    """One host that is down says nothing of the others: the channel as a whole is open."""
    return receipt._replace(connected=True)


def _refusal(call: OutgoingCall, why: str) -> Receipt:
    return Receipt(call.touchpoint_id, Outcome.REJECTED, why)


class RehearsedCalls:
    """In a rehearsal nobody is called: what would leave is called accepted, and says so."""

    name = WEBHOOK
    concurrency = 8

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        """Take it, and call nobody."""
        if not await may_send(message.touchpoint_id):
            return None
        return Receipt(message.touchpoint_id, Outcome.ACCEPTED, "rehearsal: nobody was called")

    async def close(self) -> None:
        """Nothing is open."""
