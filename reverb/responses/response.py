"""The impulse response: the value that every effect becomes.

A response is a matrix of sounds. Its `wiring` (`reverb.engine.routing`) maps each channel to an input and an output;
`reverb.responses.layouts` names the usual wirings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, as_audio, as_real, as_sample_rate
from reverb.checks import flag, in_range, instance, is_number, whole
from reverb.engine import routing
from reverb.engine.routing import Path, Routing
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import from_db
from reverb.responses.algebra import Matrix, parallel, resample, series
from reverb.responses.layouts import MONO, dtype_within_limit, layout_name, parse_layout, usual_wiring

_WIDE = 1.5  # ratio of sample rates above which the resampled direct sound is wider than a frame
_MAX_GAIN_DB = 6000.0  # keeps the factor within the range of float64
_MAX_DELAY_SECONDS = 1e9
_NO_SOURCE: tuple[str, str | None] | None = None


@dataclass(frozen=True, eq=False, init=False)
class ImpulseResponse:
    """An immutable impulse response.

    Parameters
    ----------
    samples : array_like, shape (frames,) or (frames, channels)
        Copied as float32 or float64 and made read-only. One channel per path of the wiring.
    sample_rate : int
        In Hz.
    name : str
        Used in lists and errors.
    wiring : Routing or str, optional
        Which input feeds which output; a str is the name of a layout, see `parse_layout`. By default
        it follows from the number of channels: 1 mono, 2 stereo, 4 true stereo.
    latency : int
        Frames of `samples` before time zero: the delay of a linear-phase filter, or the
        pre-ringing of a resampler. Rendering removes them, so that wet and dry stay aligned.

    Raises
    ------
    InvalidAudioError
        If the samples are not finite sound, or the layout does not follow from the number of channels.
    ParameterError
        If the sample rate, the name, the wiring or the latency is not allowed.

    Examples
    --------
    >>> ImpulseResponse([1.0, 0.0, 0.5], 48_000, "echo")
    <ImpulseResponse 'echo': mono, 3 frames (0.000 s) at 48000 Hz>
    """

    samples: Audio
    sample_rate: int
    name: str
    wiring: Routing
    latency: int

    # The name or path, and the layout, given to `impulse`. Not a field: derived responses do not inherit it.
    origin = _NO_SOURCE

    # Not generated: it accepts more types than the fields have.
    def __init__(
        self,
        samples: npt.ArrayLike,
        sample_rate: int,
        name: str = "",
        wiring: Routing | str | None = None,
        latency: int = 0,
    ) -> None:
        name = instance("name", name, str)
        # Copied before the checks, so that the caller cannot change checked samples.
        own = np.array(as_real(samples, _called(name)), order="C")
        # With a wiring given, many channels are intended, and no slip of the axes.
        copied = as_audio(own, _called(name), many_channels=wiring is not None)
        _set_fields(self, copied, sample_rate, name, wiring, latency)

    def with_source(self, name_or_file: str, layout: str | None = None) -> ImpulseResponse:
        """Return the response with the name or path, and the layout, from which `reverb.impulse` loads it."""
        loaded = derived(self)
        object.__setattr__(loaded, "origin", (name_or_file, layout))
        return loaded

    @property
    def _called(self) -> str:
        return _called(self.name)

    def __repr__(self) -> str:
        latency = f", latency={self.latency}" if self.latency else ""
        return (
            f"<ImpulseResponse {self.name!r}: {self.layout}, {self.frames} frames "
            f"({self.seconds:.3f} s) at {self.sample_rate} Hz{latency}>"
        )

    def _repr_html_(self) -> str:
        """Return a player and a picture of the decay, for notebooks."""
        from reverb.plots.notebook import as_html

        return as_html(self)

    @cached_property
    def digest(self) -> str:
        """Hexadecimal hash of the samples, rate, wiring and latency, but not of the name."""
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
        """Length in frames; convolution lengthens a signal by ``frames - 1``."""
        return len(self.samples)

    @property
    def channels(self) -> int:
        """Number of channels, as in a file: rows of the matrix."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.sample_rate

    @property
    def layout(self) -> str:
        """The name of the layout: mono, stereo, true-stereo, parallel or N×M."""
        return layout_name(self.wiring)

    @property
    def is_mono(self) -> bool:
        """Whether the one channel is applied to every channel of any input."""
        return self.wiring == MONO

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return the response at a sample rate; this makes a response usable wherever an effect is.

        Parameters
        ----------
        sample_rate : int
            In Hz.
        causal : bool
            Leave out the resampler's ringing before time zero (`without_ringing`), for live use.
        """
        rate = as_sample_rate(sample_rate)
        if rate == self.sample_rate:
            return self
        what = f"{self._called}, from {self.sample_rate} Hz to {rate} Hz,"
        samples, latency = resample(self.samples, self.sample_rate, rate, self.latency, what)
        resampled = derived(self, samples, sample_rate=rate, latency=latency)
        if not flag("causal", causal):
            return resampled
        return without_ringing(resampled, round(self.latency * rate / self.sample_rate), self.sample_rate)

    def for_channels(self, channels: int) -> ImpulseResponse:
        """Return the same response wired for an input of `channels` channels.

        A mono response is applied to every channel. A mono sound in a response with several inputs is spread over
        them with equal power, each input at ``1 / √inputs`` (−3 dB for stereo: the usual pan law), which keeps its
        loudness by ITU-R BS.1770.

        Raises
        ------
        InvalidAudioError
            If the response has another number of inputs.
        ParameterError
            If `channels` is not a positive whole number.
        """
        channels, wiring = whole("channels", channels, 1, routing.MAX_CHANNELS), self.wiring
        if self.is_mono:
            return self._rewired(routing.each(channels))
        if channels == 1:
            fed = Routing(1, wiring.outputs, tuple(Path(0, p.output, p.response) for p in wiring.paths))
            return self._rewired(fed) * self.spread(channels)
        if channels != wiring.inputs:
            raise InvalidAudioError(
                f"{self._called} ({self.layout}) takes {wiring.inputs} channels; the input has {channels}. "
                "Use a mono response, which works with any number of channels, or one with a matching layout"
            )
        return self

    def spread(self, channels: int) -> float:
        """Return the gain with which a sound of `channels` channels feeds each input: below 1 only for mono."""
        return 1.0 / math.sqrt(self.wiring.inputs) if channels == 1 else 1.0

    def _rewired(self, wiring: Routing) -> ImpulseResponse:
        return self if wiring == self.wiring else derived(self, wiring=wiring)

    def __mul__(self, factor: float) -> ImpulseResponse:
        """Return the response scaled by a linear factor."""
        if not is_number(factor):
            return NotImplemented
        if factor == 1.0:
            return self
        return derived(self, self.samples * self.samples.dtype.type(factor))

    __rmul__ = __mul__

    def gain(self, db: float) -> ImpulseResponse:
        """Return the response `db` decibels louder."""
        return self * from_db(in_range("gain", db, -_MAX_GAIN_DB, _MAX_GAIN_DB, "dB"))

    def delay(self, seconds: float) -> ImpulseResponse:
        """Return the response delayed by `seconds` ≥ 0, rounded to the nearest frame."""
        seconds = in_range("delay", seconds, 0, _MAX_DELAY_SECONDS, "s")
        frames = round(seconds * self.sample_rate)
        if frames == 0:
            return self
        dtype = dtype_within_limit(
            self.frames + frames, self.channels, self.samples.dtype, f"a delay of {seconds:g} s"
        )
        samples = np.zeros((self.frames + frames, self.channels), dtype)
        samples[frames:] = self.samples
        return derived(self, samples)

    def __rshift__(self, other: ImpulseResponse) -> ImpulseResponse:
        """Return the response of this followed by `other`: their convolution."""
        return self._combined(other, series, " >> ") if isinstance(other, ImpulseResponse) else NotImplemented

    def __add__(self, other: ImpulseResponse) -> ImpulseResponse:
        """Return the response of this and `other` in parallel: their sum."""
        return (
            self._combined(other, parallel, " + ") if isinstance(other, ImpulseResponse) else NotImplemented
        )

    def _combined(
        self, other: ImpulseResponse, combine: Callable[[Matrix, Matrix, str], Matrix], operator: str
    ) -> ImpulseResponse:
        if self.sample_rate != other.sample_rate:
            raise ParameterError(
                f"sample rates {self.sample_rate} Hz and {other.sample_rate} Hz differ; "
                f"resample one of them first, e.g. with .response({self.sample_rate})"
            )
        name = operator.join(part.name for part in (self, other) if part.name)
        first, second = (Matrix(r.samples, r.wiring, r.latency, r.name) for r in (self, other))
        made = combine(first, second, name)
        return owning(made.samples, self.sample_rate, name, made.wiring, made.latency)


def owning(
    samples: Audio,
    sample_rate: int,
    name: str = "",
    wiring: Routing | str | None = None,
    latency: int = 0,
) -> ImpulseResponse:
    """Return a response that takes over an array without a copy; only for use inside the package.

    The array becomes read-only; the caller must have created it and must not share it. A view is copied, so
    that the response shares no memory. Parameters and errors are those of `ImpulseResponse`.
    """
    samples = as_audio(samples, _called(name))
    if not (samples.flags.owndata and samples.flags.c_contiguous):
        samples = samples.copy()
    response = object.__new__(ImpulseResponse)
    _set_fields(response, samples, sample_rate, name, wiring, latency)
    return response


def derived(
    response: ImpulseResponse,
    samples: Audio | None = None,
    *,
    sample_rate: int | None = None,
    name: str | None = None,
    wiring: Routing | None = None,
    latency: int | None = None,
) -> ImpulseResponse:
    """Return a response with some fields changed, like `dataclasses.replace` but without a copy.

    New samples are taken over as by `owning`; unchanged ones are shared with `response`, which is immutable.
    """
    rate = response.sample_rate if sample_rate is None else sample_rate
    name = response.name if name is None else name
    wiring = response.wiring if wiring is None else wiring
    latency = response.latency if latency is None else latency
    if samples is not None:
        return owning(samples, rate, name, wiring, latency)
    changed = object.__new__(ImpulseResponse)
    _set_fields(changed, response.samples, rate, name, wiring, latency)
    return changed


def without_ringing(response: ImpulseResponse, latency: int, own_rate: int) -> ImpulseResponse:
    """Return a resampled response with at most `latency` frames before time zero, for live use; `own_rate` in Hz.

    The resampler's ringing would delay the sound by two milliseconds. Between 44.1 and 48 kHz the ringing is at the
    edge of the band: without it, octave levels up to 16 kHz change by less than 0.1 dB. At twice the rate and more,
    the direct sound itself is as wide as one frame of the original rate. That much stays, which delays the response
    by 20 µs; octave levels then change by less than 0.2 dB up to 8 kHz and by 0.8 dB at 16 kHz.
    """
    if response.latency <= latency:
        return response
    ratio = response.sample_rate / own_rate
    kept = round(ratio) if ratio >= _WIDE else 0
    ringing = response.latency - latency - kept
    return derived(response, response.samples[max(0, ringing) :], latency=latency)


def unit(sample_rate: int, dtype: npt.DTypeLike = np.float64) -> ImpulseResponse:
    """Return the unit impulse, a dry path: convolution with it changes nothing."""
    return owning(np.ones(1, dtype), sample_rate, "dry")


def check_response(response: object) -> None:
    """Raise ParameterError unless a value is an ImpulseResponse."""
    instance("response", response, ImpulseResponse, "an ImpulseResponse")


def _called(name: str) -> str:
    return f"impulse response {name!r}" if name else "impulse response"


def _set_fields(
    response: ImpulseResponse,
    samples: Audio,
    sample_rate: int,
    name: str,
    wiring: Routing | str | None,
    latency: int,
) -> None:
    """Check the fields and set them on a new response; `samples` belong to it, or to another response."""
    samples.setflags(write=False)
    # Stored as a view: unlike its base, a view of a read-only array cannot be made writable again.
    samples = samples.reshape(len(samples), -1)
    channels = samples.shape[1]
    if wiring is None:
        wiring = usual_wiring(channels, _called(name))
    elif isinstance(wiring, str):
        wiring = parse_layout(wiring, channels)
    instance("wiring", wiring, Routing, "a Routing, or a layout's name")
    if wiring.responses != channels:
        raise InvalidAudioError(
            f"{_called(name)} has {channels} channels; layout {layout_name(wiring)} needs {wiring.responses}"
        )
    latency = whole("latency", latency, 0, len(samples) - 1, "frames")
    fields = (samples, as_sample_rate(sample_rate), name, wiring, latency)
    for field, value in zip(("samples", "sample_rate", "name", "wiring", "latency"), fields, strict=True):
        object.__setattr__(response, field, value)
