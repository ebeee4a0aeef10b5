"""The strip: everything that happens to one block between the card's input and its output.

Input → convolution (wet, dry, gain, bypass) → fade, mute and feedback duck → limiter → output; meters and recordings
keep both ends aside. One object holds what belongs to one block size; nothing is allocated per block.
"""

from dataclasses import dataclass

import numpy as np

from reverb.engine.realtime.swap import Mode
from reverb.levels import to_db
from reverb.live.convolver import LOUDEST_DB, Convolver
from reverb.live.feedback import Tap
from reverb.live.limiter import Limiter
from reverb.live.meters import LevelMeter
from reverb.live.player import Player
from reverb.live.prepare import Prepared
from reverb.live.recorder import Recorder
from reverb.live.ring import Block
from reverb.live.wires import Wires

FADE_SECONDS = 0.02
_HISTORY_SECONDS = 10.0
_BROKEN = 1e16  # no sound is 320 dB over full scale, and its square is no float32 any more


@dataclass(frozen=True)
class Levels:
    """Where the faders stand, as linear levels of the two paths; and whether sound is let out at all."""

    dry: float
    wet: float
    open: bool = True


class Strip:
    """Processes blocks of one size; `process` belongs to the audio thread, everything else to any other.

    Parameters
    ----------
    prepared : Prepared
        The effect, in the strip's channels.
    levels : Levels
    wires : Wires
    sample_rate, block_size : int
    limiter : bool
    player : Player, optional
        In place of the card's input.

    Attributes
    ----------
    open : bool
        Whether sound is let out; changes fade over 20 ms.
    duck : float
        The feedback guard's linear gain.
    recorder, dry_recorder : Recorder or None
    bad_blocks : int
        Blocks with NaN or infinity, replaced by silence.
    """

    def __init__(
        self,
        prepared: Prepared,
        levels: Levels,
        wires: Wires,
        sample_rate: int,
        block_size: int,
        *,
        limiter: bool = True,
        player: Player | None = None,
    ) -> None:
        self.block_size, self.sample_rate = block_size, sample_rate
        self.open, self.duck = levels.open, 1.0
        self.recorder: Recorder | None = None
        self.dry_recorder: Recorder | None = None
        self.bad_blocks = 0
        self.convolver = Convolver(
            prepared.response,
            block_size,
            inputs=wires.convolved,
            wet_db=_decibels(levels.wet),
            dry_db=_decibels(levels.dry),
            sample_rate=sample_rate,
            max_taps=round(_HISTORY_SECONDS * sample_rate),
            ramp=round(FADE_SECONDS * sample_rate),
        )
        self.input_meter = LevelMeter(wires.convolved, sample_rate, block_size)
        self.output_meter = LevelMeter(wires.channels, sample_rate, block_size)
        self.limiter = Limiter(block_size, wires.channels) if limiter else None
        self.tap = Tap(block_size)
        self._wires, self._player = wires, player
        self._wide = np.empty((block_size, len(wires.inputs)), np.float32)
        self._input = np.empty((block_size, wires.convolved), np.float32)
        self._output = np.empty((block_size, wires.channels), np.float32)
        self._sizes = np.empty_like(self._output)
        self._all_sizes = self._sizes.reshape(-1)
        self._slope = (np.arange(1, block_size + 1, dtype=np.float32) / np.float32(block_size))[:, np.newaxis]
        self._ramp = np.empty((block_size, 1), np.float32)
        self._gain, self._begun = 0.0, False
        self._step = block_size / (FADE_SECONDS * sample_rate)

    @property
    def silent(self) -> bool:
        """Whether a fade-out has come to its end."""
        return self._gain == 0.0

    def go_on_counting(self, before: "Strip") -> None:
        """Take over what another strip has counted."""
        self.bad_blocks = before.bad_blocks
        self.input_meter.go_on_counting(before.input_meter)
        self.output_meter.go_on_counting(before.output_meter)
        if self.limiter is not None and before.limiter is not None:
            self.limiter.limited = before.limiter.limited

    def set_levels(self, levels: Levels) -> None:
        """Move wet and dry to new levels, each in a straight line of 20 ms."""
        self.convolver.dry_db = _decibels(levels.dry)
        self.convolver.wet_db, self.open = _decibels(levels.wet), levels.open

    def takes(self, prepared: Prepared) -> bool:
        """Whether an effect can be swapped in: no more latency than there is room for."""
        return prepared.latency <= self.convolver.latency

    def swap(self, prepared: Prepared, levels: Levels, transition: Mode) -> None:
        """Go over to another effect without a click."""
        self.convolver.swap(prepared.response, mode=transition)
        self.set_levels(levels)

    def process(self, indata: Block | None, outdata: Block) -> None:
        """Fill `outdata` (block_size, outputs of the card) from `indata` (block_size, its inputs)."""
        block, out, convolver = self._input, self._output, self.convolver
        self._take(indata, block)
        dropped = convolver.dropped
        convolver.process(block, out)
        if convolver.dropped != dropped:
            block[:] = 0.0
            self.bad_blocks += 1
        self.input_meter.push(block)
        if (recorder := self.dry_recorder) is not None:
            recorder.push(block)
        self._fade(out)
        self.tap.push(out)
        # Reductions of so few samples keep the interpreter's lock: no busy thread comes between.
        np.abs(out, self._sizes)
        peak = np.maximum.reduce(self._all_sizes)
        if not peak < _BROKEN:  # NaN wins every maximum
            out[:] = 0.0
            self.bad_blocks += 1
            convolver.reset()
        elif self.limiter is not None and peak > self.limiter.threshold:
            self.limiter.process(out)
        self.output_meter.push(out)
        if (recorder := self.recorder) is not None:
            recorder.push(out)
        self._wires.give(out, outdata)

    def _take(self, indata: Block | None, block: Block) -> None:
        wide = self._wide if self._wires.mono else block
        if self._player is not None:
            if self._begun:
                self._player.pull(wide)
            else:  # a recording shall not begin within the fade-in
                wide[:] = 0.0
                self._begun = self._gain > 0.0 and self._gain == self.duck
        elif indata is not None:
            self._wires.take(indata, wide)
        if self._wires.mono:
            np.mean(wide, axis=1, keepdims=True, out=block)

    def _fade(self, out: Block) -> None:
        """Move the output's gain towards its target, full scale in 20 ms, and apply it."""
        target = self.duck if self.open else 0.0
        start = self._gain
        if start == target:
            if target != 1.0:
                np.multiply(out, np.float32(target), out=out)
            return
        self._gain = end = start + min(max(target - start, -self._step), self._step)
        np.multiply(self._slope, np.float32(end - start), out=self._ramp)
        np.add(self._ramp, np.float32(start), out=self._ramp)
        np.multiply(out, self._ramp, out=out)


def _decibels(level: float) -> float:
    return min(to_db(level), LOUDEST_DB)
