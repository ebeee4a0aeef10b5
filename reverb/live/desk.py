"""What is heard: an effect, the faders over it, and the strip that plays both."""

import threading
from collections.abc import Callable
from typing import Any

from reverb.effects.effect import HasResponse
from reverb.engine.realtime.swap import Mode
from reverb.live.levels import Faders
from reverb.live.player import Player
from reverb.live.prepare import Prepared, prepare
from reverb.live.processor import Strip
from reverb.live.wires import Wires


class Desk:
    """Plays an effect, and another one when it is told to; everything but the audio thread may use it.

    Parameters
    ----------
    effect : Effect or ImpulseResponse
    wires : Wires
    sample_rate : int
        In Hz.
    gain : float
        In dB.
    limiter : bool
    player : Player or None
        In place of the card's input.

    Attributes
    ----------
    effect : Effect or ImpulseResponse
        What is played through now.
    prepared : Prepared
        The same, as the strip has it.
    faders : Faders
    strip : Strip
        The latest that was made.
    """

    def __init__(
        self,
        effect: HasResponse,
        wires: Wires,
        sample_rate: int,
        *,
        gain: float,
        limiter: bool,
        player: Player | None,
    ) -> None:
        self._wires, self._sample_rate, self._limiter, self._player = wires, sample_rate, limiter, player
        self._lock = threading.Lock()
        self.effect, self.prepared = effect, self._prepare(effect)
        self.faders = Faders(self.prepared, gain)
        self.strip: Strip

    def _prepare(self, effect: HasResponse) -> Prepared:
        return prepare(effect, self._sample_rate, self._wires.convolved, self._wires.channels)

    def make_strip(self, block_size: int) -> Strip:
        """Return a new strip for a block size, in place of the one before."""
        with self._lock:
            strip = Strip(
                self.prepared,
                self.faders.levels(),
                self._wires,
                self._sample_rate,
                block_size,
                limiter=self._limiter,
                player=self._player,
            )
            if hasattr(self, "strip"):
                strip.go_on_counting(self.strip)
            self.strip = strip
            return strip

    def move(self, fader: str, value: Any) -> None:
        """Set a fader, by its name in `Faders`."""
        with self._lock:
            setattr(self.faders, fader, value)
            self.strip.set_levels(self.faders.levels())

    def exchange(self, effect: HasResponse, stand: Callable[[Prepared], None], transition: Mode) -> bool:
        """Play another effect, prepared here; return False if only a new strip can, for it is later than the old one.

        Parameters
        ----------
        effect : Effect or ImpulseResponse
        stand : callable
            Takes the prepared effect: `Faders.adopt` or `Faders.follow`.
        transition : {'crossfade', 'spillover'}

        Raises
        ------
        InvalidAudioError
            If its channels do not suit the session's.
        """
        prepared = self._prepare(effect)
        with self._lock:
            stand(prepared)
            self.effect, self.prepared = effect, prepared
            if not self.strip.takes(prepared):
                return False
            self.strip.swap(prepared, self.faders.levels(), transition)
            return True
