"""Exports, each run by its own program against direct convolution; skipped where the program is absent."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from reverb.engine.routing import Path as Wire
from reverb.engine.routing import Routing, parallel
from reverb.errors import AudioFileError, ParameterError
from reverb.responses.response import ImpulseResponse
from reverb.store.formats.exports import KINDS, export
from reverb.store.response_files import load_response
from tests.nulls import null_db
from tests.signals import decaying, noise

RATE = 48_000
FRAMES = 5000
BUDGET = -90.0
Array = npt.NDArray[np.float64]

SPARSE = Routing(2, 3, (Wire(0, 0, 0), Wire(1, 2, 1), Wire(0, 2, 1)))


def responses() -> list[ImpulseResponse]:
    rows = 0.3 * decaying(3000, 4).astype(np.float32)
    return [
        ImpulseResponse(rows[:, :1], RATE, "mono"),
        ImpulseResponse(rows[:, :2], RATE, "stereo"),
        ImpulseResponse(rows, RATE, "true-stereo"),
        ImpulseResponse(rows[:, :2], RATE, "matrix", SPARSE),
    ]


each_response = pytest.mark.parametrize("response", responses(), ids=lambda response: response.name)


def rendered(response: ImpulseResponse, x: Array) -> Array:
    """Direct convolution, path by path."""
    wiring = response.for_channels(x.shape[1]).wiring
    y = np.zeros((len(x) + response.frames - 1, wiring.outputs))
    for path in wiring.paths:
        y[:, path.output] += np.convolve(
            x[:, path.input], response.samples[:, path.response].astype(np.float64)
        )
    return y


def sound() -> Array:
    return noise(FRAMES, 2, peak=0.3).astype(np.float32).astype(np.float64)


def needs(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def run(*command: str, folder: Path, data: bytes = b"") -> bytes:
    done = subprocess.run(command, input=data, capture_output=True, cwd=folder, timeout=60)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def assert_null(actual: Array, expected: Array) -> None:
    found = null_db(actual[: len(expected)], expected)
    assert found <= BUDGET, f"null {found:.1f} dB"


@each_response
def test_fconvolver_renders_the_same(tmp_path: Path, response: ImpulseResponse) -> None:
    program = needs("fconvolver")
    export(response, tmp_path / "room.conf", "jconvolver")
    soundfile.write(tmp_path / "in.wav", sound(), RATE, "FLOAT")
    run(program, "room.conf", "in.wav", "out.wav", folder=tmp_path)
    y, _ = soundfile.read(tmp_path / "out.wav", always_2d=True)
    expected = rendered(response, sound())
    assert len(y) >= len(expected)
    assert_null(y, expected)
    assert not np.abs(y[len(expected) :]).max(initial=0) > 1e-6


@each_response
def test_brutefir_renders_the_same(tmp_path: Path, response: ImpulseResponse) -> None:
    program = needs("brutefir")
    export(response, tmp_path / "room.conf", "brutefir")
    expected = rendered(response, sound())
    padded = np.zeros((8 * 1024, 2), "<f4")
    padded[:FRAMES] = sound()
    out = run(program, "room.conf", folder=tmp_path, data=padded.tobytes())
    y = np.frombuffer(out, "<f4").reshape(-1, expected.shape[1]).astype(np.float64)
    assert_null(y[: len(expected)], expected[: len(y)])


@each_response
def test_ffmpeg_renders_the_same(tmp_path: Path, response: ImpulseResponse) -> None:
    needs("ffmpeg")
    export(response, tmp_path / "room.sh", "ffmpeg")
    soundfile.write(tmp_path / "in.wav", sound(), RATE, "DOUBLE")
    run("sh", "room.sh", "in.wav", "out.wav", "-c:a", "pcm_f32le", folder=tmp_path)
    y, _ = soundfile.read(tmp_path / "out.wav", always_2d=True)
    expected = rendered(response, sound())
    assert y.shape == expected.shape
    assert_null(y, expected)


@each_response
def test_a_model_of_camilladsp_renders_the_same(tmp_path: Path, response: ImpulseResponse) -> None:
    """Apply the configuration step by step, following the program's manual."""
    yaml = pytest.importorskip("yaml")
    written = export(response, tmp_path / "room.yml", "camilladsp")
    config = yaml.safe_load(written[0].read_text())
    x = sound()
    assert config["devices"]["samplerate"] == RATE
    assert config["devices"]["capture"] == {"type": "Stdin", "channels": x.shape[1], "format": "F32_LE"}
    y = np.pad(x, ((0, response.frames - 1), (0, 0)))
    for step in config["pipeline"]:
        if step["type"] == "Mixer":
            mixer = config["mixers"][step["name"]]
            assert mixer["channels"]["in"] == y.shape[1]
            mixed = np.zeros((len(y), mixer["channels"]["out"]))
            for mapping in mixer["mapping"]:
                for source in mapping["sources"]:
                    mixed[:, mapping["dest"]] += y[:, source["channel"]] * 10 ** (source["gain"] / 20)
            y = mixed
        else:
            for name in step["names"]:
                parameters = config["filters"][name]["parameters"]
                taps, _ = soundfile.read(tmp_path / parameters["filename"], always_2d=True)
                for channel in step["channels"]:
                    y[:, channel] = np.convolve(y[:, channel], taps[:, parameters["channel"]])[: len(y)]
    assert config["devices"]["playback"]["channels"] == y.shape[1]
    assert_null(y, rendered(response, x))


