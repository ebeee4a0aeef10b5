"""The values of a batch: settings and treatments, tasks, and outcomes."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias, TypedDict

from reverb.checks import in_range, instance
from reverb.effects.effect import HasResponse
from reverb.effects.reverb import Reverb
from reverb.effects.tree import fingerprint, first, replace_first
from reverb.engine.machine import Machine
from reverb.render.levelling import Levelling, Normalize

Record: TypeAlias = Mapping[str, Any]
"""An outcome as a line of the report: plain values by name."""

Status = Literal["done", "kept", "failed"]


class GivenSettings(TypedDict, total=False):
    """Any of the values of `Settings` by name, for signatures."""

    tail: bool
    gain: float
    normalize: Normalize
    match_loudness: bool
    loudness: float | None
    ceiling: float | None
    floor_db: float | None
    container: str | None
    subtype: str | None
    dither: bool | None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How each file is rendered; the parameters are those of `reverb.process_file`."""

    tail: bool = True
    gain: float = 0.0
    normalize: Normalize = "none"
    match_loudness: bool = False
    loudness: float | None = None
    ceiling: float | None = None
    floor_db: float | None = None
    container: str | None = None
    subtype: str | None = None
    dither: bool | None = None

    def __post_init__(self) -> None:
        Levelling(
            gain=self.gain,
            normalize=self.normalize,
            match_loudness=self.match_loudness,
            loudness=self.loudness,
            ceiling=self.ceiling,
        )  # raises once, before any file is rendered
        for name in ("tail", "match_loudness"):
            instance(name, getattr(self, name), bool, "True or False")
        if self.dither is not None:
            instance("dither", self.dither, bool, "True, False, or None for 16 bits and fewer")
        if self.floor_db is not None:
            in_range("floor_db", self.floor_db, -math.inf, 0, "dB")


@dataclass(frozen=True)
class Treatment:
    """An effect with a name and the settings with which it is rendered."""

    name: str
    effect: HasResponse
    settings: Settings = field(default_factory=Settings)


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
    settings : Settings
    fft_plans : str
        Digest of the FFT plans that `reverb tune` has measured; "" where there are none.
    """

    def __init__(self, task: Task, treatment: Treatment, machine: Machine = Machine()) -> None:  # noqa: B008
        self.fft_plans = machine.digest
        applied = task.draw.apply(treatment) if task.draw else treatment
        self.effect, self.settings = applied.effect, applied.settings

    @cached_property
    def response_hash(self) -> str:
        """Hash of the effect with all its responses and settings, at whatever sample rate."""
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
        "gain": prepared.settings.gain,
        "effect": repr(effect),
        "response_hash": prepared.response_hash,
        "settings_hash": prepared.settings_hash,
        "fft_plans": prepared.fft_plans or None,
        "settings": asdict(prepared.settings),
    }


def failed(task: Task, error: str, described: Record | None = None, **facts: Any) -> Outcome:
    """Return the outcome of a failed task."""
    start = described or {"output": task.output, "input": task.source, "treatment": task.treatment}
    return Outcome(task=task, status="failed", record={**start, "status": "failed", "error": error, **facts})


def finite(value: float | None) -> float | None:
    """Return a level for a record: None for the −inf of silence, which JSON cannot represent."""
    return None if value is None or not math.isfinite(value) else round(value, 2)
