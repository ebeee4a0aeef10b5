"""Who is let in: the page of this very server, with its token, and nobody else's page.

Three things are asked before anything reads a request. Its `Host` must be one of ours, or a foreign name could be made
to point here (DNS rebinding). It must come from our own page (`Origin`, `Sec-Fetch-Site`), or any page in the browser
could talk to us (cross-site request forgery). And it must know the token, which only the printed address tells.
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
_OWN_SITES = ("same-origin", "none")  # our page, or the user's own hand


class Gate:
    """Middleware that refuses with 403 what is not our own page's request, and adds the headers of a careful server.

    Parameters
    ----------
    app : ASGI application
    token : str
    hosts : tuple of str
        Names and ports under which we are called, such as ``127.0.0.1:8000``; empty for any.
    cookie : str
        Its name. Cookies are shared by all ports of a host, so it should tell ours.
    """

    def __init__(self, app: ASGIApp, token: str, hosts: tuple[str, ...], cookie: str) -> None:
        self._app, self._token, self._hosts, self._cookie = app, token, hosts, cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # there are no web sockets here; an unanswered handshake is refused

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
            # The token goes from the address into a cookie: out of sight, and not handed on.
            answer = RedirectResponse("/", 303)
            answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict")
        elif not self._knows(request.cookies.get(self._cookie)):
            message = "refused: no token. Open the address that reverb studio has printed"
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
        # In constant time, so that the time of a refusal tells nothing.
        return token is not None and hmac.compare_digest(token.encode(), self._token.encode())
