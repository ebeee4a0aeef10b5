"""The steps of a preset: their types, the keys of each type, and the effect that a step becomes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from reverb.effects.crossover import crossover
from reverb.effects.curves import Curve, RiaaCurve, Weighting
from reverb.effects.echoes import Delay, Echoes, beats
from reverb.effects.effect import Chain, Effect, HasResponse, Parallel
from reverb.effects.equalizers import HighCut, HighShelf, LowCut, LowShelf, Notch, Peak, Tilt
from reverb.effects.filters import BandPass, BandStop, HighPass, LowPass
from reverb.effects.gain import Gain
from reverb.effects.reverb import Reverb
from reverb.effects.stereo import MidSide, Width
from reverb.errors import ParameterError, ReverbError, shown
from reverb.store import preset_values as read
from reverb.store.eq_files import load_equalizer
from reverb.store.preset_values import Key, Place, Source

_MAX_DEPTH = 4  # each level keeps a response in memory while the next is made


@dataclass(frozen=True)
class Step:
    """A type of step.

    Attributes
    ----------
    make : callable
        Returns the effect for a source, a place, its depth of nesting, and the values by parameter.
    required, optional : mapping of str to Key
        By the name of the key.
    """

    make: Callable[..., HasResponse]
    required: Mapping[str, Key] = field(default_factory=dict)
    optional: Mapping[str, Key] = field(default_factory=dict)

    @property
    def keys(self) -> dict[str, Key]:
        """All keys."""
        return {**self.required, **self.optional}


def steps_effect(source: Source, place: Place, value: Any, depth: int = 0) -> HasResponse:
    """Return the effect of an array of steps: their chain, or the effect of the only one.

    Raises
    ------
    PresetError
        If a step is invalid; the message names file, line and key.
    """
    if depth > _MAX_DEPTH:
        raise source.error(
            place, f"nested more than {_MAX_DEPTH} deep; expected fewer branches within branches"
        )
    listed = read.tables(source, place, value)
    effects = tuple(_step(source, (*place, n), table, depth) for n, table in enumerate(listed))
    return effects[0] if len(effects) == 1 else Chain(effects)


def _step(source: Source, place: Place, table: dict[str, Any], depth: int) -> HasResponse:
    if "type" not in table:
        raise source.error(place, f"has no type; expected type = one of {', '.join(STEPS)}")
    kind = read.text(source, (*place, "type"), table["type"])
    if kind not in STEPS:
        raise source.error(
            (*place, "type"), f"unknown type {shown(repr(kind))}; {read.suggestion(kind, STEPS)}"
        )
    step = STEPS[kind]
    read.check_keys(source, place, table, ("type", *step.keys))
    for key in step.required:
        if key not in table:
            raise source.error(place, f"{kind} has no {key}; expected the keys {', '.join(step.required)}")
    values = {
        key.parameter: key.read(source, (*place, name), table[name])
        for name, key in step.keys.items()
        if name in table
    }
    if len(values) < len(table) - 1:
        raise source.error(place, f"{kind} has two keys for the same value; expected one of them")
    try:
        return step.make(source, place, depth, **values)
    except ParameterError as error:
        raise source.error(_mentioned(step, place, str(error)), error) from error


def _mentioned(step: Step, place: Place, message: str) -> Place:
    """Return the place of the first key that an effect's error mentions, or of the step if there is none."""
    words = re.findall(r"[a-z_]+", message)
    for word in words:
        for name, key in step.keys.items():
            if word in (name, key.parameter, name.removesuffix("_db")):
                return (*place, name)
    return place


def _plain(make: Callable[..., Effect]) -> Callable[..., Effect]:
    """Return the `Step.make` of an effect that depends on its values only."""

    def make_plain(_source: Source, _place: Place, _depth: int, **values: Any) -> Effect:
        return make(**values)

    return make_plain


def _timed(make: Callable[..., Effect], source: Source, place: Place, _depth: int, **values: Any) -> Effect:
    """Make an effect whose time is given in milliseconds, or in beats of the preset's tempo."""
    if "beats" in values:
        if source.tempo is None:
            raise source.error(
                (*place, "beats"), "needs a tempo; give tempo = ..., in beats per minute, at the top"
            )
        values["seconds"] = beats(values.pop("beats"), source.tempo)
    if "seconds" not in values:
        raise source.error(place, "has no time; expected time_ms or beats")
    return make(values.pop("seconds"), **values)


def _reverb(
    source: Source, place: Place, _depth: int, ir: str, layout: str | None = None, **values: Any
) -> Effect:
    return Reverb(source.room((*place, "ir"), ir, layout), **values)


def _curve(source: Source, place: Place, _depth: int, file: str | None = None, **values: Any) -> Effect:
    if (file is None) == ("points" not in values):
        raise source.error(place, "expected either points or a file")
    if file is None:
        return Curve(**values)
    if "tolerance" in values:
        raise source.error((*place, "tolerance"), "is not for a file; expected it with points only")
    try:
        return load_equalizer(source.file((*place, "file"), file), values.get("phase", "minimum"))
    except ReverbError as error:
        raise source.error((*place, "file"), error) from error


def _parallel(source: Source, place: Place, depth: int, branch: list[dict[str, Any]]) -> Effect:
    branches = [_branch(source, (*place, "branch", n), table, depth) for n, table in enumerate(branch)]
    return Parallel(tuple(branches))


