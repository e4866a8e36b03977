"""Where leads come in: `/in/<form>`, a page of our own or the address that another sender posts to.

What arrives proves itself, is committed, and only then hears 2xx. It is read a moment later, from
the inbox.
"""

from hmac import compare_digest
from time import monotonic
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import PlainTextResponse

from crm_console.web.public.allowances import Allowances
from crm_console.web.public.door import KIB, Allowance, Counted, Door
from crm_console.web.public.hosted_form import HostedPage
from crm_console.web.public.premises import Premises
from crm_messaging.webhooks.posted import Forged, Malformed, Posted, octets
from crm_store.inbox import Arrival
from flows.leads.proofs import PROOFS, Sent, secret_of
from flows.leads.settings import FormSettings, HostedForm, MetaForm
from flows.leads.taking_in import SOURCE

_KEPT_HEADERS = ("content-type",)
_FILLED_IN = Allowance(burst=30, per_minute=10)
"""How often one address may fill in a page of ours: a club's own tablet, a carrier's many phones.
Each may make the club write to somebody, whoever that is."""


def _routes(premises: Premises) -> APIRouter:
    routes = APIRouter()
    for name, form in premises.project.settings.forms.items():
        if isinstance(form, HostedForm):
            _add_page(routes, premises, name, form)
        else:
            _add_sender(routes, premises, name, form)
        if isinstance(form, MetaForm):
            _add_challenge(routes, name, form)
    return routes


def _add_sender(routes: APIRouter, premises: Premises, name: str, form: FormSettings) -> None:
    secret, verify = secret_of(name, form), PROOFS[form.kind]
    path = f"/in/{name}"

    async def post(request: Request) -> Response:
        posted = Posted(await request.body(), request.headers)
        query = parse_qsl(request.url.query, keep_blank_values=True)
        key = "".join(value for one, value in query if one == "key")
        url = f"{premises.project.settings.public.url}{path}"
        url += f"?{request.url.query}" if request.url.query else ""
        try:
            verify(Sent(posted, url, key, premises.clock()), secret)
            kept = {one: request.headers.get(one, "") for one in _KEPT_HEADERS}
            await premises.receiving.receive(_arrival(name, posted, kept))
        except Forged:
            raise HTTPException(403) from None
        except Malformed:
            raise HTTPException(400) from None
        # Tilda looks at nothing but the status; Google Ads wants an empty object.
        return Response("{}", media_type="application/json")

    routes.add_api_route(path, post, methods=["POST"])


def _arrival(name: str, posted: Posted, headers: dict[str, str]) -> Arrival:
    """By the body's digest: a sender that repeats itself repeats its octets."""
    return Arrival(f"{SOURCE}{name}", posted.digest(), posted.body, headers)


def _add_challenge(routes: APIRouter, name: str, form: MetaForm) -> None:
    """Meta asks once, by GET, whether the address is the club's."""

    def challenge(request: Request) -> Response:
        asked = request.query_params
        known = form.verify_token.get_secret_value() if form.verify_token else ""
        given = asked.get("hub.verify_token", "")
        if not known or not compare_digest(octets(given), octets(known)):
            raise HTTPException(403)
        return PlainTextResponse(asked.get("hub.challenge", "")[:200])

    routes.add_api_route(f"/in/{name}", challenge, methods=["GET"])


def _add_page(routes: APIRouter, premises: Premises, name: str, form: HostedForm) -> None:
    page = HostedPage(form, premises.project, premises.clock)
    path = f"/in/{name}"
    filled_in = Allowances()

    def show(request: Request) -> Response:
        return page.show(request.headers.get("accept-language", ""), dict(request.query_params))

    async def post(request: Request) -> Response:
        wanted = request.headers.get("accept-language", "")
        posted = Posted(await request.body(), request.headers)
        try:
            given = {one: found[-1].strip() for one, found in posted.form.items()}
        except Malformed:
            raise HTTPException(400) from None
        if page.is_filled_by_a_machine(given):
            # It hears what a person hears, and nothing is kept.
            return page.thank(wanted)
        if missing := page.missing(given):
            return page.show(wanted, given, missing=missing)
        key, now = (request.client.host if request.client else "", path), monotonic()
        if wait := filled_in.wait(key, _FILLED_IN, now):
            raise HTTPException(429, headers={"Retry-After": str(int(wait) + 1)})
        filled_in.spend(key, _FILLED_IN, now)
        body = urlencode(page.kept(given)).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        await premises.receiving.receive(_arrival(name, Posted(body, headers), headers))
        return page.thank(wanted)

    routes.add_api_route(path, show, methods=["GET", "HEAD"])
    routes.add_api_route(path, post, methods=["POST"])


FORMS = Door(
    "/in",
    _routes,
    max_body=256 * KIB,
    allowance=Allowance(burst=120, per_minute=60, counts=Counted.REFUSALS),
)
