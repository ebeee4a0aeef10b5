"""Samples without a sample rate: raw floats and NumPy arrays. The caller gives the rate, or the file's name has it."""

import os
import re
from pathlib import Path

import numpy as np

from reverb.arrays import Audio, as_audio
from reverb.audiofiles.files import RATES
from reverb.audiofiles.outputs import PathLike, whole_or_nothing
from reverb.errors import AudioFileError, InvalidAudioError, ParameterError, shown
from reverb.responses.layouts import (
    LAYOUTS,
    PARALLEL,
    dtype_within_limit,
    parse_layout,
    usual_wiring,
)
from reverb.responses.response import ImpulseResponse, owning
from reverb.store.formats import UnknownRateError
from reverb.store.formats.checks import MAX_BYTES, MAX_SECONDS, checked_size, require_sound

_MAX_FLOAT = 1e6  # a larger one comes from bytes that are not floats
_MAX_NPY_HEADER = 1 << 16  # bytes
_RATE_IN_NAME = re.compile(r"(?<![0-9.])([0-9]{4,6})(?:[ _-]?hz)?(?![0-9])", re.IGNORECASE)
_KILO_IN_NAME = re.compile(
    r"(?<![0-9.])(44\.1|48|88\.2|96|176\.4|192)[ _-]?k(?:hz)?(?![a-z0-9])", re.IGNORECASE
)
_COMMON_RATES_HZ = {8000, 11_025, 16_000, 22_050, 24_000, 32_000}
_COMMON_RATES_HZ |= {44_100, 48_000, 88_200, 96_000, 176_400, 192_000}


def read_raw(path: PathLike, layout: str | None, sample_rate: int | None) -> ImpulseResponse:
    """Read raw little-endian floats, channels interleaved: 64 bits for ``.f64`` and ``.dbl``, else 32.

    Raises
    ------
    AudioFileError
        If the file cannot be read, or its size is not a whole number of frames.
    InvalidAudioError
        If the numbers are not plausible samples.
    UnknownRateError
        If its sample rate is neither given nor in its name.
    """
    width = _width(path)
    channels = _channels_of(path, layout)
    size = checked_size(path)
    if size % (width * channels):
        raise AudioFileError(
            f"{path}: {size} bytes are not a whole number of frames of {channels} × {width} bytes; "
            "raw floats are little-endian, 32 bits for .f32 and .raw, 64 bits for .f64"
        )
    try:
        samples = np.memmap(path, f"<f{width}", "r").reshape(-1, channels)
    except OSError as error:
        raise AudioFileError(f"{path}: cannot be read ({os.strerror(error.errno or 0)})") from error
    with np.errstate(invalid="ignore"):
        plausible = samples.min() > -_MAX_FLOAT and samples.max() < _MAX_FLOAT  # NaN is not
    if not plausible:
        raise InvalidAudioError(
            f"{path}: has numbers that are not sound; are they integers rather than floats?"
        )
    dtype = dtype_within_limit(*samples.shape, samples.dtype.newbyteorder("="), str(path))
    return response_from_samples(np.array(samples, dtype), path, layout, sample_rate)


def read_npy(path: PathLike, layout: str | None, sample_rate: int | None) -> ImpulseResponse:
    """Read a NumPy array, shape (frames,) or (frames, channels); pickled objects are refused.

    Raises
    ------
    AudioFileError
        If the file is not an array of plain numbers.
    UnknownRateError
        If its sample rate is neither given nor in its name.
    """
    checked_size(path, MAX_BYTES + _MAX_NPY_HEADER)
    try:
        # Mapping fails, before any memory is allocated, if the header promises more than the file contains.
        array = np.lib.format.open_memmap(os.fspath(path), mode="r")
        checked = as_audio(array[:1], str(path), many_channels=True)
        with np.errstate(over="ignore"):  # `as_audio` refuses infinity
            samples = np.array(array, dtype_within_limit(array.size, 1, checked.dtype, str(path)))
    except InvalidAudioError:
        raise
    except Exception as error:  # the parser raises errors of many types
        reason = shown(str(error).partition("\n")[0])  # the message may quote the entire file
        raise AudioFileError(f"{path}: not a plain NumPy array ({reason})") from error
    return response_from_samples(samples, path, layout, sample_rate)


