"""HTTP/1.1 for the open internet: a head that is too long, or does not come, ends its connection.

uvicorn with httptools bounds neither; with h11 it bounds the first, and takes four times as long.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST_HEAD = 64 * 1024
"""Octets, as h11 has it."""
HEAD_PATIENCE_S = 20.0


class BoundedHttp(HttpToolsProtocol):
    """One connection."""

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._octets = 0
        self._timer = self._patience()

    def data_received(self, data: bytes) -> None:
        if not self._octets:
            self._timer.cancel()
            self._timer = self._patience()
        self._octets += len(data)
        super().data_received(data)
        if self._octets > LONGEST_HEAD:
            self.transport.abort()

    def on_headers_complete(self) -> None:
        self._no_head()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._no_head()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._no_head()
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        super().connection_lost(exc)

    def _patience(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(HEAD_PATIENCE_S, self.transport.abort)

    def _no_head(self) -> None:
        """What came was no head, or is the whole of it."""
        self._octets = 0
        self._timer.cancel()
