"""The real-time convolver: blocks in, blocks out, no latency; its response and its levels may change any time."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from reverb.arrays import Audio
from reverb.effects.effect import HasResponse
from reverb.engine.fft_plans import BackendName
from reverb.engine.partition import Plan
from reverb.engine.realtime import RealtimeConvolver
from reverb.engine.realtime_adapter import BlockAdapter
from reverb.engine.realtime_mix import Delay, Mixer
from reverb.engine.realtime_swap import CURVES, MODES, Curve, Mode, SwappableConvolver
from reverb.engine.realtime_work import CostModel
from reverb.errors import InvalidAudioError, ParameterError
from reverb.responses.response import ImpulseResponse

__all__ = ["BlockAdapter", "Convolver"]

_SMALLEST, _LARGEST = 1, 65536
_BY_CHANNEL = 128  # frames for each channel from which on interleaving channel by channel is the quicker way
_INFINITE = float("inf")
_FADE = 1024  # frames: 21 ms at 48 kHz, too slow to click and too quick to wait for


class Convolver:
    """Convolve a stream of equal blocks with an impulse response, adding no latency.

    One thread owns `process` and `reset`. `swap` and the levels may be used from another at any time: neither
    waits for the other, and nothing is locked.

    Parameters
    ----------
    impulse_response : ImpulseResponse, effect, or array_like of shape (taps,) or (taps, channels)
        An array of 1 channel is applied to every input, of 2 is stereo, of 4 true stereo (LL, LR, RL, RR).
        An effect needs `sample_rate`.
    block_size : int
        Frames per block, 1 to 65536. Powers of two from 16 to 4096 are the cheapest.
    inputs : int, optional
        Channels of a block; by default what the response is wired for. A mono response serves any number, one
        input feeds every input of a wider response.
    wet, dry, gain : float
        Linear levels: the output is ``gain · (wet · convolved + dry · input)``.
    sample_rate : int, optional
        In Hz: an effect is made for this rate, a response resampled to it. Not needed for arrays.
    dtype : float32 or float64
        Of the arithmetic, and of the blocks that `process` creates.
    max_taps : int, optional
        The longest response to come by `swap`: so much input is remembered for it. The first one's by default.
    ramp : int
        Frames over which a level moves to a new value, in a straight line.
    fft : {'fftw', 'pocketfft', 'numpy'}, optional
        By default the fastest that is installed.
    costs : CostModel, optional
        What the machine charges for transforms and multiply-adds; by default what
        `reverb.engine.realtime_costs.measure_costs` once found here, or else built-in values.

    Raises
    ------
    InvalidAudioError
        If the response is not finite sound, or not wired for that many inputs.
    ParameterError
        If a setting is out of its range.

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
        wet: float = 1.0,
        dry: float = 0.0,
        gain: float = 1.0,
        sample_rate: int | None = None,
        dtype: npt.DTypeLike = np.float32,
        max_taps: int | None = None,
        ramp: int = _FADE,
        fft: BackendName | None = None,
        costs: CostModel | None = None,
    ) -> None:
        self.block_size = _whole("block_size", block_size, _SMALLEST, _LARGEST)
        self.dtype = _float_type(dtype)
        self._sample_rate, self._fft, self._costs = sample_rate, fft, costs
        response = _as_response(impulse_response, sample_rate)
        self.inputs = _whole("inputs", response.wiring.inputs if inputs is None else inputs, 1, 1024)
        self.latency = response.latency
        engine = self._engine(response)
        self.outputs = engine.routing.outputs
        self._core = SwappableConvolver(engine, max(max_taps or 0, engine.tail + 1))
        self._levels = {"wet": _level("wet", wet), "dry": _level("dry", dry), "gain": _level("gain", gain)}
        self._bypass = False
        shape = (self.inputs, self.outputs, self.block_size)
        self._mixer = Mixer(gain * wet, gain * dry, _whole("ramp", ramp, 1, 1 << 24), shape, self.dtype)
        self._delay = Delay(self.latency, self.inputs, self.block_size, self.dtype) if self.latency else None
        self._dry = np.zeros((self.inputs, self.block_size), self.dtype)
        self._out = np.zeros((self.outputs, self.block_size), self.dtype)
        self._rows = list(self._out) if self.block_size >= _BY_CHANNEL * self.outputs else []
        self._shape, self._answer = (self.block_size, self.inputs), (self.block_size, self.outputs)
        self._faint = float(np.finfo(self.dtype).tiny) ** 0.5
        self.dropped = 0

    def _engine(self, response: ImpulseResponse) -> RealtimeConvolver:
        wired = response.for_channels(self.inputs)
        rows: npt.NDArray[Any] = np.ascontiguousarray(wired.samples.T)
        early = self.latency - response.latency
        if early < 0:
            raise ParameterError(
                f"the response's latency is {response.latency} frames; expected at most {self.latency}, which "
                "this convolver was built with; build a new one for it"
            )
        rows = np.pad(rows, ((0, 0), (early, 0))) if early else rows
        return RealtimeConvolver(
            rows, wired.wiring, self.block_size, self.dtype, fft=self._fft, costs=self._costs
        )

    def process(self, block: npt.ArrayLike, out: Audio | None = None) -> Audio:
        """Convolve one block.

        Parameters
        ----------
        block : array_like, shape (block_size, inputs), or (block_size,) if there is one input
            Any real type. A block with NaN or infinity counts as silence, and is counted in `dropped`; one
            whose square is no normal number (below −379 dB in float32) counts as silence, too.
        out : ndarray, optional
            Where to put the answer, ``(block_size, outputs)`` or, for one output, ``(block_size,)``; may be
            `block` itself. With it, nothing is allocated.

        Returns
        -------
        ndarray
            `out`, or a new array with as many axes as the block, if the outputs allow it.
        """
        given: npt.NDArray[Any] = block if isinstance(block, np.ndarray) else np.asarray(block)
        planar, flat = self._core.inlet()
        if given.shape == self._shape:
            planar[...] = given.T
        elif given.shape == self._shape[:1] and self.inputs == 1:
            planar[...] = given
        else:
            raise InvalidAudioError(f"block has shape {given.shape}; expected {self._shape}")
        # The positions of the extremes are quick to find, and a NaN is one of them.
        low, high = flat.item(flat.argmin()), flat.item(flat.argmax())
        if not -_INFINITE < low <= high < _INFINITE:
            planar[...] = 0
            self.dropped += 1
        elif -self._faint < low and high < self._faint:
            planar[...] = 0  # or it would breed denormals, which are slow
        if out is None:
            alone = given.ndim == 1 and self.outputs == 1
            out = np.empty(self._answer[:1] if alone else self._answer, self.dtype)
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
        elif out.shape == self._answer[:1] and self.outputs == 1:
            out[...] = mixed[0]
        else:
            raise InvalidAudioError(f"out has shape {out.shape}; expected {self._answer}")
        return out

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
        _one_of("mode", mode, MODES)
        _one_of("curve", curve, CURVES)
        frames = _whole("fade", fade, 0, 1 << 24)
        engine = self._engine(_as_response(impulse_response, self._sample_rate))
        if engine.routing.outputs != self.outputs:
            raise InvalidAudioError(
                f"the response has {engine.routing.outputs} outputs; expected {self.outputs}, as before"
            )
        self._core.swap(engine, mode, frames, curve)

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
    def wet(self) -> float:
        """Level of the convolved sound, linear. A new value is reached over the ramp."""
        return self._levels["wet"]

    @wet.setter
    def wet(self, level: float) -> None:
        self._set("wet", level)

    @property
    def dry(self) -> float:
        """Level of the input, linear and aligned with the convolved sound."""
        return self._levels["dry"]

    @dry.setter
    def dry(self, level: float) -> None:
        self._set("dry", level)

    @property
    def gain(self) -> float:
        """Level of both together, linear."""
        return self._levels["gain"]

    @gain.setter
    def gain(self, level: float) -> None:
        self._set("gain", level)

    @property
    def bypass(self) -> bool:
        """Whether the input passes as it is, while the convolver goes on unheard."""
        return self._bypass

    @bypass.setter
    def bypass(self, on: bool) -> None:
        self._bypass = bool(on)
        self._aim()

    def _set(self, name: str, level: float) -> None:
        self._levels[name] = _level(name, level)
        self._aim()

    def _aim(self) -> None:
        gain = self._levels["gain"]
        self._mixer.wet = 0.0 if self._bypass else gain * self._levels["wet"]
        self._mixer.dry = 1.0 if self._bypass else gain * self._levels["dry"]

    def reset(self) -> None:
        """Forget all sound and all fades; levels, a waiting response and `dropped` stay or take effect."""
        self._core.reset()
        self._mixer.settle()
        if self._delay is not None:
            self._delay.clear()

    def __repr__(self) -> str:
        return f"<Convolver {self.inputs} in, {self.outputs} out: {self.plan!r}>"


def _as_response(given: Any, sample_rate: int | None) -> ImpulseResponse:
    if isinstance(given, ImpulseResponse):
        return given if sample_rate is None else given.response(sample_rate)
    if isinstance(given, HasResponse):
        if sample_rate is None:
            raise ParameterError("an effect has no response without a rate; give sample_rate=")
        return given.response(sample_rate)
    return ImpulseResponse(given, sample_rate or 1)


def _whole(name: str, value: int, low: int, high: int) -> int:
    if isinstance(value, bool) or value != int(value) or not low <= value <= high:
        raise ParameterError(f"{name} is {value!r}; expected a whole number from {low} to {high}")
    return int(value)


def _level(name: str, value: float) -> float:
    if not abs(value) < np.inf:
        raise ParameterError(f"{name} is {value!r}; expected a finite linear gain")
    return float(value)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ParameterError(f"{name} is {value!r}; expected {' or '.join(map(repr, allowed))}")


def _float_type(dtype: npt.DTypeLike) -> np.dtype[Any]:
    kind = np.dtype(dtype)
    if kind not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise ParameterError(f"dtype is {kind}; expected float32 or float64")
    return kind
