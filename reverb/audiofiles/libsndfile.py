"""The private parts of soundfile: access to functions of libsndfile that soundfile does not offer.

If a version of soundfile lacks these parts, everything here does nothing, and files are read and written without it.
"""

import contextlib
import ctypes
from typing import Any

import soundfile

from reverb.once import once

_ADD_PEAK_CHUNK, _UPDATE_HEADER_AUTO = 0x1050, 0x1061  # SFC_SET_... of sndfile.h


def leave_out_peak_chunk(sound: soundfile.SoundFile) -> None:
    """Write no PEAK chunk into a float file: it contains the time of day, and the same sound gives the same bytes."""
    _set(sound, _ADD_PEAK_CHUNK, False)


def keep_header_right(sound: soundfile.SoundFile) -> None:
    """Update the header after every write, so that the file is valid at any time."""
    _set(sound, _UPDATE_HEADER_AUTO, True)


def _set(sound: soundfile.SoundFile, command: int, value: bool) -> None:
    with contextlib.suppress(AttributeError):
        soundfile._snd.sf_command(sound._file, command, soundfile._ffi.NULL, int(value))


def handle(sound: soundfile.SoundFile) -> int:
    """Return the address that identifies an open file to the functions of `raw_library`."""
    return int(soundfile._ffi.cast("uintptr_t", sound._file))


@once
def raw_library() -> Any:
    """Return the libsndfile that soundfile has loaded, to read and write bytes; None if it is not accessible."""
    for name in (getattr(soundfile, "_full_path", None), getattr(soundfile, "_libname", None)):
        try:
            library: Any = ctypes.CDLL(name) if name else None
            expected = soundfile._ffi.addressof(soundfile._snd, "sf_command")
            address = int(soundfile._ffi.cast("uintptr_t", expected))
            if library is None or ctypes.cast(library.sf_command, ctypes.c_void_p).value != address:
                continue  # a second copy of the library does not know the files of the first
        except (OSError, AttributeError, TypeError):
            continue
        for function in (library.sf_read_raw, library.sf_write_raw):
            function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
            function.restype = ctypes.c_int64
        library.sf_error.argtypes = (ctypes.c_void_p,)
        return library
    return None
