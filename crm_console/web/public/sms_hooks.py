"""Where SMS providers report deliveries and pass on what customers write.

A request proves itself, is committed, and only then hears 2xx. An opt-out is not put aside with
the rest: it holds with that same commit.
"""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, HTTPException, Request, Response

from crm_console.web.public.door import Allowance, Counted, Door
from crm_console.web.public.premises import Premises
from crm_messaging.channels.gateway_settings import GatewaySettings, MessageSettings
from crm_messaging.channels.settings import SmsSettings
from crm_messaging.channels.sms_settings import KannelSettings, TwilioSettings
from crm_messaging.incoming import IncomingText, numbers_of
from crm_messaging.webhooks import kannel, sms_gateway, twilio
from crm_store.inbox import Arrival
from flows.sms_reports import source_of
from flows.text_replies import Author, hear

_SENDERS = Allowance(burst=100, per_minute=60, counts=Counted.REFUSALS)
_Provider = TypeVar("_Provider", TwilioSettings, KannelSettings)
_KEY = "key"
"""The parameter of a URL in which a sender that signs nothing proves itself."""


def _twilio(premises: Premises) -> APIRouter:
    routes = APIRouter()

    @routes.post("/hooks/twilio")
    async def told(request: Request) -> Response:
        settings = _only_for(TwilioSettings, premises)
        body = await request.body()
        form = _form(request, body)
        if settings.token is None or not any(
            twilio.is_signed(
                settings.token.get_secret_value(),
                f"{place}?{request.url.query}" if request.url.query else place,
                request.headers.get(twilio.SIGNATURE_HEADER, ""),
                form=form,
                body=body,
            )
            for place in _twilios_urls(settings, premises)
        ):
            raise HTTPException(403)
        fields = dict(form)
        answer = ""
        if (incoming := twilio.incoming_of(fields)) is not None:
            answer = await _heard(premises, settings, "twilio", incoming)
            # Twilio's own answer to a word that it knows has gone out already.
            answer = "" if incoming.provider_wish else answer
        elif (source_id := twilio.source_id_of(fields)) is not None:
            await premises.receiving.receive(Arrival("twilio", source_id, body, {}))
        return Response(twilio.twiml(answer), media_type="text/xml")

    return routes


def _twilios_urls(settings: TwilioSettings, premises: Premises) -> list[str]:
    """Under which of its names Twilio knows this page: the request itself may say anything."""
    ours = f"{premises.project.settings.public.url}/hooks/twilio"
    return [ours, *([str(settings.status_callback)] if settings.status_callback else [])]


def _kannel(premises: Premises) -> APIRouter:
    routes = APIRouter()

    @routes.get("/hooks/kannel")
    async def delivery(request: Request) -> Response:
        settings = _only_for(KannelSettings, premises)
        query = _proven(request, settings)
        told = kannel.parameters(query)
        if "id" not in told:
            raise HTTPException(400)
        await premises.receiving.receive(_as_it_came("kannel", query.encode()))
        return Response(status_code=202)

    @routes.get("/hooks/kannel/incoming")
    async def incoming(request: Request) -> Response:
        settings = _only_for(KannelSettings, premises)
        found = kannel.incoming_of(kannel.parameters(_proven(request, settings)))
        if found is None:
            raise HTTPException(400)
        answer = await _heard(premises, settings, "kannel", found)
        # Kannel sends what it is answered with 200, and nothing after 202.
        return Response(answer, 200 if answer else 202, media_type="text/plain")

    return routes


def _gateway(premises: Premises) -> APIRouter:
    routes = APIRouter()

    @routes.api_route("/hooks/gateway/{channel}/reports", methods=["GET", "POST"])
    async def reports(request: Request, channel: str) -> Response:
        settings = _described(channel, premises)
        query = _proven(request, settings)
        if settings.reports is None:
            raise HTTPException(404)
        body = await request.body()
        kind = request.headers.get("content-type", "") if body else ""
        _readable(query, kind, body)
        source = source_of(channel)
        await premises.receiving.receive(_as_it_came(source, body or query.encode(), kind))
        return Response(status_code=200)

    @routes.api_route("/hooks/gateway/{channel}/incoming", methods=["GET", "POST"])
    async def incoming(request: Request, channel: str) -> Response:
        settings = _described(channel, premises)
        query = _proven(request, settings)
        if settings.incoming is None:
            raise HTTPException(404)
        kind = request.headers.get("content-type", "")
        told = _readable(query, kind, await request.body())
        for one in sms_gateway.incoming_of(told, settings.incoming, channel):
            await _heard(premises, settings, source_of(channel), one)
        return Response(status_code=200)

    return routes


def _described(channel: str, premises: Premises) -> GatewaySettings:
    """The gateway of a channel as club.yaml describes it; else there is no such page."""
    channels = premises.project.settings.channels
    settings = channels.sms if channel == "sms" else channels.messages.get(channel)
    if not isinstance(settings, GatewaySettings):
        raise HTTPException(404)
    return settings


def _only_for(kind: type[_Provider], premises: Premises) -> _Provider:
    """The club's provider, if it is of this kind; else there is no such page."""
    settings = premises.project.settings.channels.sms
    if not isinstance(settings, kind):
        raise HTTPException(404)
    return settings


def _proven(request: Request, settings: SmsSettings) -> str:
    """The URL's parameters without the secret, once it is the right one."""
    if settings.hook_secret is None:
        raise HTTPException(403)
    query = request.url.query
    try:
        pairs = parse_qsl(query, keep_blank_values=True, encoding="latin-1", max_num_fields=500)
    except ValueError:
        raise HTTPException(400) from None
    given = "".join(value for name, value in pairs if name == _KEY)
    if not compare_digest(given.encode(), settings.hook_secret.get_secret_value().encode()):
        raise HTTPException(403)
    rest = [(name, value) for name, value in pairs if name != _KEY]
    return urlencode(rest, encoding="latin-1")


def _form(request: Request, body: bytes) -> Sequence[tuple[str, str]]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        return []
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=500)
    except ValueError:
        raise HTTPException(400) from None


def _readable(query: str, kind: str, body: bytes) -> object:
    try:
        return sms_gateway.told_by(query, kind, body)
    except ValueError:
        raise HTTPException(400) from None


def _as_it_came(source: str, body: bytes, kind: str = "") -> Arrival:
    headers = {"content-type": kind} if kind else {}
    return Arrival(source, sha256(body).hexdigest(), body, headers)


async def _heard(
    premises: Premises, settings: SmsSettings, gateway: str, incoming: IncomingText
) -> str:
    """Keep a text that came in; what it is to be answered, if anything."""
    field = settings.address_field if isinstance(settings, MessageSettings) else None
    country = premises.project.settings.club.country
    addresses = [incoming.sender] if field else numbers_of(incoming.sender, country)

    def keep() -> str:
        author = Author(addresses, field)
        now = premises.clock()
        wish = premises.store.transact(hear, premises.club_id, gateway, incoming, author, now)
        return getattr(settings.answers, wish) if wish else ""

    return await asyncio.to_thread(keep)


TWILIO = Door("/hooks/twilio", _twilio, allowance=_SENDERS)
KANNEL = Door("/hooks/kannel", _kannel, allowance=_SENDERS)
GATEWAY = Door("/hooks/gateway", _gateway, allowance=_SENDERS)
