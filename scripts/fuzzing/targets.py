"""The fuzz targets: functions and commands that read files, and must give a correct result or a clear error."""

import contextlib
import io
import random
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from fuzzing import mutations as ways
from fuzzing.mutations import Mutation
from fuzzing.seeds import companions
from reverb.audiofiles.files import open_sound, read_blocks
from reverb.cli.app import cli
from reverb.effects.effect import HasResponse
from reverb.effects.filters import LowPass
from reverb.effects.fold import fold
from reverb.effects.reverb import Reverb
from reverb.errors import ReverbError
from reverb.render.files import process_file
from reverb.responses.response import ImpulseResponse
from reverb.store.eq_files import load_equalizer
from reverb.store.presets import load_chain
from reverb.store.response_files import load_response
from reverb.store.sweep_files import load_played

Target = Callable[[random.Random, Path], None]
_MAX_MESSAGE_CHARACTERS = 1500
_EXACT = {"PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"}
_LAYOUTS = (None, None, None, "mono", "stereo", "true-stereo", "parallel", "1x2", "2x3", "256x256")
_RATES = (None, None, 48_000, 44_100, 96_000, 1, 10_000_000)


class WrongError(Exception):
    """A result is wrong, or an error is unclear."""


def check(right: bool, what: str) -> None:
    """Raise if a result is wrong."""
    if not right:
        raise WrongError(what)


def blocks(_rng: random.Random, path: Path) -> None:
    """Read a sound block by block."""
    with open_sound(path) as sound:
        check(min(sound.channels, sound.frames) >= 1, f"{sound.channels} channels, {sound.frames} frames")
        read = sum(len(block) for block in read_blocks(sound, 4096, lambda file, n: file.read(n, "float32")))
        check(read <= sound.frames, f"{read} frames of {sound.frames}")


def render(rng: random.Random, path: Path) -> None:
    """Render a sound through an effect."""
    effect = rng.choice(_effects())
    destination = path.with_name(
        f"out{rng.choice(('.wav', '.wav', '.flac', '.aiff', '.ogg', '.caf', '.mp3'))}"
    )
    options = rng.choice(
        ({}, {}, {"normalize": "peak"}, {"loudness": -20.0}, {"tail": False}, {"subtype": "PCM_16"})
    )
    report = process_file(path, destination, effect, overwrite=True, **options)
    with soundfile.SoundFile(destination) as out:
        # Codecs with blocks, such as ADPCM, pad the last one, and AIFF pads odd bytes.
        right = out.frames == report.frames if out.subtype in _EXACT else out.frames >= report.frames > 0
        check(right, f"{out.frames} frames, reported {report.frames}, {report.container} {report.subtype}")
        check(out.channels == report.channels, f"{out.channels} channels, reported {report.channels}")
    check(np.isfinite(report.peak), f"peak {report.peak}")


def response(rng: random.Random, path: Path) -> None:
    """Load a response, and use it."""
    loaded = load_response(path, rng.choice(_LAYOUTS), rng.choice(_RATES))
    _check_response(loaded)
    if rng.random() < 0.4:
        render_through(loaded, path)
    elif rng.random() < 0.3:
        _check_response(loaded.response(rng.choice((8000, 48_000, 192_000))))


def render_through(effect: HasResponse, path: Path) -> None:
    """Render an undamaged sound through a loaded response."""
    process_file(
        path.with_name("room.wav"), path.with_name("out.wav"), effect, overwrite=True, subtype="FLOAT"
    )


def played(_rng: random.Random, path: Path) -> None:
    """Load a recorded sweep."""
    samples, rate, _ = load_played(path)
    check(samples.ndim == 2 and samples.size > 0 and rate > 0, f"shape {samples.shape}, {rate} Hz")


def chain(rng: random.Random, path: Path) -> None:
    """Load a preset, fold it, and render with it."""
    effect = load_chain(path)
    if rng.random() < 0.5:
        _check_response(fold(effect, rng.choice((8000, 48_000, 96_000)), 2))
    else:
        render_through(effect, path)


def equalizer(_rng: random.Random, path: Path) -> None:
    """Load an equalizer, and make its taps."""
    _check_response(load_equalizer(path).response(48_000))


def comment(rng: random.Random, path: Path) -> None:
    """Load a response or a sweep with a damaged comment."""
    text = path.read_bytes().decode("latin-1").replace("\0", "")
    prefix, target = rng.choice((("reverb impulse response: ", response), ("reverb sweep: ", played)))
    sound = path.with_name("comment.wav")
    with soundfile.SoundFile(sound, "w", 8000, 2, "PCM_16") as file:
        file.comment = (prefix + text)[:16_000]
        file.write(np.eye(50, 2))
    target(rng, sound)


