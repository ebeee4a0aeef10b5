"""Samples without a header: raw floats and NumPy arrays. Their rate is told by the caller, or by the file's name."""

import math
import os
import re
from pathlib import Path

import numpy as np

from reverb.arrays import Audio, as_audio
from reverb.audiofiles.files import RATES, check_loudness
from reverb.audiofiles.outputs import PathLike, whole_or_nothing
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError, shown
from reverb.responses.response import ImpulseResponse, owning
from reverb.responses.shape import LAYOUTS, MAX_SAMPLES, dtype_within_limit, parse_layout, usual_wiring
from reverb.store.formats import UnknownRateError

LONGEST_SECONDS = 120
MOST_BYTES = 8 * MAX_SAMPLES
_LOUDEST = 1e6  # what is larger was never a float
_NPY_HEADER = 1 << 16
_RATE_IN_NAME = re.compile(r"(?<![0-9.])([0-9]{4,6})(?:[ _-]?hz)?(?![0-9])", re.IGNORECASE)
_KILO_IN_NAME = re.compile(
    r"(?<![0-9.])(44\.1|48|88\.2|96|176\.4|192)[ _-]?k(?:hz)?(?![a-z0-9])", re.IGNORECASE
)
_USUAL_RATES = {
    8000,
    11_025,
    16_000,
    22_050,
    24_000,
    32_000,
    44_100,
    48_000,
    88_200,
    96_000,
    176_400,
    192_000,
}


def read_raw(path: PathLike, layout: str | None, sample_rate: int | None) -> ImpulseResponse:
    """Read raw little-endian floats, channels interleaved: 64 bits for ``.f64`` and ``.dbl``, else 32.

    Raises
    ------
    AudioFileError
        If the file cannot be read, or holds no whole number of frames.
    InvalidAudioError
        If the numbers are no floats of sound.
    ParameterError
        If its rate is not told.
    """
    width = 8 if Path(path).suffix.lower() in (".f64", ".dbl") else 4
    channels = _channels_of(path, layout)
    size = checked_size(path)
    if size % (width * channels):
        raise AudioFileError(
            f"{path}: {size} bytes are no whole number of frames of {channels} × {width} bytes; "
            "raw floats are little-endian, 32 bits for .f32 and .raw, 64 bits for .f64"
        )
    try:
        samples = np.memmap(path, f"<f{width}", "r").reshape(-1, channels)
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be read ({os.strerror(error.errno or 0)})") from error
    with np.errstate(invalid="ignore"):
        sane = samples.min() > -_LOUDEST and samples.max() < _LOUDEST  # NaN is neither
    if not sane:
        raise InvalidAudioError(
            f"{path}: holds numbers that are no sound; are they integers rather than floats?"
        )
    dtype = dtype_within_limit(*samples.shape, samples.dtype.newbyteorder("="), str(path))
    return as_response(np.array(samples, dtype), path, layout, sample_rate)


def read_npy(path: PathLike, layout: str | None, sample_rate: int | None) -> ImpulseResponse:
    """Read a NumPy array, shape (frames,) or (frames, channels); pickled objects are refused.

    Raises
    ------
    AudioFileError
        If the file is no array of plain numbers.
    ParameterError
        If its rate is not told.
    """
    checked_size(path, MOST_BYTES + _NPY_HEADER)
    try:
        # Mapped, a header that promises more than the file holds is found out before any memory is taken.
        array = np.lib.format.open_memmap(os.fspath(path), mode="r")
        checked = as_audio(array[:1], str(path), many_channels=True)
        with np.errstate(over="ignore"):  # infinity is refused later
            samples = np.array(array, dtype_within_limit(array.size, 1, checked.dtype, str(path)))
    except InvalidAudioError:
        raise
    except Exception as error:  # the parser raises whatever its parts raise
        reason = shown(str(error).partition("\n")[0])  # it may quote the whole file
        raise AudioFileError(f"{path}: no plain NumPy array ({reason})") from error
    return as_response(samples, path, layout, sample_rate)


