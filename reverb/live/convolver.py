"""The real-time convolver: blocks in, blocks out, no latency; its response and its levels may change any time."""

from __future__ import annotations

import os
from typing import Any, Never

import numpy as np
import numpy.typing as npt

from reverb.arrays import Array, Audio, as_float_type, as_real, as_sample_rate, check_out, fits
from reverb.checks import in_range, instance, one_of, whole
from reverb.effects.effect import HasResponse
from reverb.engine.fft import BackendName
from reverb.engine.machine import CostModel, Machine
from reverb.engine.realtime.convolver import RealtimeConvolver
from reverb.engine.realtime.mix import Delay, Mixer
from reverb.engine.realtime.plan import Plan
from reverb.engine.realtime.swap import CURVES, MODES, Curve, Mode, SwappableConvolver
from reverb.errors import InvalidAudioError, ParameterError
from reverb.levels import from_db
from reverb.live.levels import MAX_DB, NoLinearLevel, as_switch, check_dry, refuse_linear_levels
from reverb.responses.response import ImpulseResponse

_MAX_BLOCK_SIZE = 65536
_MAX_TAPS = 1 << 30
_MAX_FADE = 1 << 24  # frames
_FADE = 1024  # frames: 21 ms at 48 kHz, too slow to click and too quick to wait for
_MIN_ROW_FRAMES = 128  # for each channel; from here on, interleaving channel by channel is faster
_INFINITE = float("inf")


