"""The HTTP API, `/api/v1`: other programs of the club tell of events and customers.

Each request carries a token of `sampark token`. It is written down before it is answered; a
repeat, by the sender's own id, changes nothing. Described for programs at `/api/v1/openapi.json`.
"""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import Connection

from crm_console.naming import customer_named
from crm_console.web.public.api_shapes import (
    CustomerAnswer,
    CustomerChange,
    CustomerName,
    EventAnswer,
    NewEvent,
    Trouble,
)
from crm_console.web.public.door import KIB, Allowance, Counted, Door
from crm_console.web.public.premises import Premises
from crm_store import api_tokens, events
from crm_store.customers import find_customer
from crm_store.errors import SamparkError, UnknownName, UsageError
from crm_store.event_names import LEAD_CREATED, STAGE_CHANGED
from crm_store.imports.batch import Purpose
from crm_store.imports.cells import Reading
from crm_store.leads import read_columns, refuse_odd_reference, store_lead

PREFIX = "/api/v1"
_BEARER = HTTPBearer(auto_error=False, description="A token of `sampark token create`.")
_REFUSED: dict[int | str, dict[str, Any]] = {
    401: {"model": Trouble},
    404: {"model": Trouble},
    422: {"model": Trouble},
}
_FIRST_YEAR = 1970
"""No club's program tells of anything earlier; the first years of all have no moment in UTC."""
Answer = TypeVar("Answer")


class _ReadRoute(APIRoute):
    """A route that names what it cannot read of a request: its sender has proved itself."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def read(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return JSONResponse(_misread(error).model_dump(), 422)

        return read


def _misread(error: RequestValidationError) -> Trouble:
    """The first thing that does not fit; of what was sent only the names of its keys."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"][1:])
    said = {
        "json_invalid": "The body is not JSON.",
        "missing": f"{name or 'The body'} is missing.",
        "extra_forbidden": f"There is no key {name}.",
    }
    reason = said.get(first["type"], f"{name or 'The body'} cannot be read.")
    return Trouble(
        reason=reason.encode("ascii", "backslashreplace").decode(),
        instruction=f"{PREFIX}/openapi.json has the form.",
    )


def _routes(premises: Premises) -> APIRouter:
    routes = APIRouter(prefix=PREFIX, route_class=_ReadRoute)
    desk = _Desk(premises)

    def whose_token(given: Annotated[HTTPAuthorizationCredentials | None, Depends(_BEARER)]) -> str:
        return desk.sender(given.credentials if given else "")

    @routes.post("/events", status_code=201, response_model=EventAnswer, responses=_REFUSED)
    def tell_event(told: NewEvent, sender: Annotated[str, Depends(whose_token)]) -> Response:
        """Record an event of a customer."""
        return desk.answer(lambda connection: desk.event(connection, sender, told))

    @routes.post("/customers", status_code=201, response_model=CustomerAnswer, responses=_REFUSED)
    def tell_customer(
        told: CustomerChange, sender: Annotated[str, Depends(whose_token)]
    ) -> Response:
        """Make a customer, or change what is known of one."""
        return desk.answer(lambda connection: desk.customer(connection, sender, told))

    @routes.get("/openapi.json", include_in_schema=False)
    def described(_request: Request) -> Response:
        about = get_openapi(
            title="Sampark",
            version="1",
            routes=[one for one in routes.routes if getattr(one, "include_in_schema", False)],
            servers=[{"url": premises.project.settings.public.url}],
        )
        return JSONResponse(about)

    return routes


