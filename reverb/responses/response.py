"""The impulse response: the one value that everything done to sound becomes.

A response is a matrix of sounds. Its `wiring` (`reverb.engine.routing`) says which channel connects which input to
which output; `reverb.responses.shape` names the usual wirings.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio, as_audio, as_real, as_sample_rate
from reverb.checks import in_range, instance, whole
from reverb.engine import routing
from reverb.engine.routing import Path, Routing
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import from_db
from reverb.responses.algebra import Matrix, parallel, series
from reverb.responses.resampling import resample
from reverb.responses.shape import MONO, dtype_within_limit, layout_name, parse_layout, usual_wiring

_WIDE = 1.5  # ratio of sample rates from which the direct sound is wider than a frame
_MAX_GAIN_DB = 6000.0  # beyond it the factor leaves the range of float64
_MAX_DELAY = 1e9
_NO_SOURCE: tuple[str, str | None] | None = None


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

    # Name or path, and layout, from which `impulse` loaded it. No field: a response made from another has none.
    origin = _NO_SOURCE

    # Written by hand, as it takes more types than the fields have.
    def __init__(
        self,
        samples: npt.ArrayLike,
        sample_rate: int,
        name: str = "",
        wiring: Routing | str | None = None,
        latency: int = 0,
    ) -> None:
        name = instance("name", name, str)
        # Checked after the copy: nobody else can change what was checked.
        own = np.array(as_real(samples, _called(name)), order="C")
        # Whoever names the wiring has counted the channels.
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

    def response(self, sample_rate: int, *, causal: bool = False) -> ImpulseResponse:
        """Return itself at a sample rate, so that a response can be used wherever an effect can.

        Causal: without the resampler's ringing before time zero (`without_ringing`), for live use.
        """
        rate = as_sample_rate(sample_rate)
        if rate == self.sample_rate:
            return self
        what = f"{self._called}, from {self.sample_rate} Hz to {rate} Hz,"
        samples, latency = resample(self.samples, self.sample_rate, rate, self.latency, what)
        resampled = derived(self, samples, sample_rate=rate, latency=latency)
        if not causal:
            return resampled
        return without_ringing(resampled, round(self.latency * rate / self.sample_rate), self.sample_rate)

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
            return self._rewired(routing.each(channels))
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
        return self if wiring == self.wiring else derived(self, wiring=wiring)

    def __mul__(self, factor: float) -> ImpulseResponse:
        """Scale by a linear factor."""
        if factor == 1.0:
            return self
        return derived(self, self.samples * self.samples.dtype.type(factor))

    __rmul__ = __mul__

    def gain(self, db: float) -> ImpulseResponse:
        """Return the response `db` decibels louder."""
        return self * from_db(in_range("gain", db, -_MAX_GAIN_DB, _MAX_GAIN_DB, "dB"))

    def delay(self, seconds: float) -> ImpulseResponse:
        """Return the response later by `seconds` ≥ 0, rounded to the nearest frame."""
        seconds = in_range("delay", seconds, 0, _MAX_DELAY, "s")
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
        """Return the response of this, then `other`: one convolution that does both."""
        return self._combined(other, series, " >> ") if isinstance(other, ImpulseResponse) else NotImplemented

    def __add__(self, other: ImpulseResponse) -> ImpulseResponse:
        """Return the response of this and `other` side by side, their outputs summed."""
        return (
            self._combined(other, parallel, " + ") if isinstance(other, ImpulseResponse) else NotImplemented
        )

    def _combined(
        self, other: ImpulseResponse, combine: Callable[[Matrix, Matrix, str], Matrix], operator: str
    ) -> ImpulseResponse:
        if self.sample_rate != other.sample_rate:
            raise ParameterError(
                f"sample rates {self.sample_rate} Hz and {other.sample_rate} Hz differ; "
                f"bring one to the other's first, e.g. with .response({self.sample_rate})"
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
    """Return a response that takes over an array without a copy; for functions inside the package alone.

    The caller must have made the array and must hand it to nobody else: it becomes read-only. A view is copied, so
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
    """Return a response with some fields changed, as `dataclasses.replace` does, but without a copy.

    New samples are taken over as `owning` takes them; unchanged ones are shared with `response`, which is immutable.
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
    """Return a resampled response with at most `latency` frames before time zero, for live use.

    The resampler's ringing would delay everything by two milliseconds. Between 44.1 and 48 kHz it lies at the edge of
    the band: octave levels up to 16 kHz change by less than 0.1 dB. At twice the rate and more the direct sound itself
    is as wide as a sample of the response's own rate, so that much is kept, and the response comes 20 µs later: then
    they change by less than 0.2 dB up to 8 kHz and 0.8 dB at 16 kHz.

    Parameters
    ----------
    response : ImpulseResponse
    latency : int
        Frames before time zero that are no ringing.
    own_rate : int
        In Hz, before resampling.
    """
    if response.latency <= latency:
        return response
    ratio = response.sample_rate / own_rate
    kept = round(ratio) if ratio >= _WIDE else 0
    ringing = response.latency - latency - kept
    return derived(response, response.samples[max(0, ringing) :], latency=latency)


def unit(sample_rate: int, dtype: npt.DTypeLike = np.float64) -> ImpulseResponse:
    """Return the unit impulse, which leaves every sound as it is: a dry path."""
    return owning(np.ones(1, dtype), sample_rate, "dry")


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
    """Fill a new response with checked fields; `samples` belong to it alone, or to another response."""
    samples.setflags(write=False)
    # A view of a read-only array cannot be made writable again.
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
