"""The processing of one block between the card's input and its output.

Input → convolution (wet, dry, gain, bypass) → fade, mute and feedback guard → limiter → output. Meters and recorders
receive the input and the output. A `LiveProcessor` has one block size, and allocates no arrays while it runs.
"""

from dataclasses import dataclass, field

import numpy as np

from reverb.arrays import Block
from reverb.checks import in_range
from reverb.effects.effect import HasResponse
from reverb.engine.realtime.swap import Mode
from reverb.errors import ParameterError
from reverb.levels import from_db, to_db
from reverb.live.convolver import Convolver
from reverb.live.feedback import Tap
from reverb.live.files import Player
from reverb.live.levels import MAX_DB, PathLevels
from reverb.live.meters import LevelMeter
from reverb.live.prepare import Prepared, outputs_of
from reverb.live.recordings import Recordings
from reverb.live.settings import Setup

FADE_SECONDS = 0.02
LIMITER_THRESHOLD_DB = -1.5
_HISTORY_SECONDS = 10.0
_MAX_SAMPLE = 1e16  # 320 dB over full scale, the square of which is still finite in float32


@dataclass(frozen=True, kw_only=True)
class ChannelMap:
    """The columns of the card's blocks that a session uses.

    Attributes
    ----------
    inputs, outputs : tuple of int
        Columns, counted from 0; of the outputs, the first `channels` are used.
    mono : bool
        Whether the inputs are averaged to one channel first.
    channels : int
        Of the processed sound.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    mono: bool
    channels: int
    # Computed before the first block: a cached property would take a lock in the audio thread.
    _first_inputs: bool = field(init=False, repr=False, compare=False)
    _first_outputs: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, columns in (("inputs", self.inputs), ("outputs", self.outputs[: self.channels])):
            object.__setattr__(self, f"_first_{name}", columns == tuple(range(len(columns))))

    @property
    def convolved(self) -> int:
        """Channels that enter the convolution."""
        return 1 if self.mono else len(self.inputs)

    def read(self, card: Block, block: Block) -> None:
        """Fill `block` (frames, inputs) from the card's (frames, columns)."""
        if self._first_inputs:  # one copy is faster than several
            block[:] = card[:, : block.shape[1]]
            return
        for column, source in enumerate(self.inputs):
            block[:, column] = card[:, source]

    def write(self, block: Block, card: Block) -> None:
        """Fill the card's (frames, columns) from `block` (frames, channels), and its unused columns with silence."""
        if self._first_outputs and card.shape == block.shape:
            card[:] = block
            return
        card[:] = 0.0
        for column, target in enumerate(self.outputs[: self.channels]):
            card[:, target] = block[:, column]


def map_channels(setup: Setup, effect: HasResponse) -> ChannelMap:
    """Return the channels of a session: mono for one output, otherwise at least two.

    Raises
    ------
    ParameterError
        If the effect has more outputs than the session.
    """
    mono = len(setup.outputs) == 1
    outputs = 1 if mono else max(2, outputs_of(effect, setup.stream.sample_rate, len(setup.inputs)))
    if outputs > len(setup.outputs):
        raise ParameterError(
            f"the effect has {outputs} outputs, but {len(setup.outputs)} of the card's are in use; "
            "choose more of them (output_channels, --output-channels)"
        )
    return ChannelMap(
        inputs=setup.inputs, outputs=setup.outputs, mono=mono and len(setup.inputs) > 1, channels=outputs
    )


class Limiter:
    """A soft clipper: exactly transparent up to its threshold, and never beyond full scale.

    With t the threshold, ``y = x`` for ``|x| ≤ t``, else ``sgn(x) · (t + (1 − t) · tanh((|x| − t) / (1 − t)))``. The
    curve and its slope are continuous at t, and it never exceeds 1. A limiter with look-ahead would add latency; this
    one adds harmonics, but only to samples that would otherwise be clipped, or nearly.

    Parameters
    ----------
    block_size, channels : int
        Of the blocks.
    threshold_db : float
        In dBFS, −24 to −0.1.

    Attributes
    ----------
    limited : int
        Samples of all channels that exceeded the threshold.
    """

    def __init__(self, block_size: int, channels: int, threshold_db: float = LIMITER_THRESHOLD_DB) -> None:
        self.threshold = np.float32(from_db(in_range("threshold_db", threshold_db, -24.0, -0.1, "dBFS")))
        self._headroom = np.float32(1.0) - self.threshold
        self._below = np.empty((block_size, channels), np.float32)
        self._above = np.empty((block_size, channels), np.float32)
        self.limited = 0

    def process(self, block: Block) -> None:
        """Limit a block (frames, channels) in place."""
        below, above = self._below, self._above
        np.abs(block, out=below)
        if below.max() <= self.threshold:
            return
        np.subtract(below, self.threshold, out=above)
        np.maximum(above, np.float32(0.0), out=above)
        self.limited += int(np.count_nonzero(above))
        np.minimum(below, self.threshold, out=below)
        np.divide(above, self._headroom, out=above)
        np.tanh(above, out=above)
        np.multiply(above, self._headroom, out=above)
        np.add(below, above, out=below)
        np.copysign(below, block, out=block)


