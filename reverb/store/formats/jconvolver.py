"""Read the configurations of jconvolver and fconvolver as a matrix of responses."""

import shlex
from pathlib import Path

import numpy as np

from reverb.arrays import Audio
from reverb.audiofiles.files import PathLike, open_sound
from reverb.engine.routing import Path as Wire
from reverb.engine.routing import Routing
from reverb.errors import AudioFileError, ParameterError, ReverbError, shown
from reverb.responses.layouts import dtype_within_limit
from reverb.responses.response import ImpulseResponse, owning
from reverb.store.formats import UnknownRateError
from reverb.store.formats.checks import MAX_SECONDS, check_given_rate, checked_bytes

_MAX_CHANNELS = 64
_MAX_LINES = 10_000
_MAX_GAIN = 1e6
_MAX_REASON = 500  # characters
_MAX_BYTES = 1 << 20
_MAX_RATE = 192_000  # in Hz, for the longest response
_MAX_READ = 1 << 29  # samples to decode for all lines together: a few seconds of work
_IGNORED = ("/jack/", "/input/", "/output/")


class _Matrix:
    """The matrix of responses that a configuration builds, line by line.

    Attributes
    ----------
    folder : Path
        The folder of the files to read.
    inputs, outputs, max_frames : int
        The size of the convolver, and the length to which it cuts responses; 0 before ``/convolver/new``.
    sample_rate : int or None
        In Hz, of the files read so far.
    paths : dict of (int, int) to ndarray
        Responses by input and output, counted from 0; a copy shares its array.
    read : int
        The number of samples decoded so far.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inputs = self.outputs = self.max_frames = self.read = 0
        self.sample_rate: int | None = None
        self.paths: dict[tuple[int, int], Audio] = {}

    def add(self, pair: tuple[int, int], samples: Audio, delay: int) -> None:
        """Add a response, `delay` frames late, to that of a pair, cut to the convolver's length as jconvolver does."""
        samples = samples[: self.max_frames - delay]
        known = self.paths.get(pair, np.zeros(0))
        frames = max(len(known), delay + len(samples))
        longest = max(frames, *(len(row) for row in self.paths.values()), 1)
        dtype_within_limit(longest, len({*self.paths, pair}), np.float64, "the matrix of all responses")
        summed = np.zeros(frames)
        summed[: len(known)] += known
        summed[delay : delay + len(samples)] += samples
        self.paths[pair] = summed

    def pair(self, source: str, target: str) -> tuple[int, int]:
        """Return the numbers of an input and an output, counted from 0, for those in a line, counted from 1."""
        i, o = int(source), int(target)
        if not (1 <= i <= self.inputs and 1 <= o <= self.outputs):
            raise ValueError(f"no such pair {i}, {o} among {self.inputs} inputs and {self.outputs} outputs")
        return i - 1, o - 1


def read_jconvolver(
    path: PathLike, layout: str | None = None, sample_rate: int | None = None
) -> ImpulseResponse:
    """Read a configuration: its `/impulse/read`, `/impulse/dirac` and `/impulse/copy` lines as one matrix.

    Raises
    ------
    AudioFileError
        If a line is invalid or a response cannot be read; the message gives the line's number.
    ParameterError
        If a layout is given, as the configuration has its own, or a sample rate that is not that of its files.
    UnknownRateError
        If no line reads a file and no sample rate is given.
    """
    try:
        lines = checked_bytes(path, _MAX_BYTES).decode("utf-8").splitlines()[:_MAX_LINES]
    except UnicodeDecodeError as error:
        raise AudioFileError(f"{path}: not text in UTF-8; expected a configuration of jconvolver") from error
    matrix = _Matrix(Path(path).parent)
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if not text or text.startswith("#") or text.startswith(_IGNORED):
            continue
        try:
            _apply(matrix, shlex.split(text))
        except (ValueError, IndexError, ReverbError) as error:
            reason = str(error) if len(str(error)) <= _MAX_REASON else shown(str(error))
            raise AudioFileError(f"{path}: line {number}: {reason}") from error
    if not any(samples.any() for samples in matrix.paths.values()):
        raise AudioFileError(f"{path}: has no response; expected /convolver/new and /impulse/read lines")
    if layout is not None:
        raise ParameterError(f"{path}: the configuration has a layout of its own; leave out {layout!r}")
    return _response(matrix, sample_rate, path)


