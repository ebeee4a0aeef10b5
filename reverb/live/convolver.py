"""The real-time convolver: blocks in, blocks out, no latency; its response and its levels may change any time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Never

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array, Audio, as_real, as_sample_rate, check_out
from reverb.checks import in_range, instance, is_number, one_of, whole
from reverb.effects.effect import HasResponse
from reverb.engine.fft import BackendName
from reverb.engine.machine import CostModel, Machine
from reverb.engine.realtime.adapter import BlockAdapter
from reverb.engine.realtime.convolver import RealtimeConvolver
from reverb.engine.realtime.mix import Delay, Mixer
from reverb.engine.realtime.plan import Plan
from reverb.engine.realtime.swap import CURVES, MODES, Curve, Mode, SwappableConvolver
from reverb.errors import InvalidAudioError, ParameterError, shown
from reverb.levels import from_db, to_db
from reverb.responses.response import ImpulseResponse

__all__ = ["BlockAdapter", "Convolver"]

LOUDEST_DB = 120.0
_MAX_BLOCK = 65536  # frames
_MIN_ROWWISE = 128  # frames per channel from which on it is faster to interleave channel by channel
_INFINITE = float("inf")
_MAX_TAPS = 1 << 30
_LINEAR = ("wet", "dry", "gain")  # as levels that are no decibels are called elsewhere
_FADE = 1024  # frames: 21 ms at 48 kHz, too slow to click and too quick to wait for


class _NotReadableError(ParameterError, AttributeError):
    """A name that stands for nothing but its error: `hasattr` says no."""


class _LinearLevel:
    """A linear level under a usual name: levels are in dB, and a number of the one unit would pass for the other."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, owner: object, _type: type) -> Never:
        raise _NotReadableError(f"a Convolver has no {self._name}; read {self._name}_db, its level in dB")

    def __set__(self, _owner: object, value: Never) -> None:
        raise _linear_refused(self._name, value)


