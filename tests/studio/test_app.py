"""The studio's server: the address on which it listens, and arguments that are refused."""

import math
import socket
from typing import Any

import pytest

from reverb.errors import ParameterError

pytest.importorskip("starlette", reason="needs Starlette (extra studio)")
pytest.importorskip("uvicorn", reason="needs uvicorn (extra studio)")

from reverb.studio.app import create_app, is_loopback, listening_socket, serve


def unreachable(_address: str) -> None:
    raise AssertionError("the server started")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("a", False),
    ],
)
def test_only_this_machine_reaches_a_loopback_address(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


def test_a_port_in_use_is_an_error_with_a_remedy() -> None:
    with listening_socket("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(
            ParameterError, match=rf"cannot listen on 127.0.0.1:{port} .*choose another --port"
        ):
            serve("127.0.0.1", port, unreachable)


def test_a_host_that_does_not_exist_is_an_error_with_a_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ParameterError, match=r"cannot listen on nowhere:0 \(Name .*check --host"):
        serve("nowhere", 0, unreachable)


def test_arguments_of_the_wrong_kind_are_refused_before_it_listens() -> None:
    ports: list[Any] = [math.nan, "8765", -1, 65_536, 2.5, True, [1]]
    for port in ports:
        with pytest.raises(ParameterError, match="port is"):
            serve("127.0.0.1", port, unreachable)
    names: list[Any] = [None, math.nan, 3, b"localhost", ["localhost"]]
    for name in names:
        with pytest.raises(ParameterError, match="host is"):
            serve(name, 0, unreachable)
        with pytest.raises(ParameterError, match="token is"):
            create_app(name)
