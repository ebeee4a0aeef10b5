"""`reverb studio` as a command: its output and its end."""

import builtins
import re
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import click.testing
import pytest

from reverb.cli.app import cli
from reverb.errors import missing_extra
from tests.cli.test_processes import start

STUDIO = ("studio", "--no-browser", "--port", "0")


def _open(command: "subprocess.Popen[bytes]") -> str:
    assert command.stdout is not None
    found = re.search(rb"reverb studio: (http://\S+/\?token=\S{20,})\n", command.stdout.readline())
    assert found is not None
    return found[1].decode()


def _begin_upload(address: str) -> socket.socket:
    host, port, token = re.match(r"http://(.+):(\d+)/\?token=(.+)", address).groups()  # type: ignore[union-attr]
    connection = socket.create_connection((host, int(port)))
    connection.sendall(
        f"POST /api/recordings?name=a.wav HTTP/1.1\r\nHost: {host}:{port}\r\n"
        f"Cookie: reverb-studio-{port}={token}\r\nContent-Length: 1000\r\n\r\nRIFF".encode()
    )
    return connection


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_an_address_that_only_the_token_opens_and_ends_cleanly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    pytest.importorskip("uvicorn", reason="needs uvicorn (extra studio)")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    command = start(*STUDIO, cwd=tmp_path)
    address = _open(command)
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(address.partition("?")[0])
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with opener.open(address) as answer:
        assert b"<title>reverb studio</title>" in answer.read()
    # One upload is given up on its way, another hangs when the studio ends: neither leaves anything.
    _begin_upload(address).close()
    hanging = _begin_upload(address)
    assert [path.name[:14] for path in tmp_path.iterdir()] == ["reverb-studio-"]
    command.send_signal(number)
    with hanging:
        said, errors = command.communicate(timeout=30)
    assert (command.returncode, errors) == (0, b"")
    assert said.endswith(b"the studio is closed; its uploads are removed\n")
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_told() -> None:
    pytest.importorskip("uvicorn", reason="needs uvicorn (extra studio)")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        result = click.testing.CliRunner().invoke(cli, ["studio", "--no-browser", "--port", port])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: cannot listen on 127.0.0.1:{port} (")
    assert "choose another --port, or 0 for any" in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_its_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *args: Any, **more: Any) -> Any:
        if name.startswith("reverb.studio"):
            raise ImportError("No module named 'starlette'", name="starlette")
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    result = click.testing.CliRunner().invoke(cli, ["studio"])
    assert result.exit_code == 1
    assert result.stderr == f"Error: {missing_extra('studio', 'the studio needs Starlette and uvicorn')}\n"
