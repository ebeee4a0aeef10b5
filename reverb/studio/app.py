"""The studio as an ASGI application, and the server that runs it with a new token until an interrupt."""

import contextlib
import errno
import ipaddress
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from reverb.checks import instance, whole
from reverb.errors import ParameterError, ReverbError, UnknownNameError
from reverb.studio.api import Api, TooLargeError
from reverb.studio.gate import AccessGate
from reverb.studio.uploads import Limits

PORT = 8765
_MAX_PORT = 65_535
_SHUTDOWN_SECONDS = 1  # for requests in progress
_PORT_ERRORS = (errno.EADDRINUSE, errno.EACCES)


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
    instance("token", token, str)
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


def serve(
    host: str,
    port: int | None,
    ready: Callable[[str], None],
    *,
    limits: Limits | None = None,
    debug: bool = False,
) -> None:
    """Serve the studio until an interrupt.

    Parameters
    ----------
    host : str
        Name or address to listen on.
    port : int, optional
        0 for any free one; by default 8765, for which the browser remembers the theme, or else any free one.
    ready : callable
        Called with the address to open, which contains the token, once connections are accepted.
    limits : Limits, optional
        Limits of uploads.
    debug : bool
        Print tracebacks of unexpected errors on stderr.

    Raises
    ------
    ParameterError
        If the address cannot be used, or an argument has the wrong type.
    """
    instance("host", host, str, "a name or an address")
    port = None if port is None else whole("port", port, 0, _MAX_PORT)
    with _listener(host, port) as listener:
        port = listener.getsockname()[1]
        token = secrets.token_urlsafe(24)
        app = create_app(token, hosts=_host_names(host, port), cookie=f"reverb-studio-{port}", limits=limits)
        config = uvicorn.Config(
            app,
            log_level="error" if debug else "critical",
            access_log=False,
            server_header=False,
            ws="none",
            timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
        )
        ready(f"http://{_in_address(host)}:{port}/?token={token}")
        uvicorn.Server(config).run(sockets=[listener])


def _listener(host: str, port: int | None) -> socket.socket:
    if port is not None:
        return listening_socket(host, port)
    try:
        return listening_socket(host, PORT)
    except ParameterError:
        return listening_socket(host, 0)


def is_loopback(host: str) -> bool:
    """Return whether an address is reachable from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise ParameterError if the address cannot be used."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError) as error:
        hint = (
            "choose another --port, or 0 for any"
            if isinstance(error, OSError) and error.errno in _PORT_ERRORS
            else ""
        )
        raise ParameterError(f"cannot listen on {host}:{port} ({error}); {hint or 'check --host'}") from error


def _host_names(host: str, port: int) -> tuple[str, ...]:
    """Return the host names and ports that a browser may use; none, for any, if it listens on all addresses."""
    if _is_unspecified(host):
        return ()
    names = {host, "127.0.0.1", "localhost", "::1"} if is_loopback(host) else {host}
    return tuple(f"{_in_address(name)}:{port}" for name in sorted(names))


def _is_unspecified(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _in_address(host: str) -> str:
    """Return a host as a part of a URL."""
    return f"[{host}]" if ":" in host else host
