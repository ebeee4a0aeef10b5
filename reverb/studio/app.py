"""The studio as an ASGI application: its API behind the gate, and its answers to errors."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from reverb.errors import ReverbError, UnknownNameError
from reverb.studio.api import Api
from reverb.studio.gate import AccessGate
from reverb.studio.messages import TooLargeError
from reverb.studio.uploads import Limits


def create_app(
    token: str,
    *,
    hosts: tuple[str, ...] = (),
    cookie: str = "reverb-studio",
    limits: Limits | None = None,
) -> Starlette:
    """Return the studio as an ASGI application; its temporary folder is removed when it shuts down.

    Parameters
    ----------
    token : str
        The secret that a browser must present.
    hosts, cookie
        As in `AccessGate`.
    limits : Limits, optional
        Limits of uploads.
    """
    api = Api(limits or Limits())

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            api.close()

    gate = Middleware(AccessGate, token=token, hosts=hosts, cookie=cookie)
    handlers: Any = {
        ReverbError: _refuse,
        TooLargeError: _refuse,
        ClientDisconnect: _disconnected,
        Exception: _fail,
    }
    return Starlette(routes=api.routes(), middleware=[gate], exception_handlers=handlers, lifespan=lifespan)


def _refuse(_request: Request, error: Exception) -> Response:
    """Answer with an error message of one line."""
    status = 413 if isinstance(error, TooLargeError) else 404 if isinstance(error, UnknownNameError) else 400
    return JSONResponse({"error": " ".join(str(error).split())}, status)


async def _disconnected(_request: Request, _error: Exception) -> Response:
    """Answer a browser that disconnected during an upload."""
    return Response(status_code=400)


async def _fail(_request: Request, error: Exception) -> Response:
    """Answer with an unexpected error, whose traceback `--debug` shows."""
    return JSONResponse({"error": f"the studio failed: {type(error).__name__}: {error}"}, 500)
