"""Signed links: what stands in a message and must be ours when it comes back.

A token holds numbers and a keyed hash, never an address, and a tag made with a key for its purpose
alone (BLAKE2b keyed, RFC 7693): one made for clicks cannot unsubscribe anybody. Tokens of earlier
secret keys are accepted; new ones are made with the present one.

The tags of links have 64 bits or more. Trying one costs a request, and guessing it would take
longer than the club, its software and its customers will last.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import b2a_base64
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from typing import NamedTuple

from crm_store.address_hashes import HASH_SIZE, hashes_with
from crm_store.columns import LARGEST_ID
from crm_store.keys import KeyRing

_ID = 5
"""Octets of an id: a million million."""
_DAY = 2
_TAG = 8
_EPOCH = date(2026, 1, 1)
_FOREVER = b"\xff\xff"
_PERSON_SIZE = _ID + HASH_SIZE + _DAY + _TAG
_CLICK_TAG = 9
_CLICK_SIZE = 2 * _ID + _CLICK_TAG
_RETURN_SIZE = _ID + _TAG
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
"""RFC 4648 section 5."""
# None of the sizes is a multiple of three: then the last letter of a token is a letter or a digit,
# and no mail program takes it for the end of a sentence and cuts it off.


class Purpose(StrEnum):
    """What a link to a page of hers is for."""

    # Enum's own is written in Python; every link of every message asks for it a few times.
    __hash__ = str.__hash__

    UNSUBSCRIBE = "unsubscribe"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"


LASTS: dict[Purpose, timedelta | None] = {
    # Whoever finds a message of years ago must still get out.
    Purpose.UNSUBSCRIBE: None,
    Purpose.PREFERENCES: timedelta(days=180),
    Purpose.CONFIRM: timedelta(days=14),
}


class BadToken(Exception):
    """The token is not one of ours, or not for this. Which of the two is nobody's business."""


class Holder(NamedTuple):
    """Whom a link was made for."""

    touchpoint_id: int
    address_hash: bytes
    """Of the address that the message went to."""


class Expired(Exception):
    """It was one of ours, once: whoever has it may still leave, and nothing else."""

    def __init__(self, holder: Holder) -> None:
        super().__init__("the link has expired")
        self.holder = holder


class Click(NamedTuple):
    """A link of a message: which one, and whose message."""

    link_id: int
    touchpoint_id: int