def write_raw(response: ImpulseResponse, path: PathLike, *, overwrite: bool = False) -> None:
    """Write the samples as raw little-endian floats, channels interleaved, in the format of `read_raw`."""
    write_floats(response.samples, path, overwrite)


def write_floats(samples: Audio, path: PathLike, overwrite: bool) -> None:
    """Write samples as `write_raw` does."""
    with whole_or_nothing(path, overwrite) as temporary:
        temporary.write_bytes(samples.astype(f"<f{_width(path)}").tobytes())


def _width(path: PathLike) -> int:
    """Return the bytes of a float in a raw file."""
    return 8 if Path(path).suffix.lower() in (".f64", ".dbl") else 4


def write_npy(response: ImpulseResponse, path: PathLike, *, overwrite: bool = False) -> None:
    """Write the samples as a NumPy array, shape (frames, channels)."""
    with whole_or_nothing(path, overwrite) as temporary, temporary.open("wb") as file:
        np.save(file, response.samples, allow_pickle=False)


def response_from_samples(
    samples: Audio, path: PathLike, layout: str | None, sample_rate: int | None, latency: int = 0
) -> ImpulseResponse:
    """Return the response of samples from a file.

    Raises
    ------
    InvalidAudioError
        If they are silent, not finite, too many, or their layout is ambiguous.
    UnknownRateError
        If the sample rate is neither given nor in the file's name.
    ParameterError
        If the sample rate is out of range, or the layout is unknown.
    """
    rate = rate_of(path) if sample_rate is None else sample_rate
    if not RATES[0] <= rate <= RATES[1]:
        raise ParameterError(f"{path}: sample rate {rate} Hz; expected {RATES[0]} to {RATES[1]} Hz")
    samples = as_audio(samples, str(path), many_channels=layout is not None)
    columns = samples[:, np.newaxis] if samples.ndim == 1 else samples
    require_sound(path, columns)
    if len(columns) > MAX_SECONDS * rate:
        raise InvalidAudioError(
            f"{path}: lasts {len(columns) / rate:.0f} s at {rate} Hz; expected at most {MAX_SECONDS} s. "
            "Are rows and columns exchanged, or is it a recording?"
        )
    channels = columns.shape[1]
    wiring = usual_wiring(channels, str(path)) if layout is None else parse_layout(layout, channels)
    return owning(columns, rate, Path(path).stem, wiring, latency)


def rate_of(path: PathLike) -> int:
    """Return the sample rate in a file's name, as in ``room_48000.f32`` or ``room-44.1kHz.npy``.

    Raises
    ------
    UnknownRateError
        If the name has none, or several.
    """
    stem = Path(path).stem
    found = [int(text) for text in _RATE_IN_NAME.findall(stem) if int(text) in _COMMON_RATES_HZ]
    found += [round(1000 * float(text)) for text in _KILO_IN_NAME.findall(stem)]
    if len(set(found)) != 1:
        raise UnknownRateError(
            f"{path}: its sample rate is not known; put it into the name, as in {stem}_48000{Path(path).suffix}, "
            "or give it (--sample-rate, sample_rate=)"
        )
    return found[0]


def _channels_of(path: PathLike, layout: str | None) -> int:
    """Return the number of channels of a layout; 1 if there is no layout."""
    if layout is None:
        return 1
    if layout == PARALLEL:
        raise ParameterError(
            f"{path}: layout {layout!r} does not say how many channels the raw file has; "
            f"expected {', '.join(LAYOUTS)}, or INPUTSxOUTPUTS"
        )
    return parse_layout(layout, 1).responses
