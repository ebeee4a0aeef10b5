"""Aliases of array types, and the check that arrays are sound: shape, dtype, finite values.

Audio is ``(frames,)`` or ``(frames, channels)``, float32 or float64. Functions of the package rely on this check.
"""

import numbers
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from reverb.errors import InvalidAudioError, ParameterError, shown

Array: TypeAlias = npt.NDArray[Any]
"""Numbers of any kind and shape."""

Audio: TypeAlias = npt.NDArray[np.floating[Any]]
"""Sound: ``(frames,)`` or ``(frames, channels)``, float32 or float64."""

Block: TypeAlias = npt.NDArray[np.float32]
"""A block of live sound: ``(frames, channels)``, float32."""

Sample = TypeVar("Sample", bound=np.float32 | np.float64)
"""The type of samples in signatures of functions that keep it."""

BecomesFloat64: TypeAlias = npt.NDArray[np.integer[Any]] | list[float] | list[list[float]]
"""Arrays and lists that become float64, in signatures."""

Complex: TypeAlias = npt.NDArray[np.complexfloating[Any, Any]]
"""Spectra: complex64 or complex128."""

Real: TypeAlias = npt.NDArray[np.floating[Any]]
"""Numbers of single or double precision, in any shape."""

Double: TypeAlias = npt.NDArray[np.float64]
"""Numbers of double precision, in any shape: taps of a filter being designed, frequencies, levels."""

_ALIGNMENT = 64  # bytes: a cache line, and the widest vector register


_MANY_CHANNELS = 64  # of a 7th order ambisonic sound


def as_real(array: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """Return `array` as an array of real numbers of any type and shape, or raise InvalidAudioError."""
    try:
        real: npt.NDArray[Any] = array if isinstance(array, np.ndarray) else np.asarray(array)
    except ValueError as error:  # rows of unequal length
        raise InvalidAudioError(f"{name} is no regular array ({error})") from error
    if real.dtype.kind not in "fiu":
        raise InvalidAudioError(f"{name} holds {real.dtype}; expected real numbers")
    return real


def fits(array: object, dtype: np.dtype[Any], shape: tuple[int, ...]) -> bool:
    """Return whether an array is writable and of a type and shape: a glance that spares the 1.5 µs of `check_out`."""
    return (
        isinstance(array, np.ndarray)
        and array.dtype is dtype
        and array.shape == shape
        and array.flags.writeable
    )


def check_out(out: object, *shapes: tuple[int, ...]) -> None:
    """Raise InvalidAudioError unless sound may be written to `out`: a float array of one of the `shapes`."""
    if not isinstance(out, np.ndarray):
        raise InvalidAudioError(f"out is {type(out).__name__}; expected a NumPy array of float32 or float64")
    if out.dtype.char not in "fd":
        raise InvalidAudioError(
            f"out holds {out.dtype}; expected float32 or float64, as sound above full scale would wrap round. "
            "Scale, clip and convert the answer yourself"
        )
    if out.shape not in shapes:
        raise InvalidAudioError(f"out has shape {out.shape}; expected {' or '.join(map(str, shapes))}")
    if not out.flags.writeable:
        raise InvalidAudioError("out is read-only; expected an array that may be written to")


def as_audio(array: npt.ArrayLike, name: str = "audio", *, many_channels: bool = False) -> Audio:
    """Return `array` as float32 or float64 sound, copied only where its type demands it.

    Parameters
    ----------
    array : array_like, shape (frames,) or (frames, channels)
        float32 stays float32; every other real type becomes float64. Integers are not rescaled.
    name : str
        The array's name in an error.
    many_channels : bool
        Accept more than 64 channels with fewer frames than channels. Otherwise such an array is refused, because its
        axes are probably exchanged.

    Returns
    -------
    ndarray of float32 or float64, same shape

    Raises
    ------
    InvalidAudioError
        If the array is not real numbers, has no frame or no channel, more than two axes, the axes of channels and
        frames exchanged, or holds NaN or infinity.
    """
    audio = as_real(array, name)
    if audio.dtype != np.float32 and audio.dtype != np.float64:
        audio = audio.astype(np.float64)
    if audio.ndim not in (1, 2):
        raise InvalidAudioError(f"{name} has shape {audio.shape}; expected (frames,) or (frames, channels)")
    if audio.size == 0:
        raise InvalidAudioError(f"{name} is empty (shape {audio.shape}); expected at least one frame")
    if not many_channels and audio.ndim == 2 and audio.shape[0] < audio.shape[1] > _MANY_CHANNELS:
        turned = f"{name if name.isidentifier() else 'x'}.T"
        raise InvalidAudioError(
            f"{name} has shape {audio.shape}; arrays are (frames, channels); did you mean {turned}?"
        )
    # The extremes carry NaN on; a mask of all samples costs more.
    if not np.isfinite([audio.min(), audio.max()]).all():
        frame = int(np.argwhere(~np.isfinite(audio))[0, 0])
        raise InvalidAudioError(f"{name} holds NaN or infinity, first at frame {frame}; repair the source")
    return audio


def as_float_type(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """Return a type of arithmetic, float32 or float64, as a NumPy dtype, or raise ParameterError."""
    try:
        kind = None if dtype is None else np.dtype(dtype)  # NumPy reads None as float64
    except (TypeError, ValueError):
        kind = None
    if kind is None or kind not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ParameterError(f"dtype is {shown(str(kind or repr(dtype)))}; expected float32 or float64")
    return kind


def as_sample_rate(sample_rate: int | float) -> int:
    """Return a sample rate as a positive integer in Hz, or raise ParameterError."""
    whole = (
        isinstance(sample_rate, numbers.Real) and not isinstance(sample_rate, bool) and sample_rate % 1 == 0
    )
    if not whole:  # NaN and infinity leave a remainder of NaN
        raise ParameterError(f"sample rate {sample_rate!r}; expected a whole number of Hz")
    rate = int(sample_rate)
    if not 1 <= rate <= 10_000_000:
        raise ParameterError(f"sample rate {rate} Hz; expected 1 to 10000000 Hz")
    return rate


def aligned_zeros(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return zeros in the layout of `aligned_empty`, in memory that has been touched."""
    array = aligned_empty(shape, dtype)
    assert array.base is not None
    array.base[...] = 0  # without the interpreter's lock, which `np.zeros` may keep for milliseconds
    return array


def aligned_empty(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return an array whose rows each begin at a cache line: a view of a padded one, with undefined values."""
    kind = np.dtype(dtype)
    unit = _ALIGNMENT // kind.itemsize
    row = -(-shape[-1] // unit) * unit
    if len(shape) > 1 and row * kind.itemsize % 4096 == 0:
        row += unit  # rows a whole number of pages apart would evict each other from the cache
    size = int(np.prod(shape[:-1], dtype=np.int64)) * row
    buffer = np.empty(size * kind.itemsize + _ALIGNMENT, np.uint8)
    start = -buffer.ctypes.data % _ALIGNMENT
    array = buffer[start : start + size * kind.itemsize].view(kind)
    return array.reshape(*shape[:-1], row)[..., : shape[-1]]