class Links:
    """Makes and reads the tokens of one installation."""

    def __init__(self, keys: KeyRing) -> None:
        self._hashes = hashes_with(keys)
        self._signers = {
            purpose: [blake2b(key=key, digest_size=_TAG) for key in keys.derived(purpose)]
            for purpose in Purpose
        }
        self._clicks = [blake2b(key=key, digest_size=_CLICK_TAG) for key in keys.derived("click")]
        self._returns = [blake2b(key=key, digest_size=_TAG) for key in keys.derived("return")]
        self._by_mail = [
            blake2b(key=key, digest_size=_TAG) for key in keys.derived("leave by mail")
        ]

    def address_hash(self, channel: str, address: str) -> bytes:
        """What a token says of the address that a message goes to."""
        return self._hashes.of(channel, address)

    def is_of(self, holder: Holder, channel: str, address: str) -> bool:
        """Whether this is the address that the message went to."""
        return holder.address_hash in self._hashes.all_of(channel, address)

    def token(self, purpose: Purpose, holder: Holder, sent: datetime) -> str:
        """34 letters, digits, `-` and `_`. The same arguments give the same token."""
        of_whom = holder.touchpoint_id.to_bytes(_ID) + holder.address_hash
        lasts = LASTS[purpose]
        payload = of_whom + (_FOREVER if lasts is None else _last_day(lasts, sent))
        return _text(payload, self._signers[purpose])

    def read(self, purpose: Purpose, token: str, now: datetime) -> Holder:
        """Whom a token was made for. Raises `BadToken` and `Expired`."""
        payload = _payload(token, _PERSON_SIZE, _TAG, self._signers[purpose])
        holder = Holder(_id(payload[:_ID]), payload[_ID:-_DAY])
        day = payload[-_DAY:]
        if day != _FOREVER and now.astimezone(UTC).date() > _date(day):
            raise Expired(holder)
        return holder

    def click(self, link_id: int, touchpoint_id: int) -> str:
        """26 letters, digits, `-` and `_`, for a `Click`."""
        payload = link_id.to_bytes(_ID) + touchpoint_id.to_bytes(_ID)
        return _text(payload, self._clicks)

    def read_click(self, token: str) -> Click:
        """Which link of whose message. Raises `BadToken`."""
        payload = _payload(token, _CLICK_SIZE, _CLICK_TAG, self._clicks)
        return Click(_id(payload[:_ID]), _id(payload[_ID:]))

    def return_token(self, touchpoint_id: int) -> str:
        """What stands behind the `+` of a return path: 26 hexadecimal digits.

        Servers on the way may write a local part in capitals, or in small letters.
        """
        return _hex(touchpoint_id, self._returns)

    def read_return(self, token: str) -> int:
        """The touchpoint whose message came back. Raises `BadToken`."""
        return _from_hex(token, self._returns)

    def leave_token(self, touchpoint_id: int) -> str:
        """The same for a mail that asks to unsubscribe."""
        return _hex(touchpoint_id, self._by_mail)

    def read_leave(self, token: str) -> int:
        """The touchpoint whose reader wants out. Raises `BadToken`."""
        return _from_hex(token, self._by_mail)


@lru_cache(maxsize=64)
def _last_day(lasts: timedelta, sent: datetime) -> bytes:
    day = (sent.astimezone(UTC) + lasts).date() - _EPOCH
    return day.days.to_bytes(_DAY)


def _date(day: bytes) -> date:
    return _EPOCH + timedelta(days=int.from_bytes(day))


def _tag(signer: "blake2b", payload: bytes) -> bytes:
    of_this = signer.copy()
    of_this.update(payload)
    return of_this.digest()


def _text(payload: bytes, signers: "list[blake2b]") -> str:
    encoded = b2a_base64(payload + _tag(signers[0], payload), newline=False)
    return encoded.translate(_URL_SAFE).rstrip(b"=").decode("ascii")


def _payload(token: str, size: int, tag_size: int, signers: "list[blake2b]") -> bytes:
    """What a token signs. Raises `BadToken`, also for another spelling of the same octets."""
    if len(token) != (size * 4 + 2) // 3 or not token.isascii():
        raise BadToken
    try:
        octets = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        raise BadToken from None
    if len(octets) != size or urlsafe_b64encode(octets).rstrip(b"=").decode() != token:
        raise BadToken
    return _checked(octets, tag_size, signers)


def _checked(octets: bytes, tag_size: int, signers: "list[blake2b]") -> bytes:
    payload, tag = octets[:-tag_size], octets[-tag_size:]
    if not any(compare_digest(_tag(one, payload), tag) for one in signers):
        raise BadToken
    return payload


def _hex(touchpoint_id: int, signers: "list[blake2b]") -> str:
    payload = touchpoint_id.to_bytes(_ID)
    return (payload + _tag(signers[0], payload)).hex()


def _from_hex(token: str, signers: "list[blake2b]") -> int:
    try:
        octets = bytes.fromhex(token)
    except ValueError:
        raise BadToken from None
    if len(octets) != _RETURN_SIZE or len(token) != 2 * _RETURN_SIZE:
        raise BadToken
    return _id(_checked(octets, _TAG, signers))


def _id(octets: bytes) -> int:
    """Raises `BadToken` for an id that no row has: it is signed, and was never ours."""
    number = int.from_bytes(octets)
    if number > LARGEST_ID:
        raise BadToken
    return number