def _apply(matrix: _Matrix, words: list[str]) -> None:
    """Change the matrix as one line says."""
    command, arguments = words[0], words[1:]
    if command == "/convolver/new":
        matrix.inputs, matrix.outputs, _, matrix.max_frames = (int(word) for word in arguments[:4])
        if not (1 <= matrix.inputs <= _MAX_CHANNELS and 1 <= matrix.outputs <= _MAX_CHANNELS):
            raise ValueError(
                f"{matrix.inputs} inputs and {matrix.outputs} outputs; expected 1 to {_MAX_CHANNELS}"
            )
        if not 1 <= matrix.max_frames <= _MAX_RATE * MAX_SECONDS:
            raise ValueError(
                f"responses of {matrix.max_frames} frames; expected 1 to {_MAX_RATE * MAX_SECONDS}"
            )
    elif command == "/cd":
        matrix.folder = matrix.folder / arguments[0]
    elif command == "/impulse/read":
        source, target, gain, delay, offset, length, channel = arguments[:7]
        samples = _read(matrix, " ".join(arguments[7:]), int(offset), int(length), int(channel))
        matrix.add(matrix.pair(source, target), _gain(gain) * samples, _delay(matrix, delay))
    elif command == "/impulse/dirac":
        source, target, gain, delay = arguments[:4]
        matrix.add(matrix.pair(source, target), np.array([_gain(gain)]), _delay(matrix, delay))
    elif command == "/impulse/copy":
        source, target, known_source, known_target = arguments[:4]
        known = matrix.paths.get(matrix.pair(known_source, known_target))
        if known is None:
            raise ValueError(f"no response from {known_source} to {known_target} to copy")
        matrix.paths[matrix.pair(source, target)] = known
    else:
        raise ValueError(f"{shown(command)} is not supported; expected /impulse/read, dirac or copy")


def _gain(text: str) -> float:
    if not abs(float(text)) <= _MAX_GAIN:
        raise ValueError(f"a gain of {text}; expected a number up to {_MAX_GAIN:g}")
    return float(text)


def _delay(matrix: _Matrix, text: str) -> int:
    if not 0 <= int(text) <= matrix.max_frames:
        raise ValueError(f"a delay of {text} frames; expected 0 to {matrix.max_frames}")
    return int(text)


def _read(matrix: _Matrix, name: str, offset: int, length: int, channel: int) -> Audio:
    with open_sound(matrix.folder / name) as sound:
        if matrix.sample_rate not in (None, sound.samplerate):
            raise ValueError(f"{name} has {sound.samplerate} Hz, files before it {matrix.sample_rate} Hz")
        if not 1 <= channel <= sound.channels:
            raise ValueError(
                f"{name} has {sound.channels} channels; expected a channel from 1 to that number, not {channel}"
            )
        if not 0 <= offset < sound.frames or length < 0:
            raise ValueError(
                f"{name} has {sound.frames} frames; it has no {length} frames from frame {offset}"
            )
        matrix.sample_rate = sound.samplerate
        sound.seek(offset)
        frames = min(length or sound.frames, sound.frames - offset, matrix.max_frames)
        dtype_within_limit(frames, sound.channels, np.float64, name)
        matrix.read += (offset + frames) * sound.channels
        if matrix.read > _MAX_READ:
            raise ValueError(f"more than {_MAX_READ} samples to read in all; split the configuration")
        data = sound.read(frames, "float64", always_2d=True)
    return np.asarray(data[:, channel - 1], np.float64)


def _response(matrix: _Matrix, given_rate: int | None, path: PathLike) -> ImpulseResponse:
    sample_rate = matrix.sample_rate or given_rate
    if sample_rate is None:
        raise UnknownRateError(
            f"{path}: reads no file, so its sample rate is not known; give it (--sample-rate, sample_rate=)"
        )
    check_given_rate(path, sample_rate, given_rate)
    frames = max(len(samples) for samples in matrix.paths.values())
    rows: list[Audio] = []
    wires = []
    for (i, o), samples in sorted(matrix.paths.items(), key=lambda item: item[0]):
        row = next((n for n, known in enumerate(rows) if known is samples), len(rows))
        if row == len(rows):
            rows.append(samples)
        wires.append(Wire(i, o, row))
    padded = np.zeros((frames, len(rows)), dtype_within_limit(frames, len(rows), np.float64, str(path)))
    for number, samples in enumerate(rows):
        padded[: len(samples), number] = samples
    return owning(padded, sample_rate, Path(path).stem, Routing(matrix.inputs, matrix.outputs, tuple(wires)))
