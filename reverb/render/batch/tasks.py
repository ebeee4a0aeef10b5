"""The values of a batch: treatments and their variants, tasks, and outcomes."""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias

from reverb.checks import instance, is_number, whole
from reverb.effects.effect import HasResponse, check_effect
from reverb.effects.reverb import MAX_PREDELAY_SECONDS, Reverb
from reverb.effects.tree import fingerprint, first, replace_first
from reverb.engine.machine import Machine
from reverb.errors import ParameterError, shown
from reverb.render.settings import MAX_GAIN_DB, RenderSettings

Record: TypeAlias = Mapping[str, Any]
"""An outcome as a line of the report: plain values by name."""

Range: TypeAlias = tuple[float, float]
"""The lowest and the highest value of a uniform distribution."""

Status = Literal["done", "kept", "failed"]

_DIGITS = {
    "mix": 4,
    "predelay": 5,
    "gain": 2,
}  # drawn values are rounded, so that the report has them exactly
_DRAWN_RANGES = {
    "mix": (0.0, 1.0),
    "predelay": (0.0, MAX_PREDELAY_SECONDS),
    "gain": (-MAX_GAIN_DB, MAX_GAIN_DB),
}
_MAX_VARIANTS = 1_000_000


@dataclass(frozen=True)
class Treatment:
    """An effect with a name and the settings with which it is rendered.

    Raises
    ------
    ParameterError
        If the name is no text, or the effect no effect.
    """

    name: str
    effect: HasResponse
    settings: RenderSettings = field(default_factory=RenderSettings)

    def __post_init__(self) -> None:
        instance("an effect's name", self.name, str, "a text")
        check_effect("effect", self.effect)


@dataclass(frozen=True, kw_only=True)
class Draw:
    """The values drawn for one variant of a file.

    Attributes
    ----------
    seed : int
    variant : int
        From 1.
    mix, predelay : float or None
        Replace those of the first `reverb.Reverb` inside the effect; None keeps them.
    gain : float or None
        In dB; replaces the gain of the settings.
    """

    seed: int
    variant: int
    mix: float | None = None
    predelay: float | None = None
    gain: float | None = None

    def apply(self, treatment: Treatment) -> Treatment:
        """Return the treatment with the drawn values."""
        effect, settings = treatment.effect, treatment.settings
        drawn = {name: getattr(self, name) for name in ("mix", "predelay")}
        drawn = {name: value for name, value in drawn.items() if value is not None}
        if "mix" in drawn:  # in place of levels in dB, which exclude a mix
            drawn |= {"wet": None, "dry": None}
        if drawn:
            effect = replace_first(effect, Reverb, lambda reverb: replace(reverb, **drawn))
        if self.gain is not None:
            settings = replace(settings, gain=self.gain)
        return replace(treatment, effect=effect, settings=settings)


@dataclass(frozen=True, kw_only=True)
class Augment:
    """Random variants of each file, for training data.

    The values of a variant depend on the seed, the file's path relative to the folder that was named, and the variant's
    number only: other files, their order, and the number of workers do not change them.

    Parameters
    ----------
    variants : int
        Of each file, at least 1. Each is rendered with one of the batch's effects, drawn too.
    seed : int
    mix : (low, high), optional
        0 to 1, of the first `reverb.Reverb` inside the effect; by default its own.
    predelay : (low, high), optional
        0 to 10 seconds, likewise.
    gain : (low, high), optional
        −120 to 120 dB.

    Raises
    ------
    ParameterError
        If a value or a range is not allowed, or a range's low is above its high.

    Examples
    --------
    >>> Augment(variants=4, seed=1, mix=(0.1, 0.6)).variants
    4
    """

    variants: int = 1
    seed: int = 0
    mix: Range | None = None
    predelay: Range | None = None
    gain: Range | None = None

    def __post_init__(self) -> None:
        whole("variants", self.variants, 1, _MAX_VARIANTS)
        if not is_number(self.seed) or self.seed % 1 != 0:
            raise ParameterError(f"seed is {shown(repr(self.seed))}; expected a whole number")
        for name in ("variants", "seed"):
            object.__setattr__(self, name, int(getattr(self, name)))
        for name, allowed in _DRAWN_RANGES.items():
            if (given := getattr(self, name)) is not None:
                object.__setattr__(self, name, _checked_range(name, given, allowed))

    def draw(self, path: str, variant: int, treatments: Sequence[str]) -> tuple[str, Draw]:
        """Return the treatment's name and the values for a variant, from 1, of the file with a relative path."""
        key = hashlib.sha256(f"{self.seed}\0{path}\0{variant}".encode("utf-8", "surrogateescape")).digest()
        # Python promises the same values in all versions for the method `random` only.
        chance = random.Random(int.from_bytes(key)).random
        # All four are always drawn, in this order, so that one range does not change the other values.
        name = treatments[int(chance() * len(treatments))]
        values = {}
        for parameter, digits in _DIGITS.items():
            share, given = chance(), getattr(self, parameter)
            if given is not None:
                values[parameter] = round(given[0] + share * (given[1] - given[0]), digits)
        return name, Draw(seed=self.seed, variant=variant, **values)