class Convolver:
    """Convolve a stream of equal blocks with an impulse response, adding no latency.

    One thread owns `process` and `reset`. `swap` and the levels may be used from another one at any time: neither
    thread waits for the other, and nothing is locked.

    Parameters
    ----------
    impulse_response : ImpulseResponse, effect, str, path-like, or array_like of shape (taps,) or (taps, channels)
        A text is a name in the library or a path; all but arrays need `sample_rate`. An array of 1 channel is
        applied to every input, of 2 is stereo, of 4 true stereo (LL, LR, RL, RR).
    block_size : int
        Frames per block, 1 to 65536. Powers of two from 16 to 4096 are the cheapest.
    inputs : int, optional
        Channels of a block; by default as many as the response is wired for. A mono response serves any number. A
        single input goes to all inputs of a wider response, and to the dry path, at ``1 / √inputs``: equal power.
    wet_db, dry_db, gain_db : float
        Levels of the convolved sound, of the unprocessed input, and of both together: dB up to 120, −inf for silence.
        The dry sound of one input goes to every output, of several to their own; with fewer outputs there is none.
    sample_rate : int, optional
        Of the stream, in Hz: an effect is made for this rate, a response resampled to it. Arrays are used as they are.
    dtype : float32 or float64
        Of the arithmetic, and of the blocks that `process` creates.
    max_taps : int, optional
        Frames of the longest response to come by `swap`, 1 to 2³⁰; by default those of the first one.
    ramp : int
        Frames over which a level moves to a new value, in a straight line.
    fft : {'fftw', 'pocketfft', 'numpy'}, optional
        By default the fastest that is installed.
    costs : CostModel, optional
        Costs of transforms and multiply-adds; by default as `reverb tune` has measured them, or else built-in ones.

    Raises
    ------
    InvalidAudioError
        If the response is not finite sound, or not wired for that many inputs.
    ParameterError
        If a setting is out of range; if `sample_rate` is needed; if a dry sound is requested with fewer outputs than
        inputs; for `wet`, `dry` and `gain`, which could be linear levels.
    UnknownNameError, MissingExtraError
        If there is no such response or `fft`, or it is not installed.

    Attributes
    ----------
    block_size, inputs, outputs : int
    dtype : numpy.dtype
    latency : int
        Frames: 0, or the response's own (the delay of a linear-phase filter), by which the dry path is late, too.
    dropped : int
        Blocks that contained NaN or infinity, and were processed as silence.

    Examples
    --------
    >>> import numpy as np
    >>> convolver = Convolver([1.0, 0.5], block_size=4, dtype=np.float64)
    >>> convolver.process(np.array([1.0, 0.0, 0.0, 0.0])).round(6).tolist()
    [1.0, 0.5, 0.0, 0.0]
    """

    def __init__(
        self,
        impulse_response: HasResponse | str | os.PathLike[str] | npt.ArrayLike,
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
        refuse_linear_levels("Convolver", linear)
        self.block_size = whole("block_size", block_size, 1, _MAX_BLOCK_SIZE)
        self.dtype = as_float_type(dtype)
        self._sample_rate = None if sample_rate is None else as_sample_rate(sample_rate)
        levels = {"wet_db": wet_db, "dry_db": dry_db, "gain_db": gain_db}
        self._levels = {name: in_range(name, db, -_INFINITE, MAX_DB, "dB") for name, db in levels.items()}
        ramp = whole("ramp", ramp, 1, _MAX_FADE)
        memory = 1 if max_taps is None else whole("max_taps", max_taps, 1, _MAX_TAPS)
        if fft is not None:
            instance("fft", fft, str, "a name or None")
        self._fft: BackendName | None = fft
        self._machine = None if costs is None else Machine.of(instance("costs", costs, CostModel))
        response = _as_response(impulse_response, self._sample_rate)
        self.inputs = whole("inputs", response.wiring.inputs if inputs is None else inputs, 1, 1024)
        self.latency = response.latency
        wired = response.for_channels(self.inputs)
        self.outputs = wired.wiring.outputs
        check_dry(from_db(self._levels["dry_db"]), self.inputs, self.outputs)
        engine = self._build(wired)
        self._core = SwappableConvolver(engine, max(memory, engine.tail + 1))
        self._spread, self._bypass = response.spread(self.inputs), False
        shape = (self.inputs, self.outputs, self.block_size)
        self._mixer = Mixer(*self._path_levels(), ramp, shape, self.dtype)
        self._delay = Delay(self.latency, self.inputs, self.block_size, self.dtype) if self.latency else None
        self._dry = np.zeros((self.inputs, self.block_size), self.dtype)
        self._mixed = np.zeros((self.outputs, self.block_size), self.dtype)
        self._rows = list(self._mixed) if self.block_size >= _MIN_ROW_FRAMES * self.outputs else []
        self._shape, self._out_shape = (self.block_size, self.inputs), (self.block_size, self.outputs)
        self._out_shapes = (self._out_shape, *([self._out_shape[:1]] if self.outputs == 1 else []))
        self._faint = float(np.finfo(self.dtype).tiny) ** 0.5
        self.dropped = 0

    wet, dry, gain = NoLinearLevel(), NoLinearLevel(), NoLinearLevel()

    def _build(self, wired: ImpulseResponse) -> RealtimeConvolver:
        """Return the engine for a response, delayed to this convolver's latency."""
        rows: Array = np.ascontiguousarray(wired.samples.T)
        if (early := self.latency - wired.latency) < 0:
            most = f"at most {self.latency}, as this convolver was built with; build a new one for it"
            raise ParameterError(f"the response's latency is {wired.latency} frames; expected {most}")
        rows = np.pad(rows, ((0, 0), (early, 0))) if early else rows
        return RealtimeConvolver(
            rows, wired.wiring, self.block_size, self.dtype, fft=self._fft, machine=self._machine
        )

    def process(self, block: npt.ArrayLike, out: Audio | None = None) -> Audio:
        """Convolve one block.

        Parameters
        ----------
        block : array_like, shape (block_size, inputs), or (block_size,) if there is one input
            Any real type. Silence replaces a block with NaN or infinity, which `dropped` counts, and one so faint that
            its square is no normal number (below −379 dB in float32).
        out : ndarray of float32 or float64, optional
            Receives the result, ``(block_size, outputs)`` or, for one output, ``(block_size,)``; may be `block`.
            With it, nothing is allocated.

        Returns
        -------
        ndarray
            `out`, or a new array with as many axes as the block, if the outputs allow it.

        Raises
        ------
        InvalidAudioError
            If `block` or `out` has another shape or type; the stream stays where it was.
        """
        usual = isinstance(block, np.ndarray) and block.dtype is self.dtype
        given: Array = block if usual else as_real(block, "block")  # type: ignore[assignment]
        if given.shape != self._shape and (given.shape != self._shape[:1] or self.inputs != 1):
            raise InvalidAudioError(f"block has shape {given.shape}; expected {self._shape}")
        if out is None:
            out = np.empty(self._out_shapes[-1] if given.ndim == 1 else self._out_shape, self.dtype)
        elif not fits(out, self.dtype, self._out_shape):
            check_out(out, *self._out_shapes)
        planar, flat = self._core.inlet()
        planar[...] = given.T
        # The positions of the extremes are quick to find, and a NaN is one of them.
        low, high = flat.item(flat.argmin()), flat.item(flat.argmax())
        if not -_INFINITE < low <= high < _INFINITE:
            planar[...] = 0
            self.dropped += 1
        elif -self._faint < low and high < self._faint:
            planar[...] = 0  # its products would be denormals, which are slow
        # A delayed dry path has to receive every block, even if it is silent.
        direct = self._delay is None and self._mixer.neutral
        if direct and out.shape == self._out_shape and out.dtype == self.dtype:
            self._core.advance(planar, out.T)
            return out
        mixed, dry = self._mixed, self._dry
        if self._delay is None:
            dry[...] = planar
        else:
            self._delay.process(planar, dry)
        self._core.advance(planar, mixed)
        self._mixer.process(mixed, dry)
        if out.shape != self._out_shape:
            out[...] = mixed[0]
        elif self._rows:
            for channel, row in enumerate(self._rows):
                out[:, channel] = row
        else:
            out.T[...] = mixed
        return out

    def swap(
        self,
        impulse_response: HasResponse | str | os.PathLike[str] | npt.ArrayLike,
        *,
        mode: Mode = "crossfade",
        fade: int = _FADE,
        curve: Curve = "equal gain",
    ) -> None:
        """Change the response while blocks run. For one thread at a time, which does all the work.

        The new response may have any length. It must have as many outputs, and at most this convolver's latency;
        one with less is delayed. Returns when the response is ready; it comes in with the next block, or after the
        fade that is under way. Of several responses that wait, the last one counts.

        Parameters
        ----------
        impulse_response
            As for the constructor.
        mode : {'crossfade', 'spillover'}
            ``crossfade``: the new response sounds as if it had always been in use, for `max_taps` at most.
            ``spillover``: the old one's tail rings out, and new input goes to the new one.
        fade : int
            Frames of the fade, of the outputs or of the inputs.
        curve : {'equal gain', 'equal power'}
            ``equal gain`` for spillover and similar responses, ``equal power`` for unrelated ones.

        Raises
        ------
        InvalidAudioError, ParameterError
        """
        one_of("mode", mode, MODES)
        one_of("curve", curve, CURVES)
        frames = whole("fade", fade, 0, _MAX_FADE)
        response = _as_response(impulse_response, self._sample_rate)
        wired = response.for_channels(self.inputs)
        if (outputs := wired.wiring.outputs) != self.outputs:
            raise InvalidAudioError(f"the response has {outputs} outputs; expected {self.outputs}, as before")
        self._core.swap(self._build(wired), mode, frames, curve)
        self._spread = response.spread(self.inputs)
        self._move_levels()

    @property
    def plan(self) -> Plan:
        """The stages of the current response and the work of every slot; ``print`` it for a table."""
        return self._core.engine.plan

    @property
    def tail(self) -> int:
        """Frames that still sound after the input has ended: the response's length − 1."""
        return int(self._core.engine.tail)

    @property
    def changing(self) -> bool:
        """Whether a swap is waiting, fading or ringing out."""
        return self._core.changing

    @property
    def sample_rate(self) -> int | None:
        """Of the stream, in Hz; None if only arrays can be used."""
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
        """Whether only the dry sound passes, at 0 dB; the convolver goes on in silence."""
        return self._bypass

    @bypass.setter
    def bypass(self, on: bool) -> None:
        bypass = as_switch("bypass", on)
        check_dry(float(bypass), self.inputs, self.outputs)
        self._bypass = bypass
        self._move_levels()

    def _set(self, name: str, db: float) -> None:
        level = in_range(name, db, -_INFINITE, MAX_DB, "dB")
        check_dry(from_db(level) if name == "dry_db" else 0.0, self.inputs, self.outputs)
        self._levels[name] = level
        self._move_levels()

    def _move_levels(self) -> None:
        self._mixer.wet, self._mixer.dry = self._path_levels()

    def _path_levels(self) -> tuple[float, float]:
        """Return the linear levels of the wet and the dry path."""
        wet, dry, gain = (self._levels[name] for name in ("wet_db", "dry_db", "gain_db"))
        if self._bypass:
            return 0.0, self._spread
        return from_db(gain + wet), self._spread * from_db(gain + dry)

    def reset(self) -> None:
        """Forget all sound and all fades. Levels and a waiting response take effect at once; `dropped` stays."""
        self._core.reset()
        self._mixer.settle()
        if self._delay is not None:
            self._delay.clear()

    def __repr__(self) -> str:
        return f"<Convolver {self.inputs} in, {self.outputs} out: {self.plan!r}>"


def _as_response(given: Any, sample_rate: int | None) -> ImpulseResponse:
    """Return a response at the stream's rate; samples are used as they are."""
    from reverb.store.library import as_response  # brings libsndfile, which importing this module must not

    if sample_rate is None and isinstance(given, HasResponse | str | os.PathLike):
        own = f"the response has {given.sample_rate} Hz" if isinstance(given, ImpulseResponse) else ""
        why = own or "an effect is made for a rate"
        raise ParameterError(f"{why}; give sample_rate=, the stream's in Hz, when the convolver is built")
    return as_response(given, sample_rate or 1).response(sample_rate or 1)
