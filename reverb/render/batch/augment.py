"""Variants for training data: response, mix, pre-delay and gain drawn for each file from ranges, by a seed."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from reverb.effects.reverb import LONGEST_PREDELAY
from reverb.errors import ParameterError
from reverb.render.batch.tasks import Draw
from reverb.render.levelling import LARGEST_GAIN_DB

Range: TypeAlias = tuple[float, float]
"""The lowest and the highest value, drawn evenly between them."""

_DIGITS = {"mix": 4, "predelay": 5, "gain": 2}  # what the report says is exactly what was used


@dataclass(frozen=True, kw_only=True)
class Augment:
    """How variants of each file are drawn.

    A draw depends on the seed, the file's place below the folder that was named, and the variant's number alone: other
    files, the order and the number of workers do not change it.

    Parameters
    ----------
    variants : int
        Of each file, at least 1. Each goes through one of the batch's effects, drawn too.
    seed : int
    mix : (low, high), optional
        0 to 1, of the first `reverb.Reverb` inside the effect; by default its own.
    predelay : (low, high), optional
        In seconds, likewise.
    gain : (low, high), optional
        In dB.

    Raises
    ------
    ParameterError
        If a range is empty or leaves what is allowed.
    """

    variants: int = 1
    seed: int = 0
    mix: Range | None = None
    predelay: Range | None = None
    gain: Range | None = None

    def __post_init__(self) -> None:
        if self.variants < 1:
            raise ParameterError(f"{self.variants} variants; expected at least 1")
        for name, (least, most) in {
            "mix": (0.0, 1.0),
            "predelay": (0.0, LONGEST_PREDELAY),
            "gain": (-LARGEST_GAIN_DB, LARGEST_GAIN_DB),
        }.items():
            given: Range | None = getattr(self, name)
            if given is not None and not least <= given[0] <= given[1] <= most:
                raise ParameterError(
                    f"{name} {given[0]:g}..{given[1]:g}; expected low..high within {least:g}..{most:g}"
                )

    def draw(self, place: str, variant: int, treatments: Sequence[str]) -> tuple[str, Draw]:
        """Return the treatment's name and the values for one variant, from 1, of the file at `place`."""
        key = hashlib.sha256(f"{self.seed}\0{place}\0{variant}".encode("utf-8", "surrogateescape")).digest()
        # `random` is the one method whose values Python promises to keep.
        chance = random.Random(int.from_bytes(key)).random
        # Always drawn, all four in this order: a range that is given changes no other value.
        name = treatments[int(chance() * len(treatments))]
        values = {}
        for what, digits in _DIGITS.items():
            share, given = chance(), getattr(self, what)
            if given is not None:
                values[what] = round(given[0] + share * (given[1] - given[0]), digits)
        return name, Draw(seed=self.seed, variant=variant, **values)