@each_response
def test_a_model_of_equalizer_apo_renders_the_same(tmp_path: Path, response: ImpulseResponse) -> None:
    """Apply the lines, following the program's manual: Copy sets channels, Convolution filters the selected ones."""
    lines = export(response, tmp_path / "room.txt", "equalizer-apo")[0].read_text().splitlines()
    x = np.pad(sound(), ((0, response.frames - 1), (0, 0)))
    held = {"L": x[:, 0], "R": x[:, 1], "C": np.zeros(len(x))}
    chosen = list(held)
    for line in lines:
        command, _, rest = line.partition(": ")
        if command == "Channel":
            chosen = list(held) if rest == "all" else rest.split()
        elif command == "Copy":
            before = dict(held)
            for target, sources in (part.split("=") for part in rest.split()):
                held[target] = np.sum(
                    [before[s] if s in before else np.zeros(len(x)) for s in sources.split("+")], 0
                )
        elif command == "Convolution":
            taps, _ = soundfile.read(tmp_path / rest, always_2d=True)
            for n, channel in enumerate(chosen):
                held[channel] = np.convolve(held[channel], taps[:, n % taps.shape[1]])[: len(x)]
    expected = rendered(response, sound())
    assert_null(np.stack([held[name] for name in "LRC"[: expected.shape[1]]], axis=1), expected)


@each_response
def test_an_exported_jconvolver_configuration_loads_as_the_same_response(
    tmp_path: Path, response: ImpulseResponse
) -> None:
    export(response, tmp_path / "room.conf", "jconvolver")
    loaded = load_response(tmp_path / "room.conf")
    assert_null(rendered(loaded, sound()), rendered(response, sound()))


@pytest.mark.parametrize("kind", KINDS)
def test_existing_files_are_replaced_only_with_overwrite(tmp_path: Path, kind: str) -> None:
    response = responses()[1]
    written = export(response, tmp_path / "room.out", kind)
    assert sorted(written) == sorted(tmp_path.iterdir())
    before = {path: path.read_bytes() for path in written}
    with pytest.raises(AudioFileError, match="exists already"):
        export(response * 0.5, tmp_path / "room.out", kind)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    export(response * 0.5, tmp_path / "room.out", kind, overwrite=True)


def test_a_response_that_a_program_cannot_use_is_refused(tmp_path: Path) -> None:
    wide = ImpulseResponse(decaying(10, 9), RATE, "wide", parallel(9))
    with pytest.raises(ParameterError, match="Equalizer APO has 8 channels"):
        export(wide, tmp_path / "a.txt", "equalizer-apo")
    with pytest.raises(ParameterError, match="not a plain word"):
        export(responses()[0], tmp_path / "my room.conf", "jconvolver")
    with pytest.raises(
        ParameterError, match=r"format is 'vst'; expected 'raw' or 'npy' or 'text' or 'camilladsp'"
    ):
        export(responses()[0], tmp_path / "a", "vst")
    assert list(tmp_path.iterdir()) == []
