"""How much each address has asked for: a bucket of tokens each, the least used forgotten first."""

import ipaddress
from collections import OrderedDict

from crm_console.web.public.door import Allowance

MOST_ADDRESSES = 20_000
"""Who floods from more addresses than this is another's work to stop."""

Key = tuple[str, str]
"""An address, and the prefix of a door."""


class Allowances:
    """Buckets by address and door, filled as time passes. Times are seconds of one clock."""

    def __init__(self) -> None:
        self._left: OrderedDict[Key, tuple[float, float]] = OrderedDict()

    def wait(self, key: Key, allowance: Allowance, now: float) -> float:
        """Seconds until the address may ask again; 0 when it may now."""
        left = self._now_left(_by_network(key), allowance, now)
        return 0.0 if left >= 1 else (1 - left) * 60 / allowance.per_minute

    def spend(self, key: Key, allowance: Allowance, now: float) -> None:
        """One more request, or refusal."""
        key = _by_network(key)
        self._left[key] = self._now_left(key, allowance, now) - 1, now
        self._left.move_to_end(key)
        if len(self._left) > MOST_ADDRESSES:
            self._left.popitem(last=False)

    def _now_left(self, key: Key, allowance: Allowance, now: float) -> float:
        left, since = self._left.get(key, (float(allowance.burst), now))
        return min(allowance.burst, left + (now - since) * allowance.per_minute / 60)


def _by_network(key: Key) -> Key:
    """Who has one IPv6 address has 2^64 of them."""
    address, door = key
    if ":" not in address:
        return key
    try:
        network = ipaddress.IPv6Network((address.partition("%")[0], 64), strict=False)
    except ValueError:
        return key
    return str(network.network_address), door