class LiveProcessor:
    """Processes blocks of one size; `process` belongs to the audio thread, everything else to other threads.

    Parameters
    ----------
    prepared : Prepared
        The effect, in the channels of the session.
    levels : PathLevels
    channel_map : ChannelMap
    sample_rate, block_size : int
    limiter : bool
    player : Player, optional
        Replaces the card's input.
    recordings : Recordings, optional
        Receive input and output.

    Attributes
    ----------
    open : bool
        Whether sound is let out; changes fade over 20 ms.
    closing : bool
        Whether another processor takes over, or the stream closes: the sound then fades out even if `open`.
    duck : float
        Linear gain from the feedback guard.
    bad_blocks : int
        Blocks with NaN or infinity, replaced by silence.
    """

    def __init__(
        self,
        prepared: Prepared,
        levels: PathLevels,
        channel_map: ChannelMap,
        sample_rate: int,
        block_size: int,
        *,
        limiter: bool = True,
        player: Player | None = None,
        recordings: Recordings | None = None,
    ) -> None:
        self.block_size, self.sample_rate = block_size, sample_rate
        self.open, self.closing, self.duck = levels.open, False, 1.0
        self.bad_blocks = 0
        self.convolver = Convolver(
            prepared.response,
            block_size,
            inputs=channel_map.convolved,
            wet_db=_decibels(levels.wet),
            dry_db=_decibels(levels.dry),
            sample_rate=sample_rate,
            max_taps=round(_HISTORY_SECONDS * sample_rate),
            ramp=round(FADE_SECONDS * sample_rate),
        )
        self.input_meter = LevelMeter(channel_map.convolved, sample_rate, block_size)
        self.output_meter = LevelMeter(channel_map.channels, sample_rate, block_size)
        self.limiter = Limiter(block_size, channel_map.channels) if limiter else None
        self.tap = Tap(block_size)
        self._map, self._player, self._recordings = channel_map, player, recordings
        self._unmixed = np.empty((block_size, len(channel_map.inputs)), np.float32)
        self._input = np.empty((block_size, channel_map.convolved), np.float32)
        self._output = np.empty((block_size, channel_map.channels), np.float32)
        self._magnitudes = np.empty_like(self._output)
        self._all_magnitudes = self._magnitudes.reshape(-1)
        self._slope = (np.arange(1, block_size + 1, dtype=np.float32) / np.float32(block_size))[:, np.newaxis]
        self._ramp = np.empty((block_size, 1), np.float32)
        self._gain, self._faded_in = 0.0, False
        self._max_step = block_size / (FADE_SECONDS * sample_rate)

    @property
    def silent(self) -> bool:
        """Whether a fade-out is complete."""
        return self._gain == 0.0

    def carry_counts_from(self, before: "LiveProcessor") -> None:
        """Continue the counts of the processor that this one replaces."""
        self.bad_blocks = before.bad_blocks
        self.input_meter.carry_counts_from(before.input_meter)
        self.output_meter.carry_counts_from(before.output_meter)
        if self.limiter is not None and before.limiter is not None:
            self.limiter.limited = before.limiter.limited

    def set_levels(self, levels: PathLevels) -> None:
        """Move wet and dry to new levels, each in a straight line of 20 ms."""
        self.convolver.dry_db = _decibels(levels.dry)
        self.convolver.wet_db, self.open = _decibels(levels.wet), levels.open

    def accepts(self, prepared: Prepared) -> bool:
        """Return whether `swap` is possible: an effect's latency must not exceed this processor's."""
        return prepared.latency <= self.convolver.latency

    def swap(self, prepared: Prepared, transition: Mode) -> None:
        """Build another effect's response and pass it to the audio thread, which changes to it without a click."""
        self.convolver.swap(prepared.response, mode=transition)

    def process(self, indata: Block | None, outdata: Block) -> None:
        """Fill `outdata` (block_size, outputs of the card) from `indata` (block_size, its inputs)."""
        block, out, convolver = self._input, self._output, self.convolver
        self._read(indata, block)
        dropped = convolver.dropped
        convolver.process(block, out)
        if convolver.dropped != dropped:
            block[:] = 0.0
            self.bad_blocks += 1
        self.input_meter.push(block)
        recording = self._recordings.current if self._recordings is not None else None
        if recording is not None and recording.dry is not None:
            recording.dry.push(block)
        self._fade(out)
        self.tap.push(out)
        # NumPy keeps the interpreter's lock during small reductions, so no busy thread can take over here.
        np.abs(out, self._magnitudes)
        peak = np.maximum.reduce(self._all_magnitudes)
        if not peak < _MAX_SAMPLE:  # or NaN, which every maximum passes on
            out[:] = 0.0
            self.bad_blocks += 1
            convolver.reset()
        elif self.limiter is not None and peak > self.limiter.threshold:
            self.limiter.process(out)
        self.output_meter.push(out)
        if recording is not None:
            recording.wet.push(out)
        self._map.write(out, outdata)

    def _read(self, indata: Block | None, block: Block) -> None:
        target = self._unmixed if self._map.mono else block
        if self._player is not None:
            if self._faded_in:
                self._player.pull(target)
            else:  # the file begins after the fade-in, so that none of it is lost
                target[:] = 0.0
                self._faded_in = self._gain > 0.0 and self._gain == self.duck
        elif indata is not None:
            self._map.read(indata, target)
        if self._map.mono:
            np.mean(target, axis=1, keepdims=True, out=block)

    def _fade(self, out: Block) -> None:
        """Move the output's gain towards its target, full scale in 20 ms, and apply it."""
        target = self.duck if self.open and not self.closing else 0.0
        start = self._gain
        if start == target:
            if target != 1.0:
                np.multiply(out, np.float32(target), out=out)
            return
        self._gain = end = start + min(max(target - start, -self._max_step), self._max_step)
        np.multiply(self._slope, np.float32(end - start), out=self._ramp)
        np.add(self._ramp, np.float32(start), out=self._ramp)
        np.multiply(out, self._ramp, out=out)


def _decibels(level: float) -> float:
    return min(to_db(level), MAX_DB)
