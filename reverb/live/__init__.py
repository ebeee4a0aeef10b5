"""Layer 3: live sound. A session plays the sound card through an effect; see `reverb.live.session`.

>>> import reverb.live
>>> with reverb.live.Session(reverb.Reverb("church")) as session:  # doctest: +SKIP
...     session.mix = 0.4
...     session.wait(10)
"""

from typing import TYPE_CHECKING, Any

from reverb import __distribution__  # noqa: F401  # fails in another project's package

if TYPE_CHECKING:
    from reverb.live.cards import Device, devices
    from reverb.live.play_record import LatencyReport, measure_latency
    from reverb.live.session import Session

__all__ = ["Device", "LatencyReport", "Session", "devices", "measure_latency"]

_HOMES = {
    "Device": "cards",
    "LatencyReport": "play_record",
    "Session": "session",
    "devices": "cards",
    "measure_latency": "play_record",
}


if not TYPE_CHECKING:  # otherwise type checkers would accept misspelled names

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