def _checked_range(name: str, given: Any, allowed: Range) -> Range:
    pair = isinstance(given, tuple | list) and len(given) == 2 and all(map(is_number, given))
    if not pair or not allowed[0] <= given[0] <= given[1] <= allowed[1]:
        raise ParameterError(
            f"{name} is {shown(repr(given))}; expected (low, high) within {allowed[0]:g} to {allowed[1]:g}"
        )
    return float(given[0]), float(given[1])


@dataclass(frozen=True, kw_only=True)
class Task:
    """One file to be rendered with one treatment.

    Attributes
    ----------
    source : str
        A path or URL.
    output : str
        Path relative to the output folder, with ``/`` between its parts: the key of the report.
    treatment : str
        The treatment's name.
    draw : Draw or None
        The values drawn for a variant.
    overwrite : bool
        Replace an existing output.
    problem : str or None
        Why the task cannot be run, if that is known beforehand.
    done : Record or None
        The record of an earlier run; if input, settings and output are still the same, the output is kept.
    """

    source: str
    output: str
    treatment: str
    draw: Draw | None = None
    overwrite: bool = False
    problem: str | None = None
    done: Record | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The outcome of a task.

    Attributes
    ----------
    task : Task
    status : {'done', 'kept', 'failed'}
        ``kept``: the output of an earlier run is still valid.
    record : Record
        The line of the report.
    """

    task: Task
    status: Status
    record: Record

    @property
    def error(self) -> str | None:
        """Why the task failed; None if it did not."""
        error: str | None = self.record.get("error")
        return error


@dataclass(frozen=True)
class TaskProgress:
    """The share of a task that is done, 0 to 1."""

    task: Task
    done: float


class Prepared:
    """A task's treatment with its draw applied, and the hashes that identify it.

    Attributes
    ----------
    effect : HasResponse
    settings : RenderSettings
    fft_plans : str
        Digest of the FFT plans that `reverb tune` has measured; "" if there are none.
    """

    def __init__(self, task: Task, treatment: Treatment, machine: Machine) -> None:
        self.fft_plans = machine.digest
        applied = task.draw.apply(treatment) if task.draw else treatment
        self.effect, self.settings = applied.effect, applied.settings

    @cached_property
    def response_hash(self) -> str:
        """Hash of the effect with all its responses and settings, at any sample rate."""
        return fingerprint(self.effect)

    @cached_property
    def settings_hash(self) -> str:
        """Hash of everything but the input that determines the output's bytes."""
        plans = [self.fft_plans] if self.fft_plans else []
        text = json.dumps([self.response_hash, asdict(self.settings), *plans], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def described(task: Task, prepared: Prepared) -> dict[str, Any]:
    """Return the part of a record that is known before rendering."""
    effect, draw = prepared.effect, task.draw
    settings = {name: _json_number(value) for name, value in asdict(prepared.settings).items()}
    reverb = first(effect, Reverb)
    mix, predelay = (None, None) if reverb is None else (reverb.mix, reverb.predelay)
    return {
        "output": task.output,
        "input": task.source,
        "treatment": task.treatment,
        "seed": draw.seed if draw else None,
        "variant": draw.variant if draw else None,
        "mix": mix,
        "predelay": predelay,
        "gain": settings["gain"],
        "effect": repr(effect),
        "response_hash": prepared.response_hash,
        "settings_hash": prepared.settings_hash,
        "fft_plans": prepared.fft_plans or None,
        "settings": settings,
    }


def failed(task: Task, error: str, described: Record | None = None, **facts: Any) -> Outcome:
    """Return the outcome of a failed task."""
    start = described or {"output": task.output, "input": task.source, "treatment": task.treatment}
    return Outcome(task=task, status="failed", record={**start, "status": "failed", "error": error, **facts})


def finite(level: float | None) -> float | None:
    """Return a measured level for a record: None for the −inf of silence, which JSON cannot represent."""
    return None if level is None or not math.isfinite(level) else round(level, 2)


def _json_number(value: Any) -> Any:
    """Return a setting for a record: "-inf" for −inf."""
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