def _crossover(
    source: Source,
    place: Place,
    depth: int,
    at: tuple[float, ...],
    band: list[dict[str, Any]],
    **settings: Any,
) -> Effect:
    if "transition" in settings or "attenuation" in settings:
        settings.setdefault("slope", None)
    bands = crossover(*at, **settings)
    if len(band) != len(bands):
        raise source.error(
            (*place, "band"), f"{len(band)} bands; expected {len(bands)} for {len(at)} crossover frequencies"
        )
    changed = (
        Chain((part, _branch(source, (*place, "band", n), table, depth)))
        for n, (part, table) in enumerate(zip(bands, band, strict=True))
    )
    return Parallel(tuple(changed))


def _branch(source: Source, place: Place, table: dict[str, Any], depth: int) -> HasResponse:
    """Return the effect of a branch: its steps, then its gain; without steps it is a dry path."""
    read.check_keys(source, place, table, ("step", "gain_db"))
    gain_db = read.number(source, (*place, "gain_db"), table.get("gain_db", 0.0))
    try:
        gain = Gain(gain_db)
    except ParameterError as error:
        raise source.error((*place, "gain_db"), error) from error
    if "step" not in table:
        return gain
    effect = steps_effect(source, (*place, "step"), table["step"], depth + 1)
    return effect if gain_db == 0.0 else Chain((effect, gain))


def _mid_side(source: Source, place: Place, depth: int, **steps: Any) -> Effect:
    return MidSide(
        **{side: steps_effect(source, (*place, side), value, depth + 1) for side, value in steps.items()}
    )


def _numbers(*names: str) -> dict[str, Key]:
    return {name: Key(name, read.number) for name in names}


_PHASE = {"phase": Key("phase", read.text)}
_FILTER = _numbers("transition", "attenuation", "ripple") | {"method": Key("method", read.text)} | _PHASE
_SHAPE = _numbers("tolerance") | _PHASE
_BELL = _numbers("frequency", "gain_db")
_SLOPE = {"slope": Key("slope", read.whole)}
_TIME = {"time_ms": Key("seconds", read.milliseconds), "beats": Key("beats", read.number)}
_NESTED = read.tables  # `_mid_side` makes effects of them

STEPS: dict[str, Step] = {
    "lowpass": Step(_plain(LowPass), _numbers("cutoff"), _FILTER),
    "highpass": Step(_plain(HighPass), _numbers("cutoff"), _FILTER),
    "bandpass": Step(_plain(BandPass), _numbers("low", "high"), _FILTER),
    "bandstop": Step(_plain(BandStop), _numbers("low", "high"), _FILTER),
    "lowcut": Step(_plain(LowCut), _numbers("frequency"), _SLOPE | _SHAPE),
    "highcut": Step(_plain(HighCut), _numbers("frequency"), _SLOPE | _SHAPE),
    "lowshelf": Step(_plain(LowShelf), _BELL, _numbers("q") | _SHAPE),
    "highshelf": Step(_plain(HighShelf), _BELL, _numbers("q") | _SHAPE),
    "peak": Step(_plain(Peak), _BELL, _numbers("q") | _SHAPE),
    "tilt": Step(_plain(Tilt), _numbers("gain_db"), _numbers("pivot") | _SHAPE),
    "notch": Step(
        _plain(Notch),
        _numbers("frequency"),
        _numbers("q") | {"harmonics": Key("harmonics", read.whole)} | _SHAPE,
    ),
    "curve": Step(
        _curve, {}, {"points": Key("points", read.points), "file": Key("file", read.text)} | _SHAPE
    ),
    "weighting": Step(_plain(Weighting), {"curve": Key("curve", read.text)}, _SHAPE),
    "riaa": Step(_plain(RiaaCurve), {}, {"recording": Key("recording", read.flag)} | _SHAPE),
    "gain": Step(_plain(Gain), {"gain_db": Key("db", read.number)}),
    "delay": Step(partial(_timed, Delay), {}, _TIME),
    "echoes": Step(
        partial(_timed, Echoes),
        {},
        _TIME
        | _numbers("feedback", "damping")
        | {"wet_db": Key("wet", read.number), "dry_db": Key("dry", read.number)}
        | {"ping_pong": Key("ping_pong", read.flag), "floor_db": Key("floor", read.number)},
    ),
    "reverb": Step(
        _reverb,
        {"ir": Key("ir", read.text)},
        {"mix": Key("mix", read.number), "predelay_ms": Key("predelay", read.milliseconds)}
        | {"wet_db": Key("wet", read.number), "dry_db": Key("dry", read.number)}
        | {"level": Key("level", read.text), "layout": Key("layout", read.text)}
        | _numbers("decay", "low_cut", "high_cut", "width"),
    ),
    "width": Step(_plain(Width), _numbers("width")),
    "midside": Step(_mid_side, {}, {"mid": Key("mid", _NESTED), "side": Key("side", _NESTED)}),
    "parallel": Step(_parallel, {"branch": Key("branch", read.tables)}),
    "crossover": Step(
        _crossover,
        {"at": Key("at", read.numbers), "band": Key("band", read.tables)},
        _SLOPE | _numbers("transition", "attenuation"),
    ),
}
"""The types of steps by name."""
