"""The doors behind a message's links: leaving (`/u`), choosing (`/p`), confirming (`/ok`).

Scanners follow every link, and some fill in nothing but press nothing either: GET and HEAD show a
form and change nothing; only a POST acts. The POST of `/u` is what mail programs send for one
click (RFC 8058 section 3.1): no cookie is asked for, it answers 2xx and never redirects. A link
tells whom it was made for and no page shows an address, so there is nothing to look up here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Connection

from crm_console.web.public.club_pages import ClubPages
from crm_console.web.public.door import KIB, Allowance, Counted, Door
from crm_console.web.public.premises import Premises
from crm_console.web.public.words import Words, words_in
from crm_messaging.links import BadToken, Expired, Holder, Links, Purpose
from crm_messaging.message_links import PATHS
from crm_store.choices import ChannelChoice, choices_of
from crm_store.consents import Proof, choose, confirm, opt_out
from crm_store.recipients import Recipient, recipient_of

_ONE_CLICK = ("List-Unsubscribe", "One-Click")
_SHOWN = ("GET", "HEAD")
_ALLOWANCE = Allowance(burst=60, per_minute=30, counts=Counted.REFUSALS)
"""A mail provider presses the buttons of all its users from a few addresses: only links that are
not ours count."""


@dataclass(frozen=True)
class Visit:
    """Somebody who came with a link that is ours."""

    holder: Holder
    recipient: Recipient | None
    words: Words
    now: datetime

    @property
    def channel(self) -> str:
        """Of the message that the link stood in."""
        return self.recipient.channel if self.recipient else "email"


class Desk:
    """What the three doors share: links, pages and the store of one club."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises
        self._settings = premises.project.settings
        self._links = Links(premises.store.keys)
        self._pages = ClubPages(self._settings.club)
        self._marketing = [
            name for name, topic in self._settings.topics.items() if not topic.transactional
        ]

    def visit(self, holder: Holder) -> Visit:
        """Who came, and in which language to answer."""
        with self._premises.store.read() as connection:
            recipient = recipient_of(connection, holder.touchpoint_id)
        languages = [recipient.language if recipient else None, *self._settings.club.languages]
        return Visit(holder, recipient, words_in(languages), self._premises.clock())

    def with_link(
        self, purpose: Purpose, token: str, answer: Callable[[Visit], Response]
    ) -> Response:
        """Answer who has a good link; everyone else hears the same, whatever was wrong with it."""
        try:
            holder = self._links.read(purpose, token, self._premises.clock())
        except BadToken:
            return self._stale(words_in(self._settings.club.languages), None)
        except Expired as expired:
            visit = self.visit(expired.holder)
            return self._stale(visit.words, self._url(Purpose.UNSUBSCRIBE, visit))
        return answer(self.visit(holder))

    def leave_form(self, visit: Visit) -> Response:
        return self._pages.show(
            "leave.html", visit.words, channel=visit.channel, choose_url=self._choose_url(visit)
        )

    def leave(self, visit: Visit, body: bytes) -> Response:
        """Out at once, everywhere. The second time is as good as the first."""
        # Some send the field as multipart/form-data: RFC 8058 section 3.1 allows both.
        one_click = all(word.encode() in body for word in _ONE_CLICK)
        source = "one_click" if one_click else "unsubscribe_page"
        proof = Proof(source, touchpoint_id=visit.holder.touchpoint_id)
        self._premises.store.transact(
            opt_out,
            visit.channel,
            proof,
            visit.now,
            address_hash=visit.holder.address_hash.hex(),
            customer_id=visit.recipient.customer_id if visit.recipient else None,
        )
        return self._pages.show(
            "left.html",
            visit.words,
            channel=visit.channel,
            always=self._always(visit),
            choose_url=self._choose_url(visit),
        )

    def choose_form(self, visit: Visit, *, saved: bool = False) -> Response:
        recipient = self._still_hers(visit)
        if recipient is None:
            return self._stale(visit.words, self._url(Purpose.UNSUBSCRIBE, visit))
        with self._premises.store.read() as connection:
            choices = self._choices(connection, recipient)
        channels = [
            {
                "name": one.channel,
                "closed": one.closed,
                "topics": [
                    {"name": name, "title": self._title(name, visit), "wanted": wanted}
                    for name, wanted in one.wanted.items()
                ],
            }
            for one in choices
        ]
        return self._pages.show(
            "choose.html", visit.words, channels=channels, saved=saved, always=self._always(visit)
        )

    def choose(self, visit: Visit, body: bytes) -> Response:
        recipient = self._still_hers(visit)
        if recipient is None:
            return self.choose_form(visit)
        try:
            fields = parse_qsl(body.decode("utf-8", "replace"), max_num_fields=500)
        except ValueError:
            raise HTTPException(400) from None
        ticked = {value for name, value in fields if name == "wants"}
        if ("do", "nothing") in fields:
            ticked = set()
        words = visit.words.choose_text
        proof = Proof(
            "preferences", words, self._settings.consent.text_version, visit.holder.touchpoint_id
        )

        def keep(connection: Connection) -> None:
            for shown in self._choices(connection, recipient):
                if shown.closed:
                    continue  # she was not asked about it
                channel = shown.channel
                wanted = {one: f"{channel}:{one}" in ticked for one in shown.wanted}
                choose(connection, recipient.customer_id, channel, wanted, proof, visit.now)

        self._premises.store.transact(keep)
        return self.choose_form(visit, saved=True)

    def confirm_form(self, visit: Visit) -> Response:
        if self._still_hers(visit) is None:
            return self._stale(visit.words, None)
        return self._pages.show("confirm.html", visit.words, channel=visit.channel)

    def confirm(self, visit: Visit, _body: bytes) -> Response:
        recipient, words = self._still_hers(visit), visit.words
        if recipient is None or recipient.sent_at is None:
            return self._stale(words, None)
        agreed = words.confirm_text.format(
            club=self._settings.club.name, what=words.sent_by(visit.channel)
        )
        proof = Proof(
            "double_opt_in",
            agreed,
            self._settings.consent.text_version,
            visit.holder.touchpoint_id,
        )
        is_news = self._premises.store.transact(
            confirm, recipient.customer_id, visit.channel, proof, recipient.sent_at, visit.now
        )
        title, text = (
            (words.confirmed_title, words.confirmed_text)
            if is_news
            else (words.used_title, words.used_text)
        )
        url = self._url(Purpose.PREFERENCES, visit)
        return self._told(words, title, text, choose_url=url)

    def _still_hers(self, visit: Visit) -> Recipient | None:
        """The customer, if the address that the message went to is hers still.

        Whoever has got that mailbox since, or has found an old mail, is not asked what she wants.
        """
        recipient = visit.recipient
        address = recipient.addresses.get(visit.channel) if recipient else None
        if address is None or not self._links.is_of(visit.holder, visit.channel, address):
            return None
        return recipient

    def _choices(self, connection: Connection, recipient: Recipient) -> list[ChannelChoice]:
        return choices_of(
            connection,
            recipient.customer_id,
            self._reachable(recipient),
            self._marketing,
            frozenset(self._settings.consent.opt_in),
        )

    def _reachable(self, recipient: Recipient) -> dict[str, str]:
        """The channels that the club has and she can be reached on."""
        channels, live = self._settings.channels, self._settings.mode == "live"
        has = {"email": channels.email is not None, "sms": channels.sms is not None}
        return {
            channel: address
            for channel, address in recipient.addresses.items()
            if has.get(channel) or not live
        }

    def _choose_url(self, visit: Visit) -> str | None:
        if self._still_hers(visit) is None or not self._marketing:
            return None
        return self._url(Purpose.PREFERENCES, visit)

    def _url(self, purpose: Purpose, visit: Visit) -> str:
        return f"{PATHS[purpose]}/{self._links.token(purpose, visit.holder, visit.now)}"

    def _title(self, topic: str, visit: Visit) -> str:
        return self._settings.topics[topic].shown(topic, visit.words.language)

    def _always(self, visit: Visit) -> list[str]:
        return sorted(self._title(one, visit) for one in self._settings.transactional)

    def _stale(self, words: Words, leave_url: str | None) -> Response:
        text = words.stale_text
        if self._settings.club.phone:
            text += f" {words.call_us} {self._settings.club.phone}."
        return self._told(words, words.stale_title, text, status=404, leave_url=leave_url)

    def _told(
        self,
        words: Words,
        title: str,
        text: str,
        *,
        status: int = 200,
        leave_url: str | None = None,
        choose_url: str | None = None,
    ) -> Response:
        return self._pages.show(
            "told.html",
            words,
            status=status,
            title=title,
            text=text,
            leave_url=leave_url,
            choose_url=choose_url,
        )


Show = Callable[[Desk, Visit], Response]
Act = Callable[[Desk, Visit, bytes], Response]


def _door(purpose: Purpose, show: Show, act: Act) -> Door:
    """One page with a form, and what the form does."""
    prefix = PATHS[purpose]

    def routes(premises: Premises) -> APIRouter:
        router, desk = APIRouter(), Desk(premises)

        @router.api_route(f"{prefix}/{{token}}", methods=list(_SHOWN))
        def shown(token: str) -> Response:
            return desk.with_link(purpose, token, lambda visit: show(desk, visit))

        @router.post(f"{prefix}/{{token}}")
        async def acted(token: str, request: Request) -> Response:
            body = await request.body()
            return await run_in_threadpool(
                desk.with_link, purpose, token, lambda visit: act(desk, visit, body)
            )

        return router

    return Door(prefix, routes, max_body=16 * KIB, allowance=_ALLOWANCE)


LEAVE = _door(Purpose.UNSUBSCRIBE, Desk.leave_form, Desk.leave)
CHOOSE = _door(Purpose.PREFERENCES, Desk.choose_form, Desk.choose)
CONFIRM = _door(Purpose.CONFIRM, Desk.confirm_form, Desk.confirm)
