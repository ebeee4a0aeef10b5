"""The package's errors, as one tree.

::

    ReverbError
    ├── InvalidAudioError  (ValueError)   an array is not usable sound: shape, channels, NaN, length
    ├── ParameterError     (ValueError)   a setting is outside its allowed range
    ├── PresetError        (ValueError)   a preset or an equalizer file is invalid: file, line, key
    ├── UnknownNameError   (LookupError)  no response, device or preset has this name
    ├── AudioFileError     (OSError)      a file cannot be read or written
    ├── ClusterError       (OSError)      a cluster's scheduler cannot be reached
    ├── DeviceError        (OSError)      the sound card cannot be opened
    │   └── DeviceLostError               the sound card disappeared: unplugged, or its server stopped
    ├── NotRunningError    (RuntimeError) a live session is used before it has started
    └── MissingExtraError  (ImportError)  an optional dependency is not installed

A message names the given value, the allowed values, and the remedy. Each error is also the built-in one that a caller
would expect, so that ``except ValueError`` works as it does with NumPy.
"""

from collections.abc import Iterable

_MAX_SHOWN = 60  # characters


def shown(value: object) -> str:
    """Return a value for a message, in one line and shortened if it is long."""
    text = (value if isinstance(value, str) else repr(value)).replace("\n", " ")
    return text if len(text) <= _MAX_SHOWN else f"{text[: _MAX_SHOWN - 3]}..."


def nearest(text: str, known: Iterable[str], alike: float = 0.5) -> str:
    """Return "did you mean ...? " with the known name most similar to a text, or "" if none is (`alike`: 0 to 1)."""
    import difflib  # needed for errors only

    found = difflib.get_close_matches(text, list(known), n=1, cutoff=alike)
    return f"did you mean {found[0]!r}? " if found else ""


class ReverbError(Exception):
    """Base class of all errors that this package raises on purpose."""


class InvalidAudioError(ReverbError, ValueError):
    """An array is not usable sound."""


class ParameterError(ReverbError, ValueError):
    """A setting is outside its allowed range."""


class PresetError(ReverbError, ValueError):
    """A preset or an equalizer file is invalid."""


class UnknownNameError(ReverbError, LookupError):
    """No response, device or preset has this name."""


class AudioFileError(ReverbError, OSError):
    """An audio file cannot be read or written."""


class ClusterError(ReverbError, OSError):
    """A cluster's scheduler cannot be reached."""


class DeviceError(ReverbError, OSError):
    """The sound card cannot be opened."""


class DeviceLostError(DeviceError):
    """The sound card disappeared while it was in use."""


class NotRunningError(ReverbError, RuntimeError):
    """A live session has not started."""


class MissingExtraError(ReverbError, ImportError):
    """A feature needs an optional dependency that is not installed."""


def missing_extra(extra: str, need: str) -> MissingExtraError:
    """Return the error for an optional dependency that is not installed.

    Parameters
    ----------
    extra : str
        The extra that installs it.
    need : str
        Its use, such as "pictures need matplotlib".

    Examples
    --------
    >>> missing_extra("plot", "pictures need matplotlib")  # doctest: +ELLIPSIS
    MissingExtraError("pictures need matplotlib; install it with: pip install ...[plot]'...")
    """
    from reverb.__distribution__ import install_hint

    return MissingExtraError(f"{need}; install it with: {install_hint(extra)}")
