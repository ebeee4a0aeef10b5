"""`reverb live` and `reverb devices` without a sound card: usage, errors, and how options reach the session."""

import socket
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from reverb.cli.app import cli
from reverb.errors import MissingExtraError
from tests.live.fakes import FakeCard


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> FakeCard:
    """Let `reverb live` play on a card that is a thread."""
    fake = FakeCard()
    from reverb.live import session

    defaults = session.Session.__init__.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "open_stream", fake.open)
    monkeypatch.setitem(defaults, "decide_setup", fake.decide)
    return fake


def run(*arguments: str) -> Any:
    return CliRunner().invoke(cli, [*arguments])


def test_without_portaudio_the_commands_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise MissingExtraError("live sound needs the PortAudio library; install it with: apt install ...")

    monkeypatch.setattr("reverb.live.cards.load_sounddevice", missing)
    for arguments in (["devices"], ["live"], ["live", "--measure-latency"]):
        result = run(*arguments)
        assert result.exit_code == 1
        assert result.output.startswith("Error: live sound needs the PortAudio library")
    assert run("ir", "list").exit_code == 0


def test_a_session_ends_with_a_summary(card: FakeCard, tmp_path: Path) -> None:  # noqa: ARG001
    path = tmp_path / "take.wav"
    result = run(
        "live", "--ir", "room", "--duration", "0.3", "--record", str(path), "--gain", "-3", "--osc", "0"
    )
    assert result.exit_code == 0, result.output
    for part in (
        "OSC at 127.0.0.1:",
        "in blocks of 128 frames",
        "callback: p50",
        "peaks:",
        f"recorded {path}",
    ):
        assert part in result.output


def test_a_preset_is_played_through(card: FakeCard, tmp_path: Path) -> None:  # noqa: ARG001
    path = tmp_path / "take.wav"
    result = run("live", "--chain", "telephone", "--duration", "0.2", "--record", str(path))
    assert result.exit_code == 0, result.output
    assert f"recorded {path}" in result.output
    for arguments, says in (
        (("--chain", "telefone"), "no preset 'telefone'; did you mean 'telephone'"),
        (("--chain", "telephone", "--ir", "room"), "--ir and --chain exclude each other"),
        (("--chain", "telephone", "--mix", "0.2"), "--mix and --chain exclude each other"),
    ):
        result = run("live", *arguments)
        assert (result.exit_code, says in result.output) == (2, True), result.output


def test_ctrl_c_ends_it_with_a_summary_too(card: FakeCard, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("reverb.monitor.plain.run_plain", interrupted)
    result = run("live", "--ir", "room")
    assert result.exit_code == 0
    assert "in blocks of 128 frames" in result.output


def test_a_lost_card_is_an_error_after_the_summary(card: FakeCard, monkeypatch: pytest.MonkeyPatch) -> None:
    def unplugged(session: Any, *_: object, **__: object) -> None:
        card.stream.active = False
        session.wait(5)

    monkeypatch.setattr("reverb.monitor.plain.run_plain", unplugged)
    result = run("live", "--ir", "room")
    assert result.exit_code == 1
    assert "in blocks of 128 frames" in result.output
    assert result.output.splitlines()[-1].startswith("Error: device 0 ('fake', Fake API) was lost")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ir", "hal"], "did you mean 'hall'"),
        (["--mix", "2"], "mix is 2; expected a number from 0 to 1"),
        (["--mix", "0.5", "--wet", "0"], "expected either mix, or wet and dry"),
        (["--predelay", "-1"], "predelay"),
        (["--block-size", "0"], "block_size is 0; expected"),
        (["--sample-rate", "1"], "sample_rate is 1; expected"),
        (["--latency", "soon"], "expected low, high or milliseconds"),
        (["--input-channels", "one"], "expected numbers from 1"),
        (["--input-channels", "0"], "from 1, such as (1, 2)"),
        (["--record-dry", "dry.wav"], "--record-dry needs --record"),
        (["--record", "take.flac"], "is not valid until it is closed"),
        (["--gain", "nan"], "gain is nan dB; expected"),
        (["--transition", "jump"], "'jump' is not one of"),
        (["--duration", "0"], "0.0 is not in the range x>0"),
    ],
)
def test_wrong_usage_is_one_line_with_status_2(card: FakeCard, arguments: list[str], message: str) -> None:  # noqa: ARG001
    result = run("live", *arguments, "--quiet")
    assert result.exit_code == 2, result.output
    assert message in result.output
    assert len(result.output.splitlines()) == 1


def test_failures_have_status_1(card: FakeCard, tmp_path: Path) -> None:  # noqa: ARG001
    existing = tmp_path / "take.wav"
    existing.write_bytes(b"mine")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        for arguments, message in (
            (["--input-file", "missing.wav"], "missing.wav: no such file"),
            (["--record", str(existing)], "exists already; use --force"),
            (["--osc", str(taken.getsockname()[1])], "choose another --osc port"),
        ):
            result = run("live", "--duration", "0.1", *arguments)
            assert result.exit_code == 1, result.output
            assert message in result.output
    assert existing.read_bytes() == b"mine"
