"""Access control: only the studio's own page is admitted, and only with its token.

Three checks precede every request. Its `Host` must be one of the server's names, or a foreign name could be made to
point here (DNS rebinding). It must come from the studio's own page (`Origin`, `Sec-Fetch-Site`), or any page in the
browser could send requests (cross-site request forgery). And it must present the token of the printed address.
"""

import hmac

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
_OWN_SITES = ("same-origin", "none")  # the studio's page, or an address that the user entered


class AccessGate:
    """Middleware that answers requests of other pages with 403, and adds security headers.

    Parameters
    ----------
    app : ASGI application
    token : str
    hosts : tuple of str
        Names and ports of this server, such as ``127.0.0.1:8000``; empty for any.
    cookie : str
        Name of the cookie. All ports of a host share cookies, so it should contain the port.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: tuple[str, ...], cookie: str) -> None:
        self._app, self._token, self._hosts, self._cookie = app, token, hosts, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no web sockets: an unanswered handshake is refused

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        request = HTTPConnection(scope)
        answer = self._app
        if not self._is_ours(request):
            answer = JSONResponse({"error": "refused: not a request of this studio's own page"}, 403)
        elif scope["path"] == "/" and self._knows(request.query_params.get("token")):
            # Move the token from the address into a cookie, so that it is not visible or passed on.
            answer = RedirectResponse("/", 303)
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        elif not self._knows(request.cookies.get(self._cookie)):
            message = "refused: no token. Open the address that reverb studio printed"
            answer = JSONResponse({"error": message}, 403)
        await answer(scope, receive, send_with_headers)

    def _is_ours(self, request: HTTPConnection) -> bool:
        host, origin = request.headers.get("host", ""), request.headers.get("origin")
        return (
            (not self._hosts or host in self._hosts)
            and (origin is None or origin == f"{request.scope['scheme']}://{host}")
            and request.headers.get("sec-fetch-site", "none") in _OWN_SITES
        )

    def _knows(self, token: str | None) -> bool:
        # In constant time: the time of a refusal must not reveal how much of a token is right.
        return token is not None and hmac.compare_digest(token.encode(), self._token.encode())