class Convolver:
    """Convolve a stream of equal blocks with an impulse response, adding no latency.

    One thread owns `process` and `reset`. `swap` and the levels may be used from another at any time: neither
    waits for the other, and nothing is locked.

    Parameters
    ----------
    impulse_response : ImpulseResponse, effect, or array_like of shape (taps,) or (taps, channels)
        An array of 1 channel is applied to every input, of 2 is stereo, of 4 true stereo (LL, LR, RL, RR).
        What has a rate of its own, or is made for one, needs `sample_rate`.
    block_size : int
        Frames per block, 1 to 65536. Powers of two from 16 to 4096 are the cheapest.
    inputs : int, optional
        Channels of a block; by default what the response is wired for. A mono response serves any number. One
        input is spread over all inputs of a wider response with equal power, as wherever an effect is applied:
        each gets ``1 / √inputs`` of it, the dry path as well.
    wet_db, dry_db, gain_db : float
        Levels in dB, up to 120, −inf for silence: of the convolved sound, of the input beside it, and of both
        together. The dry sound of one input goes to every output, of several to the output of their number; where
        there are fewer outputs than inputs there is none.
    sample_rate : int, optional
        Of the stream, in Hz: an effect is made for this rate, a response resampled to it. Arrays are taken as they
        are, and need none.
    dtype : float32 or float64
        Of the arithmetic, and of the blocks that `process` creates.
    max_taps : int, optional
        Frames, 1 to 2³⁰, of the longest response to come by `swap`: so much input is remembered for it. The first
        one's by default.
    ramp : int
        Frames over which a level moves to a new value, in a straight line.
    fft : {'fftw', 'pocketfft', 'numpy'}, optional
        By default the fastest that is installed.
    costs : CostModel, optional
        Costs of transforms and multiply-adds on this machine; by default those that `reverb tune` has measured, or else
        built-in ones.

    Raises
    ------
    InvalidAudioError
        If the response is not finite sound, or not wired for that many inputs.
    ParameterError
        If a setting is out of its range; if `sample_rate` is missing beside what needs it; if there is to be a dry
        sound, and fewer outputs than inputs; for `wet`, `dry` and `gain`, which would be linear levels.
    UnknownNameError, MissingExtraError
        If there is no such `fft`, or it is not installed.

    Attributes
    ----------
    block_size, inputs, outputs : int
    dtype : numpy.dtype
    latency : int
        Frames: 0, or the response's own (a linear-phase filter's delay), by which the dry path is late too.
    dropped : int
        Blocks that held NaN or infinity, and were taken as silence.

    Examples
    --------
    >>> import numpy as np
    >>> convolver = Convolver([1.0, 0.5], block_size=4, dtype=np.float64)
    >>> convolver.process(np.array([1.0, 0.0, 0.0, 0.0])).round(6).tolist()
    [1.0, 0.5, 0.0, 0.0]
    """

    def __init__(
        self,
        impulse_response: ImpulseResponse | HasResponse | npt.ArrayLike,
        block_size: int = 128,
        *,
        inputs: int | None = None,
        wet_db: float = 0.0,
        dry_db: float = -_INFINITE,
        gain_db: float = 0.0,
        sample_rate: int | None = None,
        dtype: npt.DTypeLike = np.float32,
        max_taps: int | None = None,
        ramp: int = _FADE,
        fft: BackendName | None = None,
        costs: CostModel | None = None,
        **linear: Never,
    ) -> None:
        _refuse_linear(linear)
        self.block_size = whole("block_size", block_size, 1, _MAX_BLOCK)
        self.dtype = _float_type(dtype)
        self._sample_rate = None if sample_rate is None else as_sample_rate(sample_rate)
        self._levels = {
            "wet_db": _decibels("wet_db", wet_db),
            "dry_db": _decibels("dry_db", dry_db),
            "gain_db": _decibels("gain_db", gain_db),
        }
        frames = whole("ramp", ramp, 1, 1 << 24)
        longest = 1 if max_taps is None else whole("max_taps", max_taps, 1, _MAX_TAPS)
        self._fft: BackendName | None = fft
        if fft is not None:
            instance("fft", fft, str, "a name or None")
        if costs is not None:
            instance("costs", costs, CostModel, "a CostModel or None")
        self._machine = None if costs is None else Machine.of(costs)
        response = _as_response(impulse_response, self._sample_rate)
        self.inputs = whole("inputs", response.wiring.inputs if inputs is None else inputs, 1, 1024)
        self.latency = response.latency
        wired = response.for_channels(self.inputs)
        self.outputs = wired.wiring.outputs
        if self._levels["dry_db"] > -_INFINITE:
            check_dry(self.inputs, self.outputs)
        engine = self._engine(wired)
        self._core = SwappableConvolver(engine, max(longest, engine.tail + 1))
        self._spread, self._bypass = response.spread(self.inputs), False
        self._mixer = Mixer(*self._paths(), frames, (self.inputs, self.outputs, self.block_size), self.dtype)
        self._delay = Delay(self.latency, self.inputs, self.block_size, self.dtype) if self.latency else None
        self._dry = np.zeros((self.inputs, self.block_size), self.dtype)
        self._out = np.zeros((self.outputs, self.block_size), self.dtype)
        self._rows = list(self._out) if self.block_size >= _MIN_ROWWISE * self.outputs else []
        self._shape, self._answer = (self.block_size, self.inputs), (self.block_size, self.outputs)
        self._answers = (self._answer, self._answer[:1])[: 2 if self.outputs == 1 else 1]
        self._faint = float(np.finfo(self.dtype).tiny) ** 0.5
        self.dropped = 0

    # Numbers under these names would be taken for the other unit; so they are refused, not unknown.
    wet, dry, gain = _LinearLevel(), _LinearLevel(), _LinearLevel()

    def _engine(self, wired: ImpulseResponse) -> RealtimeConvolver:
        rows: npt.NDArray[Any] = np.ascontiguousarray(wired.samples.T)
        early = self.latency - wired.latency
        if early < 0:
            raise ParameterError(
                f"the response's latency is {wired.latency} frames; expected at most {self.latency}, which "
                "this convolver was built with; build a new one for it"
            )
        rows = np.pad(rows, ((0, 0), (early, 0))) if early else rows
        return RealtimeConvolver(
            rows, wired.wiring, self.block_size, self.dtype, fft=self._fft, machine=self._machine
        )

    def process(self, block: npt.ArrayLike, out: Audio | None = None) -> Audio:
        """Convolve one block.

        Parameters
        ----------
        block : array_like, shape (block_size, inputs), or (block_size,) if there is one input
            Any real type. A block with NaN or infinity counts as silence, and is counted in `dropped`; one
            whose square is no normal number (below −379 dB in float32) counts as silence, too.
        out : ndarray of float32 or float64, optional
            Where to put the answer, ``(block_size, outputs)`` or, for one output, ``(block_size,)``; may be
            `block` itself. With it, nothing is allocated.

        Returns
        -------
        ndarray
            `out`, or a new array with as many axes as the block, if the outputs allow it.

        Raises
        ------
        InvalidAudioError
            If `block` or `out` has another shape or type; the stream stays where it was.
        """
        # The usual types are let through at a glance: all checks would take 1.5 µs.
        usual = isinstance(block, np.ndarray) and block.dtype is self.dtype
        given: Array = block if usual else as_real(block, "block")  # type: ignore[assignment]
        if given.shape != self._shape and (given.shape != self._shape[:1] or self.inputs != 1):
            raise InvalidAudioError(f"block has shape {given.shape}; expected {self._shape}")
        if out is None:
            alone = given.ndim == 1 and self.outputs == 1
            out = np.empty(self._answer[:1] if alone else self._answer, self.dtype)
        elif not self._is_usual(out):
            check_out(out, *self._answers)
        planar, flat = self._core.inlet()
        planar[...] = given.T
        # The positions of the extremes are quick to find, and a NaN is one of them.
        low, high = flat.item(flat.argmin()), flat.item(flat.argmax())
        if not -_INFINITE < low <= high < _INFINITE:
            planar[...] = 0
            self.dropped += 1
        elif -self._faint < low and high < self._faint:
            planar[...] = 0  # or it would breed denormals, which are slow
        # Nothing is to be mixed, and no delayed dry path has to hear every block.
        direct = self._delay is None and self._mixer.neutral
        if direct and out.shape == self._answer and out.dtype == self.dtype:
            self._core.advance(planar, out.T)
            return out
        mixed, dry = self._out, self._dry
        if self._delay is None:
            dry[...] = planar
        else:
            self._delay.process(planar, dry)
        self._core.advance(planar, mixed)
        self._mixer.process(mixed, dry)
        if out.shape == self._answer:
            if self._rows:
                for channel, row in enumerate(self._rows):
                    out[:, channel] = row
            else:
                out.T[...] = mixed
        else:
            out[...] = mixed[0]
        return out

    def _is_usual(self, out: object) -> bool:
        return (
            isinstance(out, np.ndarray)
            and out.dtype is self.dtype
            and out.shape == self._answer
            and out.flags.writeable
        )

    def swap(
        self,
        impulse_response: ImpulseResponse | HasResponse | npt.ArrayLike,
        *,
        mode: Mode = "crossfade",
        fade: int = _FADE,
        curve: Curve = "equal gain",
    ) -> None:
        """Change the response while blocks run; safe from another thread, which does all the work.

        The new response may have any length and its own plan. It must have as many outputs, and no more latency;
        less is made up for by a delay. Returns when the response is ready; it comes in with the next block, or
        after the fade that is under way. Of several requests that wait, the last one counts.

        Parameters
        ----------
        impulse_response
            As for the constructor.
        mode : {'crossfade', 'spillover'}
            ``crossfade``: the new response sounds as if it had always been there, as far back as input is
            remembered (`max_taps`). ``spillover``: the old one's tail rings out, and new input goes to the new.
        fade : int
            Frames of the fade, of the outputs or of the inputs.
        curve : {'equal gain', 'equal power'}
            ``equal gain`` for responses that are alike, and for spillover; ``equal power`` for a crossfade of
            responses that have nothing in common.

        Raises
        ------
        InvalidAudioError, ParameterError
        """
        one_of("mode", mode, MODES)
        one_of("curve", curve, CURVES)
        frames = whole("fade", fade, 0, 1 << 24)
        response = _as_response(impulse_response, self._sample_rate)
        wired = response.for_channels(self.inputs)
        if wired.wiring.outputs != self.outputs:
            raise InvalidAudioError(
                f"the response has {wired.wiring.outputs} outputs; expected {self.outputs}, as before"
            )
        self._core.swap(self._engine(wired), mode, frames, curve)
        self._spread = response.spread(self.inputs)
        self._aim()

    @property
    def plan(self) -> Plan:
        """The stages of the response in charge and the work of every slot; ``print`` it for a table."""
        return self._core.engine.plan

    @property
    def tail(self) -> int:
        """Frames that still sound after the input has ended: the response's length − 1."""
        tail: int = self._core.engine.tail
        return tail

    @property
    def changing(self) -> bool:
        """Whether a swap is waiting, fading or ringing out."""
        return self._core.changing

    @property
    def sample_rate(self) -> int | None:
        """Of the stream, in Hz; None where only arrays are taken."""
        return self._sample_rate

    @property
    def wet_db(self) -> float:
        """Level of the convolved sound in dB. A new value is reached over the ramp."""
        return self._levels["wet_db"]

    @wet_db.setter
    def wet_db(self, db: float) -> None:
        self._set("wet_db", db)

    @property
    def dry_db(self) -> float:
        """Level of the input in dB, aligned with the convolved sound; only where each input has an output."""
        return self._levels["dry_db"]

    @dry_db.setter
    def dry_db(self, db: float) -> None:
        if _decibels("dry_db", db) > -_INFINITE:
            check_dry(self.inputs, self.outputs)
        self._set("dry_db", db)

    @property
    def gain_db(self) -> float:
        """Level of both together in dB."""
        return self._levels["gain_db"]

    @gain_db.setter
    def gain_db(self, db: float) -> None:
        self._set("gain_db", db)

    @property
    def bypass(self) -> bool:
        """Whether the dry sound passes alone, at 0 dB, while the convolver goes on unheard."""
        return self._bypass

    @bypass.setter
    def bypass(self, on: bool) -> None:
        if on:
            check_dry(self.inputs, self.outputs)
        self._bypass = bool(on)
        self._aim()

    def _set(self, name: str, db: float) -> None:
        self._levels[name] = _decibels(name, db)
        self._aim()

    def _aim(self) -> None:
        self._mixer.wet, self._mixer.dry = self._paths()

    def _paths(self) -> tuple[float, float]:
        """Return the linear levels of the wet and the dry path."""
        wet, dry, gain = (self._levels[name] for name in ("wet_db", "dry_db", "gain_db"))
        if self._bypass:
            return 0.0, self._spread
        return from_db(gain + wet), self._spread * from_db(gain + dry)

    def reset(self) -> None:
        """Forget all sound and all fades; levels, a waiting response and `dropped` stay or take effect."""
        self._core.reset()
        self._mixer.settle()
        if self._delay is not None:
            self._delay.clear()

    def __repr__(self) -> str:
        return f"<Convolver {self.inputs} in, {self.outputs} out: {self.plan!r}>"


