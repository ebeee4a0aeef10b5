"""The values of a batch: what is done to files, one piece of work, and what came of it."""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, TypeAlias, TypedDict

from reverb.effects.effect import HasResponse
from reverb.effects.fingerprint import fingerprint
from reverb.effects.reverb import Reverb
from reverb.render.levelling import Levelling, Normalize

Record: TypeAlias = Mapping[str, Any]
"""An outcome as a line of the report: plain values under names."""

Status = Literal["done", "kept", "failed"]


class GivenSettings(TypedDict, total=False):
    """Values of `Settings` by name, for signatures: any of them."""

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
    """How every file is rendered; the parameters are those of `reverb.process_file`."""

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
        )  # raises what would otherwise fail for each file


@dataclass(frozen=True)
class Treatment:
    """What files are put through: an effect with a name, and how it is rendered."""

    name: str
    effect: HasResponse
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, kw_only=True)
class Draw:
    """What augmentation has drawn for one variant of a file.

    Attributes
    ----------
    seed : int
    variant : int
        From 1.
    mix, predelay : float or None
        Stand instead of the treatment's own; None leaves them, as for all that is no `reverb.Reverb`.
    gain : float or None
        In dB, instead of the treatment's own.
    """

    seed: int
    variant: int
    mix: float | None = None
    predelay: float | None = None
    gain: float | None = None

    def apply(self, treatment: Treatment) -> Treatment:
        """Return the treatment with what was drawn."""
        effect, settings = treatment.effect, treatment.settings
        if isinstance(effect, Reverb):
            drawn = {name: getattr(self, name) for name in ("mix", "predelay")}
            effect = replace(effect, **{name: value for name, value in drawn.items() if value is not None})
        if self.gain is not None:
            settings = replace(settings, gain=self.gain)
        return replace(treatment, effect=effect, settings=settings)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One file through one treatment.

    Attributes
    ----------
    source : str
        A path or URL.
    output : str
        Relative to the output folder, with ``/`` between its parts: the key of the report.
    treatment : str
        Its name.
    draw : Draw or None
        What augmentation has drawn.
    overwrite : bool
        Replace what stands under the output's name.
    problem : str or None
        Why it cannot be carried out, where that is known beforehand.
    done : Record or None
        What an earlier run has noted about this output; if input, settings and output are still the same, it is kept.
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
    """What came of a task.

    Attributes
    ----------
    task : Task
    status : {'done', 'kept', 'failed'}
        ``kept``: an earlier run had done it.
    record : Record
        The line of the report.
    """

    task: Task
    status: Status
    record: Record

    @property
    def error(self) -> str | None:
        """Why it failed."""
        error: str | None = self.record.get("error")
        return error


@dataclass(frozen=True)
class Share:
    """How much of a task is done, 0 to 1."""

    task: Task
    done: float


class Prepared:
    """A task's treatment, its draw applied, with what identifies it.

    Attributes
    ----------
    effect : HasResponse
    settings : Settings
    """

    def __init__(self, task: Task, treatment: Treatment) -> None:
        applied = task.draw.apply(treatment) if task.draw else treatment
        self.effect, self.settings = applied.effect, applied.settings

    @cached_property
    def response_hash(self) -> str:
        """Identifies the effect with all its responses and settings, whatever the sample rate."""
        return fingerprint(self.effect)

    @cached_property
    def settings_hash(self) -> str:
        """Identifies all that decides about the output's bytes but the input."""
        text = json.dumps([self.response_hash, asdict(self.settings)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:32]


def described(task: Task, prepared: Prepared) -> dict[str, Any]:
    """Return the part of a record that is known before the work."""
    effect, draw = prepared.effect, task.draw
    mix, predelay = (effect.mix, effect.predelay) if isinstance(effect, Reverb) else (None, None)
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
        "settings": asdict(prepared.settings),
    }


def failed(task: Task, error: str, described: Record | None = None, **facts: Any) -> Outcome:
    """Return the outcome of a task that failed."""
    start = described or {"output": task.output, "input": task.source, "treatment": task.treatment}
    return Outcome(task=task, status="failed", record={**start, "status": "failed", "error": error, **facts})


def finite(value: float | None) -> float | None:
    """Return a level for a record, None for the −inf of silence, which JSON cannot hold."""
    return None if value is None or not math.isfinite(value) else round(value, 2)
