"""Layer 3: live sound. One session plays the sound card through an effect; see `reverb.live.session`.

>>> import reverb.live
>>> with reverb.live.Session(reverb.Reverb("church")) as session:  # doctest: +SKIP
...     session.mix = 0.4
...     session.wait(10)
"""

from typing import TYPE_CHECKING, Any

from reverb import __distribution__  # noqa: F401  # fails in another's package

if TYPE_CHECKING:
    from reverb.live.cards import Device, devices
    from reverb.live.latency import LatencyReport, measure_latency
    from reverb.live.session import Session

__all__ = ["Device", "LatencyReport", "Session", "devices", "measure_latency"]

_HOMES = {
    "Device": "cards",
    "LatencyReport": "latency",
    "Session": "session",
    "devices": "cards",
    "measure_latency": "latency",
}


if not TYPE_CHECKING:  # or no misspelt name would be an error to a type checker

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
