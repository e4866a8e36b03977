"""Certificates with which providers sign, fetched once from where they may lie."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import httpx

from crm_messaging.webhooks.posted import Forged
from crm_store.errors import EnvironmentUnready

PATIENCE_S = 5.0
LARGEST = 64 * 1024
MOST_KEPT = 16
"""A provider signs with one key at a time, and changes it once a year or so."""

Fetch: TypeAlias = Callable[[str], Awaitable[bytes]]
"""The octets at an address. Raises `EnvironmentUnready` when they cannot be had now, `Forged` when
there are none."""


async def fetch(url: str) -> bytes:
    """What lies at an HTTPS address, at most `LARGEST` octets; no redirect is followed.

    Raises as `Fetch` says.
    """
    try:
        async with (
            asyncio.timeout(PATIENCE_S),
            httpx.AsyncClient(timeout=PATIENCE_S) as client,
            client.stream("GET", url) as answer,
        ):
            if answer.is_client_error:
                raise Forged  # there is no such certificate
            if answer.status_code != httpx.codes.OK:
                raise _away(f"HTTP {answer.status_code}")
            octets = b""
            async for part in answer.aiter_bytes():
                octets += part
                if len(octets) > LARGEST:
                    raise _away("it is too large")
            return octets
    except (httpx.HTTPError, TimeoutError) as error:
        raise _away(type(error).__name__) from error


def _away(why: str) -> EnvironmentUnready:
    return EnvironmentUnready(
        f"The certificate of a webhook's sender could not be fetched: {why}.",
        "The sender comes again by itself; let this machine reach amazonaws.com over HTTPS.",
    )


class Certificates:
    """Certificates by their address. The caller has looked whether that may be asked at all."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._kept: dict[str, bytes] = {}
        self._lock = asyncio.Lock()

    async def at(self, url: str) -> bytes:
        """The certificate at an address. Raises as `Fetch` says."""
        if url in self._kept:
            return self._kept[url]
        async with self._lock:  # of many at the start one asks, and the others hear of it
            if url not in self._kept:
                octets = await self._fetch(url)
                if len(self._kept) >= MOST_KEPT:
                    self._kept.pop(next(iter(self._kept)))
                self._kept[url] = octets
        return self._kept[url]
