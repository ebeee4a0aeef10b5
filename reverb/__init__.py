"""Convolution reverb and FIR filters: everything is an impulse response, and one engine applies it.

>>> import reverb
>>> hall = reverb.impulse("hall")
>>> sound = reverb.LowPass(8000) >> reverb.Reverb(hall, mix=0.3, predelay=0.02)
>>> sound.response(48_000).layout
'stereo'

Names are loaded when they are first used, so that the import is fast.
"""

__version__ = "0.2.0"
# Before all imports, because every subpackage imports this name; see reverb/__distribution__.py.
__distribution__ = "reverb-audio"

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reverb.effects.crossover import Band, crossover
    from reverb.effects.curves import Curve, RiaaCurve, Weighting
    from reverb.effects.echoes import Delay, Echoes, beats
    from reverb.effects.effect import Chain, Effect, Parallel
    from reverb.effects.equalizers import HighCut, HighShelf, LowCut, LowShelf, Notch, Peak, Tilt
    from reverb.effects.filters import BandPass, BandStop, HighPass, LowPass
    from reverb.effects.gain import Gain, Leveled
    from reverb.effects.reverb import Reverb
    from reverb.effects.stereo import MidSide, Width
    from reverb.engine.convolve import convolve
    from reverb.engine.offline.convolver import OverlapAdd
    from reverb.engine.realtime.adapter import BlockAdapter
    from reverb.errors import (
        AudioFileError,
        ClusterError,
        DeviceError,
        DeviceLostError,
        InvalidAudioError,
        MissingExtraError,
        ParameterError,
        PresetError,
        ReverbError,
        UnknownNameError,
    )
    from reverb.live.convolver import Convolver
    from reverb.render.batch.batch import BatchReport, process_files
    from reverb.render.batch.tasks import Augment
    from reverb.render.files import RenderReport, process_file
    from reverb.responses.response import ImpulseResponse
    from reverb.store.eq_files import load_equalizer
    from reverb.store.library import impulse
    from reverb.store.presets import load_chain
    from reverb.store.response_files import load_response, save_response

_HOMES = {
    "reverb.live.convolver": ("Convolver",),
    "reverb.effects.crossover": ("Band", "crossover"),
    "reverb.store.eq_files": ("load_equalizer",),
    "reverb.effects.curves": ("RiaaCurve", "Curve", "Weighting"),
    "reverb.effects.echoes": ("Delay", "Echoes", "beats"),
    "reverb.effects.effect": ("Chain", "Effect", "Parallel"),
    "reverb.effects.gain": ("Gain", "Leveled"),
    "reverb.effects.filters": ("BandPass", "BandStop", "HighPass", "LowPass"),
    "reverb.effects.equalizers": ("HighCut", "HighShelf", "LowCut", "LowShelf", "Notch", "Peak", "Tilt"),
    "reverb.effects.stereo": ("MidSide", "Width"),
    "reverb.store.presets": ("load_chain",),
    "reverb.effects.reverb": ("Reverb",),
    "reverb.engine.offline.convolver": ("OverlapAdd",),
    "reverb.engine.realtime.adapter": ("BlockAdapter",),
    "reverb.engine.convolve": ("convolve",),
    "reverb.errors": (
        "AudioFileError",
        "ClusterError",
        "DeviceError",
        "DeviceLostError",
        "InvalidAudioError",
        "MissingExtraError",
        "ParameterError",
        "PresetError",
        "ReverbError",
        "UnknownNameError",
    ),
    "reverb.render.batch.tasks": ("Augment",),
    "reverb.render.batch.batch": ("BatchReport", "process_files"),
    "reverb.render.files": ("RenderReport", "process_file"),
    "reverb.store.response_files": ("load_response", "save_response"),
    "reverb.store.library": ("impulse",),
    "reverb.responses.response": ("ImpulseResponse",),
}


def _warn_of_others() -> None:
    """Warn if another distribution's `reverb` is installed in the same folder."""
    try:
        names = os.listdir(os.path.dirname(__path__[0]))
    except OSError:  # an archive
        return
    if any(name.startswith(("reverb-", "dm_reverb")) for name in names):
        from reverb.__distribution__ import warn_of_others

        warn_of_others()


_warn_of_others()

_OLD_NAMES = {"Levelled": "Leveled", "load_equaliser": "load_equalizer"}  # for one release

_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [
    "AudioFileError",
    "Augment",
    "Band",
    "BandPass",
    "BandStop",
    "BatchReport",
    "BlockAdapter",
    "Chain",
    "ClusterError",
    "Convolver",
    "Curve",
    "Delay",
    "DeviceError",
    "DeviceLostError",
    "Echoes",
    "Effect",
    "Gain",
    "HighCut",
    "HighPass",
    "HighShelf",
    "ImpulseResponse",
    "InvalidAudioError",
    "Leveled",
    "LowCut",
    "LowPass",
    "LowShelf",
    "MidSide",
    "MissingExtraError",
    "Notch",
    "OverlapAdd",
    "Parallel",
    "ParameterError",
    "Peak",
    "PresetError",
    "RenderReport",
    "Reverb",
    "ReverbError",
    "RiaaCurve",
    "Tilt",
    "UnknownNameError",
    "Weighting",
    "Width",
    "beats",
    "convolve",
    "crossover",
    "impulse",
    "load_chain",
    "load_equalizer",
    "load_response",
    "process_file",
    "process_files",
    "save_response",
]


if not TYPE_CHECKING:  # with it, type checkers would accept any misspelled name

    def __getattr__(name: str) -> Any:
        if name in _OLD_NAMES:
            import warnings

            warnings.warn(f"{name} is now {_OLD_NAMES[name]}", DeprecationWarning, stacklevel=2)
            name = _OLD_NAMES[name]
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    public = {
        name for name, value in globals().items() if name.startswith("__") or hasattr(value, "__path__")
    }
    return sorted({*__all__, *public})
