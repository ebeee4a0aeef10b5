"""The studio as an application: its answers behind the gate, and how it says that something is wrong."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from reverb.errors import ReverbError, UnknownNameError
from reverb.studio.answers import Answers
from reverb.studio.gate import Gate
from reverb.studio.messages import TooLargeError
from reverb.studio.shelf import Limits


def create_app(
    token: str,
    *,
    hosts: tuple[str, ...] = (),
    cookie: str = "reverb-studio",
    limits: Limits | None = None,
) -> Starlette:
    """Return the studio as an ASGI application; its temporary folder goes when it shuts down.

    Parameters
    ----------
    token : str
        What a browser has to know.
    hosts, cookie
        As `Gate` takes them.
    limits : Limits, optional
        Of what a browser may bring.
    """
    answers = Answers(limits or Limits())

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            answers.close()

    gate = Middleware(Gate, token=token, hosts=hosts, cookie=cookie)
    handlers: Any = {
        ReverbError: _refuse,
        TooLargeError: _refuse,
        ClientDisconnect: _nobody,
        Exception: _fail,
    }
    return Starlette(
        routes=answers.routes(), middleware=[gate], exception_handlers=handlers, lifespan=lifespan
    )


def _refuse(_request: Request, error: Exception) -> Response:
    """Say on one line what is wrong, and how to mend it."""
    status = 413 if isinstance(error, TooLargeError) else 404 if isinstance(error, UnknownNameError) else 400
    return JSONResponse({"error": " ".join(str(error).split())}, status)


async def _nobody(_request: Request, _error: Exception) -> Response:
    """Answer a browser that went away while it sent."""
    return Response(status_code=400)


async def _fail(_request: Request, error: Exception) -> Response:
    """Say what nobody foresaw; `--debug` shows where."""
    return JSONResponse({"error": f"the studio failed: {type(error).__name__}: {error}"}, 500)
