"""Connections to HTTP providers: kept for the next message, and let go before the server does."""

import httpx

IDLE_S = 2.0
"""Many servers close a connection that has been idle for five seconds. A message that leaves in
that moment gets no answer, and nobody knows whether it was taken (RFC 9112 section 9.5)."""


def kept(connections: int) -> httpx.Limits:
    """At most so many at a time, each kept for `IDLE_S`."""
    return httpx.Limits(max_connections=connections, keepalive_expiry=IDLE_S)