class _Desk:
    """Does what a request asks for, in one transaction."""

    def __init__(self, premises: Premises) -> None:
        self._premises = premises

    def sender(self, token: str) -> str:
        """Whose token it is. Raises 401."""
        with self._premises.store.read() as connection:
            found = api_tokens.owner(connection, self._premises.club_id, token)
        if found is None:
            raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
        return f"api:{found}"

    def answer(self, do: Callable[[Connection], EventAnswer | CustomerAnswer]) -> Response:
        """201 after the commit; what a person can mend is told in words."""
        try:
            made = self._premises.store.transact(do)
        except SamparkError as error:
            status = 404 if isinstance(error, UnknownName) else 422
            trouble = Trouble(reason=error.reason, instruction=error.instruction)
            return JSONResponse(trouble.model_dump(), status)
        return JSONResponse(made.model_dump(), 201 if made.is_new else 200)

    def event(self, connection: Connection, sender: str, told: NewEvent) -> EventAnswer:
        now = self._premises.clock()
        made = events.record(
            connection,
            customer_id=self._whose(connection, told.customer),
            name=told.name,
            data=self._data(told),
            source=sender,
            source_id=told.id,
            occurred_at=self._moment(told.at, now),
            now=now,
        )
        return EventAnswer(event=made, is_new=made is not None)

    def customer(self, connection: Connection, sender: str, told: CustomerChange) -> CustomerAnswer:
        premises = self._premises
        refuse_odd_reference(told.ref)
        now, zone = premises.clock(), premises.project.zone
        reading = Reading(premises.project.settings.club.country, zone, now.astimezone(zone).date())
        catalogue = premises.project.catalogue
        values, unread = read_columns(told.fields, catalogue, reading)
        for name, error in unread.items():
            raise UsageError(f"{name}: {error.reason}", error.instruction)
        unknown = set(told.fields) - {*values, "ref"} - _empty(told.fields)
        if unknown:
            raise UsageError(
                f"There is no field {', '.join(sorted(unknown))}.",
                "The fields are the columns of a customers file; see the page of fields.",
            )
        known = find_customer(connection, premises.club_id, told.ref)
        purpose = Purpose(premises.club_id, sender, now, catalogue)
        customer_id = store_lead(connection, told.ref, values, purpose)
        if known is None:
            events.record(
                connection,
                customer_id=customer_id,
                name=LEAD_CREATED,
                data={"source": values.get("source") or sender},
                source=sender,
                source_id=f"{LEAD_CREATED}:{told.ref}",
                occurred_at=now,
                now=now,
            )
        return CustomerAnswer(customer=customer_id, is_new=known is None)

    def _whose(self, connection: Connection, named: CustomerName) -> int:
        name = named.ref or named.email or named.phone
        if name is None:
            raise UsageError("The customer is not named.", "Give `ref`, `email` or `phone`.")
        country = self._premises.project.settings.club.country
        return customer_named(connection, self._premises.club_id, name, country)

    def _data(self, told: NewEvent) -> dict[str, Any]:
        if told.name != STAGE_CHANGED:
            return told.data
        pipeline, to = told.data.get("pipeline"), told.data.get("to")
        stages = self._premises.project.settings.pipelines.get(str(pipeline), ())
        if to not in stages:
            raise UsageError(
                "A stage_changed event names a pipeline and a stage of it that club.yaml has.",
                'Write {"pipeline": …, "to": …} into `data`.',
            )
        return told.data

    @staticmethod
    def _moment(at: datetime | None, now: datetime) -> datetime:
        if at is None:
            return now
        if at.tzinfo is None:
            raise UsageError("`at` has no offset.", "Write it as 2026-03-01T10:00:00+05:30.")
        if at.year < _FIRST_YEAR:
            raise UsageError("`at` is too long ago.", f"Give a year from {_FIRST_YEAR} on.")
        if at > now:
            raise UsageError("`at` is still to come.", "An event has happened already.")
        return at


def _empty(fields: dict[str, Any]) -> set[str]:
    return {name for name, value in fields.items() if value in (None, "", [])}


API = Door(
    PREFIX,
    _routes,
    max_body=64 * KIB,
    allowance=Allowance(burst=60, per_minute=60, counts=Counted.REFUSALS),
)