def write_raw(response: ImpulseResponse, path: PathLike, *, overwrite: bool = False) -> None:
    """Write the samples as raw little-endian floats, channels interleaved, as `read_raw` takes them."""
    width = 8 if Path(path).suffix.lower() in (".f64", ".dbl") else 4
    with whole_or_nothing(path, overwrite) as temporary:
        temporary.write_bytes(response.samples.astype(f"<f{width}").tobytes())


def write_npy(response: ImpulseResponse, path: PathLike, *, overwrite: bool = False) -> None:
    """Write the samples as a NumPy array, shape (frames, channels)."""
    with whole_or_nothing(path, overwrite) as temporary, temporary.open("wb") as file:
        np.save(file, response.samples, allow_pickle=False)


def as_response(
    samples: Audio, path: PathLike, layout: str | None, sample_rate: int | None, latency: int = 0
) -> ImpulseResponse:
    """Return samples from a file as a response, refused where they make no sense."""
    rate = rate_of(path) if sample_rate is None else sample_rate
    if not RATES[0] <= rate <= RATES[1]:
        raise ParameterError(f"{path}: sample rate {rate} Hz; expected {RATES[0]} to {RATES[1]} Hz")
    samples = as_audio(samples, str(path), many_channels=layout is not None)
    check_loudness(max(float(samples.max()), -float(samples.min())), str(path))
    columns = samples[:, np.newaxis] if samples.ndim == 1 else samples
    if not columns.any():
        raise InvalidAudioError(f"{path}: is silent; an impulse response must hold sound")
    if len(columns) > LONGEST_SECONDS * rate:
        raise InvalidAudioError(
            f"{path}: lasts {len(columns) / rate:.0f} s at {rate} Hz; an impulse response may last "
            f"{LONGEST_SECONDS} s. Are rows and columns exchanged, or is it a recording?"
        )
    channels = columns.shape[1]
    wiring = usual_wiring(channels, str(path)) if layout is None else parse_layout(layout, channels)
    return owning(columns, rate, Path(path).stem, wiring, latency)


def rate_of(path: PathLike) -> int:
    """Return the sample rate that a file's name tells: ``room_48000.f32``, ``room-44.1kHz.npy``.

    Raises
    ------
    ParameterError
        If it tells none.
    """
    stem = Path(path).stem
    found = [int(text) for text in _RATE_IN_NAME.findall(stem) if int(text) in _USUAL_RATES]
    found += [round(1000 * float(text)) for text in _KILO_IN_NAME.findall(stem)]
    if len(set(found)) != 1:
        raise UnknownRateError(
            f"{path}: its sample rate is not known; say it in the name, as in {stem}_48000{Path(path).suffix}, "
            "or give it (--sample-rate, sample_rate=)"
        )
    return found[0]


def checked_size(path: PathLike, most: int = MOST_BYTES) -> int:
    """Return the size of a file in bytes, at most `most`.

    Raises
    ------
    AudioFileError
        If there is none, it is empty, or too large for a response.
    """
    try:
        size = os.stat(path).st_size if os.path.isfile(path) else None
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be opened ({os.strerror(error.errno or 0)})") from error
    if size is None:
        raise AudioFileError(f"{path}: {'is no file' if os.path.exists(path) else 'no such file'}")
    if not 0 < size <= most:
        raise AudioFileError(f"{path}: has {size} bytes; a response has at least one and at most {most}")
    return size


def checked_bytes(path: PathLike, most: int = MOST_BYTES) -> bytes:
    """Return what a file of a sensible size holds."""
    checked_size(path, most)
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be read ({os.strerror(error.errno or 0)})") from error


def _channels_of(path: PathLike, layout: str | None) -> int:
    """Return how many channels a layout has; one where none is given."""
    if layout is None:
        return 1
    if layout in LAYOUTS:
        return LAYOUTS[layout].responses
    numbers = layout.lower().replace("×", "x").split("x")
    if len(numbers) == 2 and all(number.isdecimal() for number in numbers):
        return max(math.prod(int(number) for number in numbers), 1)
    raise ParameterError(
        f"{path}: layout {layout!r} does not tell how many channels the raw file has; "
        f"expected {', '.join(LAYOUTS)} or INPUTSxOUTPUTS"
    )
