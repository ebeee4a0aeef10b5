"""A studio without a browser: its application behind Starlette's test client."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("starlette", reason="needs Starlette (extra studio)")
pytest.importorskip("uvicorn", reason="needs uvicorn (extra studio)")
pytest.importorskip("httpx2", reason="needs httpx2, which Starlette's test client is made of")

from starlette.testclient import TestClient

from reverb.studio.app import create_app
from reverb.studio.uploads import Limits

HOST = "127.0.0.1:8765"
TOKEN = "a-token-of-the-tests"
Studio = Callable[..., TestClient]


@pytest.fixture
def studio() -> Iterator[Studio]:
    """Return a function that starts a studio and returns a client, by default one with the token."""
    clients = []

    def start(*, token: bool = True, **limits: Any) -> TestClient:
        app = create_app(TOKEN, hosts=(HOST, "localhost:8765"), limits=Limits(**limits))
        client = TestClient(app, base_url=f"http://{HOST}", follow_redirects=False)
        clients.append(client)
        client.__enter__()
        if token:
            client.cookies.set("reverb-studio", TOKEN)
        return client

    yield start
    for client in clients:
        client.__exit__(None, None, None)
