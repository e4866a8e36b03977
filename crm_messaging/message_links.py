"""What leads back from a message to us: its links, its list header fields and its return path.

RFC 2369 (List-Unsubscribe), RFC 8058 (one click), RFC 2919 (List-Id), and variable envelope
return paths: a bounce that quotes nothing still says which message it is about.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property, lru_cache
from typing import NamedTuple

from crm_messaging.blank import Blank
from crm_messaging.form import is_tame
from crm_messaging.links import Holder, Links, Purpose
from crm_messaging.message_fields import CONFIRM_URL, PREFERENCES_URL, UNSUBSCRIBE_URL
from crm_messaging.mime_words import phrase

PATHS = {Purpose.UNSUBSCRIBE: "/u", Purpose.PREFERENCES: "/p", Purpose.CONFIRM: "/ok"}
"""Where the public pages are; behind each stands a token."""
CLICK_PATH = "/c"
LEAVE_SUBJECT = "unsubscribe"
ONE_CLICK = "List-Unsubscribe-Post: List-Unsubscribe=One-Click"
_PURPOSES = {
    UNSUBSCRIBE_URL: Purpose.UNSUBSCRIBE,
    PREFERENCES_URL: Purpose.PREFERENCES,
    CONFIRM_URL: Purpose.CONFIRM,
}
_NO_LABEL = re.compile(r"[^a-z0-9]+")


class PrintedLinks(NamedTuple):
    """Which links a template prints: fields of the family `message`, and where they lead."""

    pages: tuple[tuple[str, Purpose], ...]
    clicks: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, fields: frozenset[str], link_ids: Sequence[int]) -> "PrintedLinks":
        """Of a template's catalogue fields and the ids of its counted links."""
        pages = ((name.partition(".")[2], to) for name, to in _PURPOSES.items() if name in fields)
        return cls(tuple(pages), tuple((click_field(n), to) for n, to in enumerate(link_ids)))


@dataclass(frozen=True)
class MessageLinks:
    """How the messages of one club lead back to it."""

    links: Links
    base_url: str
    """Of the public pages, without a slash at the end."""
    return_path: str | None = None
    """The mailbox that bounces go to, such as ``bounce@club.example``; it takes `bounce+…` too."""
    lists: Mapping[str, str] = field(default_factory=dict)
    """The name of each topic's list, as mail programs show it."""

    @cached_property
    def _pages(self) -> Mapping[Purpose, str]:
        return {purpose: f"{self.base_url}{path}/" for purpose, path in PATHS.items()}

    @cached_property
    def _counted(self) -> str:
        return f"{self.base_url}{CLICK_PATH}/"

    @cached_property
    def _are_tame(self) -> bool:
        return all(map(is_tame, (*self._pages.values(), self._counted)))

    def holder(self, touchpoint_id: int, channel: str, address: str) -> Holder:
        """Whom the links of a message are made for."""
        return Holder(touchpoint_id, self.links.address_hash(channel, address))

    def url(self, purpose: Purpose, holder: Holder, sent: datetime) -> str:
        """A link to one of the pages."""
        return self._pages[purpose] + self.links.token(purpose, holder, sent)

    def values(
        self, printed: PrintedLinks, holder: Holder, sent: datetime, unsubscribe: str | None
    ) -> dict[str, str | Blank]:
        """The values of a template's links, as `message.*` has them.

        `unsubscribe` is the link that takes her off the list. A transactional message has none: it
        is no marketing.
        """
        values: dict[str, str | Blank] = {}
        for name, purpose in printed.pages:
            if purpose is Purpose.UNSUBSCRIBE:
                values[name] = unsubscribe or Blank(UNSUBSCRIBE_URL)
            else:
                values[name] = self.url(purpose, holder, sent)
        for name, link_id in printed.clicks:
            values[name] = self._counted + self.links.click(link_id, holder.touchpoint_id)
        return values

    def tame_in(self, values: Mapping[str, str | Blank]) -> dict[str, bytes]:
        """What `links_in` finds in such values. It need not look: only tokens differ."""
        if not self._are_tame:
            return {}
        return {name: url.encode() for name, url in values.items() if type(url) is str}

    def list_fields(
        self, topic: str, domain: str, touchpoint_id: int, unsubscribe: str
    ) -> Sequence[str]:
        """List-Unsubscribe, List-Unsubscribe-Post and List-Id, folded, without last line ends."""
        ways = f"List-Unsubscribe: <{unsubscribe}>"
        if self.return_path is not None:
            token = self.links.leave_token(touchpoint_id)
            by_mail = _with_token(self.return_path, token)
            ways += f",\r\n <mailto:{by_mail}?subject={LEAVE_SUBJECT}>"
        return ways, ONE_CLICK, _list_id(self.lists.get(topic, topic), topic, domain)

    def sender(self, touchpoint_id: int) -> str | None:
        """The envelope sender of a message (RFC 5321 MAIL FROM); nothing where there is none."""
        if self.return_path is None:
            return None
        return _with_token(self.return_path, self.links.return_token(touchpoint_id))


def click_field(number: int) -> str:
    """The field of the family `message` that holds the address of a counted link."""
    return f"click_{number}"


def _with_token(mailbox: str, token: str) -> str:
    local, _, domain = mailbox.rpartition("@")
    return f"{local}+{token}@{domain}"


@lru_cache(maxsize=256)
def _list_id(name: str, topic: str, domain: str) -> str:
    label = _NO_LABEL.sub("-", topic.lower()).strip("-") or "list"
    return f"List-Id: {phrase(name)}\r\n <{label}.{domain}>"
