"""The private parts of soundfile: the one door to functions of libsndfile that soundfile has no name for.

Where a version of soundfile lacks them, nothing here works, and nothing fails: files are read and written without.
"""

import contextlib
import ctypes
from typing import Any

import soundfile

from reverb.once import once

_ADD_PEAK_CHUNK, _UPDATE_HEADER_AUTO = 0x1050, 0x1061  # SFC_SET_... of sndfile.h


def leave_out_peak_chunk(sound: soundfile.SoundFile) -> None:
    """Keep libsndfile from writing a PEAK chunk into a float file: it holds the time of day.

    So the same sound gives the same bytes.
    """
    _set(sound, _ADD_PEAK_CHUNK, False)


def keep_header_right(sound: soundfile.SoundFile) -> None:
    """Let libsndfile write the header anew after every write, so that the file is valid at any time."""
    _set(sound, _UPDATE_HEADER_AUTO, True)


def _set(sound: soundfile.SoundFile, command: int, value: bool) -> None:
    with contextlib.suppress(AttributeError):
        soundfile._snd.sf_command(sound._file, command, soundfile._ffi.NULL, int(value))


def handle(sound: soundfile.SoundFile) -> int:
    """Return the address by which functions of `raw_library` know an open file."""
    return int(soundfile._ffi.cast("uintptr_t", sound._file))


@once
def raw_library() -> Any:
    """Return the very libsndfile that soundfile has loaded, to read and write bytes; None if it cannot be reached."""
    for name in (getattr(soundfile, "_full_path", None), getattr(soundfile, "_libname", None)):
        try:
            library: Any = ctypes.CDLL(name) if name else None
            theirs = soundfile._ffi.addressof(soundfile._snd, "sf_command")
            address = int(soundfile._ffi.cast("uintptr_t", theirs))
            if library is None or ctypes.cast(library.sf_command, ctypes.c_void_p).value != address:
                continue  # a second copy would not know the first one's files
        except (OSError, AttributeError, TypeError):
            continue
        for function in (library.sf_read_raw, library.sf_write_raw):
            function.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
            function.restype = ctypes.c_int64
        library.sf_error.argtypes = (ctypes.c_void_p,)
        return library
    return None
