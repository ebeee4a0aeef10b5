"""Everything that can go wrong, as one tree.

::

    ReverbError
    ├── InvalidAudioError  (ValueError)   an array is not usable sound: shape, channels, NaN, length
    ├── ParameterError     (ValueError)   a setting is outside its allowed range
    ├── PresetError        (ValueError)   a preset or an equaliser's file is not understood: file, line, key
    ├── UnknownNameError   (LookupError)  no response, device or preset of that name
    ├── AudioFileError     (OSError)      a file cannot be read or written
    ├── ClusterError       (OSError)      the workers elsewhere cannot be reached
    ├── DeviceError        (OSError)      the sound card cannot be opened
    │   └── DeviceLostError               it was, and went away: unplugged, or its server stopped
    ├── NotRunningError    (RuntimeError) a live session is used before it has begun
    └── MissingExtraError  (ImportError)  an optional dependency is not installed

A message names the value that came, what is allowed, and how to mend it. Each error is also the builtin
that a caller would expect, so ``except ValueError`` works as it does with NumPy.
"""

from collections.abc import Iterable

_LONGEST = 60


def shown(value: object) -> str:
    """Return a value as a message names it, the end left out where it is long."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def nearest(text: str, known: Iterable[str], alike: float = 0.5) -> str:
    """Return "did you mean ...? " with the known name most like a text; nothing where none is so `alike` (0 to 1)."""
    import difflib  # for mistakes alone: a start need not wait

    found = difflib.get_close_matches(text, list(known), n=1, cutoff=alike)
    return f"did you mean {found[0]!r}? " if found else ""


class ReverbError(Exception):
    """Root of all errors that this package raises on purpose."""


class InvalidAudioError(ReverbError, ValueError):
    """An array cannot be taken as sound."""


class ParameterError(ReverbError, ValueError):
    """A setting is outside its allowed range."""


class PresetError(ReverbError, ValueError):
    """A preset, or the file of an equaliser, cannot be read or understood."""


class UnknownNameError(ReverbError, LookupError):
    """Nothing is known under a name."""


class AudioFileError(ReverbError, OSError):
    """An audio file cannot be read or written."""


class ClusterError(ReverbError, OSError):
    """A cluster cannot be reached."""


class DeviceError(ReverbError, OSError):
    """The sound card cannot be opened."""


class DeviceLostError(DeviceError):
    """The sound card went away while it was in use."""


class NotRunningError(ReverbError, RuntimeError):
    """A live session has not begun."""


class MissingExtraError(ReverbError, ImportError):
    """A feature needs an optional dependency that is not installed."""


def missing_extra(extra: str, need: str) -> MissingExtraError:
    """Return the error for what an extra brings and is not installed; `need` says who needs what.

    >>> missing_extra("plot", "pictures need matplotlib")  # doctest: +ELLIPSIS
    MissingExtraError("pictures need matplotlib; install it with: pip install ...[plot]'...")
    """
    from reverb.__distribution__ import install_hint

    return MissingExtraError(f"{need}; install it with: {install_hint(extra)}")
