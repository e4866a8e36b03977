"""The door for reports of e-mail providers: `/hooks/<provider>`.

Only providers that club.yaml names are there. What they post is checked as it came, stored, and
committed before they hear 200; it is read later, from the inbox.
"""

from fastapi import APIRouter, HTTPException, Request, Response

from crm_console.web.public.certificates import Certificates
from crm_console.web.public.door import KIB, Allowance, Counted, Door
from crm_console.web.public.premises import Premises
from crm_messaging.webhooks.posted import Forged, Malformed, Posted
from crm_messaging.webhooks.providers import Open, Proof, open_providers
from crm_store.inbox import Arrival

PREFIX = "/hooks"
MIB = 1024 * KIB


def _routes(premises: Premises) -> APIRouter:
    """A route for each open provider. Raises `EnvironmentUnready` when one lacks its secret."""
    routes = APIRouter()
    for one in open_providers(premises.project.settings.webhooks).values():
        _add(routes, premises, one, Certificates(premises.fetch))
    return routes


def _add(routes: APIRouter, premises: Premises, opened: Open, certificates: Certificates) -> None:
    provider = opened.provider

    async def post(request: Request) -> Response:
        posted = Posted(await request.body(), request.headers)
        if posted.content_type not in provider.content_types:
            raise HTTPException(415)
        try:
            certificate = b""
            if provider.certificate_url:
                certificate = await certificates.at(
                    provider.certificate_url(posted, opened.settings)
                )
            now = premises.clock()
            proof = Proof(opened.settings, opened.secret, certificate, now)
            provider.verify(posted, proof)
            posted.must_parse()
            kept = {name: request.headers.get(name, "") for name in provider.kept_headers}
            arrival = Arrival(provider.name, provider.source_id(posted), posted.body, kept)
        except Forged:
            raise HTTPException(403) from None
        except Malformed:
            raise HTTPException(400) from None
        await premises.receiving.receive(arrival)
        return Response()

    async def is_there(_request: Request) -> Response:
        """Some look whether anybody is there when they are given the address."""
        return Response()

    path = f"{PREFIX}/{provider.name}"
    # Plain routes: FastAPI's own take apart each request for arguments that there are none of.
    routes.add_route(path, post, methods=["POST"])
    routes.add_route(path, is_there, methods=["GET"])


REPORTS = Door(
    PREFIX,
    _routes,
    # SendGrid's batches have up to 768 KiB; Postmark's bounces may carry a part of the mail.
    max_body=MIB,
    allowance=Allowance(burst=100, per_minute=60, counts=Counted.REFUSALS),
)
