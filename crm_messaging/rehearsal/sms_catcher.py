"""An SMS provider on this machine: it speaks Twilio's Messages.json and sends nothing."""

import asyncio
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Form
from fastapi.responses import JSONResponse

from crm_messaging.rehearsal.caught import CaughtMail
from crm_messaging.rehearsal.reading import CaughtSms

_REQUIRED = {"To": 21604, "From": 21603, "Body": 21602}
"""Twilio's error code for each parameter that is missing."""


def sms_app(caught: CaughtMail) -> FastAPI:
    """The provider's side of Messages.json; answers 201 after the message is in its folder."""
    app = FastAPI(openapi_url=None)

    @app.post("/2010-04-01/Accounts/{account}/Messages.json")
    async def create_message(
        account: str,
        to: Annotated[str, Form(alias="To")] = "",
        sender: Annotated[str, Form(alias="From")] = "",
        body: Annotated[str, Form(alias="Body")] = "",
    ) -> JSONResponse:
        given = {"To": to, "From": sender, "Body": body}
        for name, code in _REQUIRED.items():
            if not given[name]:
                problem = {"code": code, "message": f"A '{name}' is required.", "status": 400}
                return JSONResponse(problem, 400)
        message = CaughtSms(sender=sender, recipient=to, body=body, sid=f"SM{uuid.uuid4().hex}")
        try:
            caught.catch_sms(message)
        except OSError as error:
            said = f"The rehearsal folder cannot be written: {error.strerror}."
            return JSONResponse({"code": 20503, "message": said, "status": 503}, 503)
        answer = {"sid": message.sid, "status": "queued", "account_sid": account}
        return JSONResponse(answer | {"to": to, "from": sender, "body": body}, 201)

    @app.get("/catcher")
    async def catcher() -> dict[str, str]:
        return {"catches_into": caught.identity}

    return app


class _QuietServer(uvicorn.Server):
    """uvicorn as a guest in somebody else's loop: the signals are the host's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class SmsCatcher:
    """A running catcher."""

    def __init__(self, caught: CaughtMail) -> None:
        config = uvicorn.Config(
            sms_app(caught),
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
        self._server = _QuietServer(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self, listening: socket.socket) -> None:
        """Serve HTTP on `listening`, in the running loop."""
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        while not self._server.started:
            if self._serving.done():
                return self._serving.result()
            await asyncio.sleep(0.005)  # uvicorn has no event for it
        return None

    async def stop(self) -> None:
        """Finish the requests under way, then close."""
        self._server.should_exit = True
        if self._serving is not None:
            await self._serving
