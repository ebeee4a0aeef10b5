"""Presets and equalizers made to take all memory or never to end."""

from pathlib import Path

import pytest

from reverb.effects.echoes import Echoes
from reverb.effects.equalizers import Notch
from reverb.effects.filters import LowPass
from reverb.errors import ParameterError, PresetError, ReverbError
from reverb.store.eq_files import load_equalizer
from reverb.store.presets import read_preset

HEAD = "format = 1\n"
DELAY = '[[step]]\ntype = "delay"\ntime_ms = 60000\n'
ECHOES = '[[step]]\ntype = "echoes"\ntime_ms = 100\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + "a." * 200_000 + "b = 1", "a key of more than 32 parts"),
        (HEAD + '"a" . ' * 100 + "b = 1", "a key of more than 32 parts"),
        (HEAD + "x = " + "[" * 100_000, "nested too deep"),
        (HEAD + "x = " + "{a=" * 20_000, "nested too deep|not valid TOML"),
        (HEAD + DELAY * 300, "300 steps, branches and bands; expected at most 100"),
        (HEAD + '[[step]]\ntype="parallel"\n' + "[[step.branch]]\n" * 300, "301 steps, branches and bands"),
        (HEAD + DELAY + "type2 = 1\n" + "'" + "x" * 5000 + "' = 1", "unknown key"),
        (HEAD + DELAY.replace("delay", "x" * 5000), "unknown type"),
        (HEAD + DELAY.replace("60000", "3.2e13"), "delay is .* s; expected a number from 0 to 60 s"),
        (HEAD + ECHOES + "feedback = 0.999999", "feedback is 0.999999; expected a number from 0 to 0.98"),
        (HEAD + " " * 900_000, "has no steps"),
        (HEAD + "[[" + "]" * 200_000, "not valid TOML"),
        (HEAD + "#" + "\0" * 100, "not valid TOML"),
        (HEAD + "tempo = " + "9" * 5000 + "\n" + DELAY, "number too long"),
    ],
)
def test_a_bomb_is_refused_at_once(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PresetError, match=message):
        read_preset(text, tmp_path / "bomb.toml")


def test_the_message_about_a_long_key_is_short(tmp_path: Path) -> None:
    for key in ("x" * 5000, "'" + "[" * 5000 + "'"):
        with pytest.raises(PresetError) as caught:
            read_preset(f"{HEAD}{key} = 1\n{DELAY}", tmp_path / "a.toml")
        assert len(str(caught.value)) < 1000


def test_a_chain_that_amplifies_beyond_all_numbers_is_refused(tmp_path: Path) -> None:
    loud = read_preset(HEAD + '[[step]]\ntype = "gain"\ngain_db = 120\n' * 90, tmp_path / "loud.toml")
    with pytest.raises(ReverbError, match=r"amplifies up to 1e\+\d+ times; expected at most 1e\+15"):
        loud.effect.response(48_000)


def test_filters_that_take_more_taps_than_are_built_are_refused() -> None:
    with pytest.raises(ParameterError, match=r"transition 9.99989e-321 Hz .* choose a wider"):
        LowPass(8000, transition=1e-320).response(48_000)
    with pytest.raises(ParameterError, match="phase minimum is built from at most 262144"):
        LowPass(8000, transition=0.5, phase="minimum").response(48_000)


def test_a_chain_that_would_last_for_hours_is_refused(tmp_path: Path) -> None:
    preset = read_preset(HEAD + DELAY * 90, tmp_path / "long.toml")
    with pytest.raises(ReverbError, match=r"a chain .* expected at most 16777216 samples"):
        preset.effect.response(192_000)


def test_many_damped_echoes_are_soon_made_and_too_many_refused() -> None:
    many = Echoes(0.1, 0.97, floor=-60.0, damping=20.0).response(8000)
    assert 22 < many.seconds < 26
    with pytest.raises(ReverbError, match=r"echoes would have .* expected at most 16777216 samples"):
        Echoes(0.1, 0.98, floor=-120.0, ping_pong=True).response(192_000)


def test_the_finest_of_curves_is_refused() -> None:
    with pytest.raises(ParameterError, match="takes more than"):
        Notch(0.01, q=1000).response(48_000)


@pytest.mark.parametrize(
    "text",
    [
        "Filter" + " " * 500_000 + "x",
        "Filter 1: ON PK Fc" + " " * 500_000 + "Gain",
        "Preamp:" + " " * 500_000,
        "GraphicEQ: " + "1 " * 300_000,
        "1" * 400_000 + " 1",
        "Filter 1: ON " + "[" * 100_000,
        "Filter 1: ON PK Fc 100 Hz Gain 1 dB Q 1\n" * 101,
    ],
)
def test_a_line_without_end_does_not_hold_up(tmp_path: Path, text: str) -> None:
    path = tmp_path / "eq.txt"
    path.write_text(text)
    with pytest.raises(PresetError) as caught:
        load_equalizer(path)
    assert len(str(caught.value)) < 500


def test_a_text_in_utf_16_that_is_cut_within_a_character(tmp_path: Path) -> None:
    path = tmp_path / "eq.csv"
    path.write_bytes("100 3\n200 4\n".encode("utf-16") + b"3")
    with pytest.raises(PresetError, match="line 3"):
        load_equalizer(path)
