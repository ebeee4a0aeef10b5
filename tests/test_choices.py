"""The words that arguments accept: one tuple for each type, the words of the engine, and no NumPy."""

import subprocess
import sys
from typing import get_args

import pytest

from reverb import choices
from reverb.engine.realtime import swap

TYPES = {
    "BAND_SETS": choices.BandSet,
    "GAIN_MODES": choices.GainMode,
    "LAYOUTS": choices.Layout,
    "LEVELS": choices.Level,
    "METHODS": choices.Method,
    "NORMALIZE": choices.Normalize,
    "PHASES": choices.Phase,
    "PLATE_LAYOUTS": choices.PlateLayout,
    "TRANSITIONS": choices.Transition,
    "WEIGHTS": choices.Weight,
}


def test_every_tuple_is_known_here() -> None:
    assert {name for name in vars(choices) if name.isupper()} == set(TYPES)


@pytest.mark.parametrize("name", TYPES)
def test_a_tuple_lists_the_words_of_its_type(name: str) -> None:
    assert getattr(choices, name) == get_args(TYPES[name])


def test_transitions_are_those_of_the_engine() -> None:
    assert choices.TRANSITIONS == swap.MODES


def test_choices_load_no_numpy() -> None:
    code = "import sys, reverb.choices; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