def command(*words: str) -> Target:
    """Return a target that runs a command, with FILE and OUT replaced by the paths of the case."""

    def run(_rng: random.Random, path: Path) -> None:
        names = {
            "FILE": str(path),
            "OUT": str(path.with_name("out.wav")),
            "ROOM": str(path.with_name("room.wav")),
        }
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                cli.main([names.get(word, word) for word in words])
            except SystemExit as end:
                status = end.code
        errors = [line for line in err.getvalue().splitlines() if line.startswith("Error: ")]
        check(status in (0, 1, 2), f"exit status {status}")
        check("Traceback" not in err.getvalue(), err.getvalue()[-300:])
        check(len(errors) == (status != 0), f"exit status {status}: {err.getvalue()[-300:]}")

    run.__name__ = "-".join(word for word in words if word.islower() and word[0] != "-")
    return run


_INFO = command("ir", "info", "FILE")
_INFO_AS_JSON = command("ir", "info", "FILE", "--json", "--bands", "third", "--layout", "parallel")
_APPLY = command("apply", "ROOM", "OUT", "--ir", "FILE", "--force")
_FILTER = command("filter", "highpass", "FILE", "OUT", "--cutoff", "80", "--force", "--quiet")
_CHAIN = command("chain", "FILE", "ROOM", "OUT", "--force")
_EXPLAIN = command("chain", "FILE", "--explain")
_SOUND: tuple[Target, ...] = (
    command("ir", "deconvolve", "FILE", "OUT", "--force"),
    blocks,
    render,
    render,
    response,
    response,
    played,
    _INFO,
    _INFO_AS_JSON,
    _APPLY,
    _FILTER,
)
_NUMBERS: tuple[Target, ...] = (response, response, response, _INFO, _APPLY)
_RIFF: tuple[Mutation, ...] = (*ways.BYTES, *(ways.chunks,) * 8)

KINDS: dict[str, tuple[tuple[Mutation, ...], tuple[Target, ...], int]] = {
    "wav": (_RIFF, _SOUND, 22),
    "aiff": (_RIFF, _SOUND, 8),
    "rf64": (_RIFF, _SOUND, 4),
    "w64": (ways.BYTES, _SOUND, 4),
    "caf": (ways.BYTES, _SOUND, 5),
    "au": (ways.BYTES, _SOUND, 3),
    "mp3": (ways.BYTES, _SOUND, 4),
    "flac": ((*ways.BYTES, *(ways.flac_stream,) * 5), _SOUND, 10),
    "ogg": ((*ways.BYTES, *(ways.ogg_pages,) * 10), _SOUND, 8),
    "other": (ways.BYTES, _SOUND, 3),
    "sofa": (ways.BYTES, _NUMBERS, 5),
    "npy": ((*ways.BYTES, ways.number_token, ways.number_token), _NUMBERS, 3),
    "raw": (ways.BYTES, _NUMBERS, 2),
    "text": (ways.TEXT, _NUMBERS, 3),
    "configuration": (ways.TEXT, _NUMBERS, 3),
    "comment": (ways.TEXT, (comment,), 2),
    "equalizer": (ways.TEXT, (equalizer,), 4),
    "toml": (ways.TEXT, (chain, chain, chain, _CHAIN, _EXPLAIN), 7),
}
"""Per kind of file: its mutations, its targets, and its weight in the draw."""


def tested(target: Target, rng: random.Random, path: Path) -> str:
    """Run a target on a file; return ``right``, or ``refused`` if the error is clear."""
    try:
        target(rng, path)
    except ReverbError as error:
        message = str(error)
        check(
            0 < len(message) <= _MAX_MESSAGE_CHARACTERS,
            f"a message of {len(message)} characters: {message[:200]}",
        )
        return "refused"
    return "right"


@cache
def _effects() -> tuple[HasResponse, ...]:
    folder = Path(__file__).resolve().parents[2] / "impulses"
    rooms = (load_response(folder / f"{name}.flac") for name in ("living-room", "room"))
    return (LowPass(2000), *(Reverb(room, mix=0.4) for room in rooms))


def prepare(folder: Path) -> None:
    """Write the files that every case may refer to."""
    for name, data in companions().items():
        (folder / name).write_bytes(data)
    _effects()


def _check_response(found: ImpulseResponse) -> None:
    check(bool(np.isfinite(found.samples).all()), "NaN in a response")
    check(found.frames >= 1 and found.sample_rate >= 1, repr(found))
    check(found.wiring.responses == found.channels, repr(found))
