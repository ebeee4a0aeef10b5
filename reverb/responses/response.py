"""The impulse response: the one value that everything done to sound becomes.

A response is a matrix of sounds: which input reaches which output through which row is its `wiring`
(`reverb.engine.routing`). The usual layouts follow from the number of channels:

=========  ===========  ===================================================
channels   layout       meaning
=========  ===========  ===================================================
1          mono         applied to every channel of the input
2          stereo       left → left, right → right
4          true-stereo  L→L, L→R, R→L, R→R
any        parallel     each channel to the output of its number, given explicitly
any        N×M          a matrix, given explicitly
=========  ===========  ===================================================
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, as_audio, as_sample_rate
from reverb.engine import routing as wires
from reverb.engine.routing import Path, Routing
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import from_db

MONO = wires.each(1)
STEREO = wires.parallel(2)
TRUE_STEREO = wires.matrix(2, 2)
LAYOUTS = {"mono": MONO, "stereo": STEREO, "true-stereo": TRUE_STEREO}
PARALLEL = "parallel"
_NOWHERE: tuple[str, str | None] | None = None
_BY_CHANNELS = {1: MONO, 2: STEREO, 4: TRUE_STEREO}
MOST_SAMPLES = 1 << 24
"""Of an impulse response, all channels together."""
MOST_CHANNELS = 1024
"""Inputs or outputs of a wiring that a file tells of: as many as libsndfile knows."""


def parse_layout(text: str, channels: int) -> Routing:
    """Return the wiring that a layout's name stands for.

    Parameters
    ----------
    text : str
        ``mono``, ``stereo``, ``true-stereo``, ``parallel`` (each channel to the output of its number), or a full
        matrix such as ``2x4`` (inputs × outputs, rows ordered by input, then output).
    channels : int
        Of the response.

    Raises
    ------
    ParameterError
        If the text is none of these.
    """
    if text in LAYOUTS:
        return LAYOUTS[text]
    if text == PARALLEL:
        return wires.parallel(channels)
    inputs, _, outputs = text.lower().replace("×", "x").partition("x")
    if inputs.isdecimal() and outputs.isdecimal() and 1 <= int(inputs) <= 256 and 1 <= int(outputs) <= 256:
        return wires.matrix(int(inputs), int(outputs))
    raise ParameterError(
        f"layout {text!r}; expected {', '.join(LAYOUTS)}, {PARALLEL}, or INPUTSxOUTPUTS such as 2x4 (at most 256x256)"
    )


def fitting(frames: int, channels: int, dtype: npt.DTypeLike, what: str) -> npt.DTypeLike:
    """Return the type in which a response takes at most 64 MiB: the one that is asked for, or else float32.

    That is 8 million samples in float64, and 16 million in float32: 3 minutes of stereo at 48 kHz, or 5 s of 64
    channels.

    Raises
    ------
    InvalidAudioError
        If it has more; before their memory is taken.
    """
    samples = frames * channels
    if samples > MOST_SAMPLES:
        raise InvalidAudioError(
            f"{what} would have {frames} frames × {channels} channels; expected at most {MOST_SAMPLES} samples in all. "
            "Make it shorter, or use a lower sample rate"
        )
    return dtype if 2 * samples <= MOST_SAMPLES else np.float32


@dataclass(frozen=True, eq=False, init=False)
class ImpulseResponse:
    """An immutable impulse response.

    Parameters
    ----------
    samples : array_like, shape (frames,) or (frames, channels)
        Kept as float32 or float64, copied and made read-only. One channel per path of the wiring.
    sample_rate : int
        In Hz.
    name : str
        What to call it in lists and errors.
    wiring : Routing or str, optional
        Which input feeds which output; a str is a layout's name as `parse_layout` takes it. By default
        it follows from the number of channels: 1 mono, 2 stereo, 4 true stereo.
    latency : int
        Frames of `samples` that lie before time zero: the delay of a linear-phase filter, the
        pre-ringing of a resampler. Rendering removes them, so that wet and dry stay aligned.

    Raises
    ------
    InvalidAudioError
        If the samples are not finite sound, or the number of channels does not say its layout.
    ParameterError
        If the sample rate or the latency is out of range.
    """

    samples: Audio
    sample_rate: int
    name: str
    wiring: Routing
    latency: int

    # Name or path, and layout, with which `impulse` gives it. No field: what is made from a response has none.
    origin = _NOWHERE

    # By hand, as it takes more types than the fields have.
    def __init__(
        self,
        samples: npt.ArrayLike,
        sample_rate: int,
        name: str = "",
        wiring: Routing | str | None = None,
        latency: int = 0,
    ) -> None:
        object.__setattr__(self, "name", name)
        samples = as_audio(samples, self._called)
        if samples.flags.writeable or not samples.flags.owndata:  # somebody else could still write to it
            samples = samples.copy()
            samples.setflags(write=False)
        if samples.ndim == 1:
            samples = samples[:, np.newaxis]
        channels = samples.shape[1]
        if wiring is None:
            wiring = usual_wiring(channels, self._called)
        elif isinstance(wiring, str):
            wiring = parse_layout(wiring, channels)
        if wiring.responses != channels:
            raise InvalidAudioError(
                f"{self._called} has {channels} channels; layout {layout_name(wiring)} needs {wiring.responses}"
            )
        if not 0 <= latency < len(samples):
            raise ParameterError(f"latency {latency} frames; expected 0 to {len(samples) - 1}")
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "sample_rate", as_sample_rate(sample_rate))
        object.__setattr__(self, "wiring", wiring)
        object.__setattr__(self, "latency", latency)

    @property
    def _called(self) -> str:
        return f"impulse response {self.name!r}" if self.name else "impulse response"

    def coming_from(self, name_or_file: str, layout: str | None = None) -> ImpulseResponse:
        """Return the response with the name or path, and the layout, from which `reverb.impulse` loads it."""
        loaded = replace(self)
        object.__setattr__(loaded, "origin", (name_or_file, layout))
        return loaded

    def __repr__(self) -> str:
        latency = f", latency={self.latency}" if self.latency else ""
        return (
            f"<ImpulseResponse {self.name!r}: {self.layout}, {self.frames} frames "
            f"({self.seconds:.3f} s) at {self.sample_rate} Hz{latency}>"
        )

    def _repr_html_(self) -> str:
        """Show itself in a notebook: a player and its decay."""
        from reverb.plots.notebook import as_html

        return as_html(self)

    @cached_property
    def digest(self) -> str:
        """Hexadecimal digits that are the same for the same samples, rate, wiring and latency, whatever the name."""
        import hashlib

        facts = f"{self.samples.shape} {self.samples.dtype} {self.sample_rate} {self.wiring} {self.latency}"
        data = np.ascontiguousarray(self.samples).data
        return hashlib.blake2b(data, digest_size=16, salt=hashlib.md5(facts.encode()).digest()).hexdigest()

    def __eq__(self, other: object) -> bool:
        return self.digest == other.digest if isinstance(other, ImpulseResponse) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.digest)

    @property
    def frames(self) -> int:
        """Length in frames; convolving adds ``frames - 1`` to a signal."""
        return len(self.samples)

    @property
    def channels(self) -> int:
        """Number of rows of the matrix, which is the number of channels of its file."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    @property
    def layout(self) -> str:
        """The layout's name: mono, stereo, true-stereo or N×M."""
        return layout_name(self.wiring)

    @property
    def is_mono(self) -> bool:
        """Whether one channel serves every channel of any input."""
        return self.wiring == MONO

    def response(self, sample_rate: int) -> ImpulseResponse:
        """Return itself at a sample rate, so that a response stands wherever an effect may."""
        from reverb.responses.resampling import resample

        return resample(self, sample_rate)

    def for_channels(self, channels: int) -> ImpulseResponse:
        """Return the same response wired for an input of `channels` channels.

        A mono response serves every channel. A mono sound in a response of several inputs is spread over them with
        equal power, each input at ``1 / √inputs`` (−3 dB for stereo: the usual pan law), so that its loudness as
        ITU-R BS.1770 sums it is kept.

        Raises
        ------
        InvalidAudioError
            If the response has another number of inputs.
        """
        wiring = self.wiring
        if self.is_mono:
            return self._rewired(wires.each(channels))
        if channels == 1:
            fed = Routing(1, wiring.outputs, tuple(Path(0, p.output, p.response) for p in wiring.paths))
            return self._rewired(fed) * self.spread(channels)
        if channels != wiring.inputs:
            raise InvalidAudioError(
                f"{self._called} ({self.layout}) takes {wiring.inputs} channels; the input has {channels}. "
                "Use a mono response, which serves every channel, or one with a matching layout"
            )
        return self

    def spread(self, channels: int) -> float:
        """Return the level at which a sound of `channels` channels feeds each input: below 1 for mono alone."""
        return 1.0 / math.sqrt(self.wiring.inputs) if channels == 1 else 1.0

    def _rewired(self, wiring: Routing) -> ImpulseResponse:
        return self if wiring == self.wiring else replace(self, wiring=wiring)

    def __mul__(self, factor: float) -> ImpulseResponse:
        """Scale by a linear factor."""
        if factor == 1.0:
            return self
        samples = self.samples * self.samples.dtype.type(factor)
        samples.setflags(write=False)
        return replace(self, samples=samples)

    __rmul__ = __mul__

    def gain(self, db: float) -> ImpulseResponse:
        """Return the response `db` decibels louder."""
        if not math.isfinite(db):
            raise ParameterError(f"gain {db} dB; expected a number")
        return self * from_db(db)

    def delay(self, seconds: float) -> ImpulseResponse:
        """Return the response later by `seconds` ≥ 0, rounded to the nearest frame."""
        if not 0 <= seconds < float("inf"):
            raise ParameterError(f"delay {seconds} s; expected 0 or more")
        frames = round(seconds * self.sample_rate)
        if frames == 0:
            return self
        dtype = fitting(self.frames + frames, self.channels, self.samples.dtype, f"a delay of {seconds:g} s")
        samples = np.zeros((self.frames + frames, self.channels), dtype)
        samples[frames:] = self.samples
        samples.setflags(write=False)
        return replace(self, samples=samples)

    def __rshift__(self, other: ImpulseResponse) -> ImpulseResponse:
        """Return the response of this, then `other`: one convolution that does both."""
        from reverb.responses.algebra import series

        return series(self, other) if isinstance(other, ImpulseResponse) else NotImplemented

    def __add__(self, other: ImpulseResponse) -> ImpulseResponse:
        """Return the response of this and `other` side by side, their outputs summed."""
        from reverb.responses.algebra import parallel

        return parallel(self, other) if isinstance(other, ImpulseResponse) else NotImplemented


def unit(sample_rate: int, dtype: npt.DTypeLike = np.float64) -> ImpulseResponse:
    """Return the unit impulse, which leaves every sound as it is: a dry path."""
    return ImpulseResponse(np.ones(1, dtype), sample_rate, "dry")


def usual_wiring(channels: int, what: str = "an impulse response") -> Routing:
    """Return the wiring that a number of channels stands for by itself.

    Raises
    ------
    InvalidAudioError
        If it is neither 1, 2 nor 4; the message names `what` and the choices.
    """
    if channels in _BY_CHANNELS:
        return _BY_CHANNELS[channels]
    raise InvalidAudioError(
        f"{what} has {channels} channels; expected 1 (mono), 2 (stereo) or 4 (true stereo: LL, LR, RL, RR). "
        f"Else give its layout (--layout, wiring=): {PARALLEL}, or a matrix as INPUTSxOUTPUTS such as 1x{channels}"
    )


def layout_name(wiring: Routing) -> str:
    """Return the name of a wiring: mono, stereo, true-stereo, parallel or N×M."""
    for name, known in LAYOUTS.items():
        if known == wiring:
            return name
    return PARALLEL if wiring == wires.parallel(wiring.inputs) else f"{wiring.inputs}×{wiring.outputs}"