def check_dry(inputs: int, outputs: int) -> None:
    """Raise ParameterError where a dry sound would lose channels."""
    if inputs > outputs:
        raise ParameterError(
            f"{inputs} channels go in and {outputs} come out, so a dry sound has no place for each; expected none "
            "(a dry level of -inf, mix 1, no bypass). Put dry paths into the response's matrix, or mix the input first"
        )


def _as_response(given: Any, sample_rate: int | None) -> ImpulseResponse:
    if not isinstance(given, HasResponse):
        return ImpulseResponse(given, sample_rate or 1)
    if sample_rate is None:
        own = f"the response has {given.sample_rate} Hz" if isinstance(given, ImpulseResponse) else ""
        why = own or "an effect is made for a rate"
        raise ParameterError(f"{why}; give sample_rate=, the stream's in Hz, when the convolver is built")
    return given.response(sample_rate)


def _refuse_linear(linear: Mapping[str, object]) -> None:
    for name, value in linear.items():
        if name not in _LINEAR:
            raise TypeError(f"Convolver.__init__() got an unexpected keyword argument {name!r}")
        raise _linear_refused(name, value)


def _linear_refused(name: str, value: object) -> ParameterError:
    """Return the error for a level that could be linear, with what to give in its place."""
    instead = f"{name}_db"
    if is_number(value) and value >= 0:
        instead += f"={to_db(value):.4g}" if value else "=-math.inf"
    elif is_number(value):
        instead += f"={value:g} if that is in dB; a sign belongs into the response"
    return ParameterError(
        f"{name}={shown(repr(value))} would be a linear level; levels are in dB: give {instead}"
    )


def _decibels(name: str, db: object) -> float:
    return in_range(name, db, -_INFINITE, LOUDEST_DB, "dB")


def _float_type(dtype: npt.DTypeLike) -> np.dtype[Any]:
    try:
        kind = None if dtype is None else np.dtype(dtype)  # NumPy takes None for float64
    except (TypeError, ValueError):
        kind = None
    if kind is None or kind not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ParameterError(f"dtype is {shown(str(kind or repr(dtype)))}; expected float32 or float64")
    return kind
