"""Run the studio: a listening socket, a new token, and a server until an interrupt."""

import errno
import ipaddress
import secrets
import socket
from collections.abc import Callable

import uvicorn

from reverb.errors import ParameterError
from reverb.studio.app import create_app
from reverb.studio.uploads import Limits

PORT = 8765
_SHUTDOWN_SECONDS = 1  # for requests in progress
_PORT_ERRORS = (errno.EADDRINUSE, errno.EACCES)


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
        If the address cannot be used.
    """
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
