"""Equalizers from the files of other programs."""

import contextlib
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.signal import freqs

from reverb.effects.curves import Curve
from reverb.effects.effect import Chain
from reverb.effects.equalizers import HighCut, HighShelf, LowCut, LowShelf, Notch, Peak
from reverb.effects.gain import Gain
from reverb.errors import PresetError, ReverbError
from reverb.store.eq_files import load_equalizer, report_on_equalizer

POINTS = ((20.0, -1.5), (1000.0, 0.0), (16_000.0, 3.25))
TABLES = {
    "commas": "20,-1.5\n1000,0\n16000,3.25\n",
    "blanks": "# a comment\n20 -1.5\n\n1000   0.0\n16000\t3.25",
    "semicolons, decimal commas": "Freq (Hz);Gain (dB)\n20,0;-1,5\n1000;0\n16000;3,25\n",
    "autoeq": "frequency,raw,equalization\n20,9,-1.5\n1000,9,0\n16000,9,3.25\n",
    "rew": "* Measurement data\n* Freq(Hz) SPL(dB) Phase(degrees)\n20.0 -1.5 90\n1000.0 0.0 -3\n16000.0 3.25 0\n",
    "comma and blank": "Hz, dB\n20, -1.5\n1000, 0\n16000, 3.25\n",
    "falling, twice": "16000 3.25\n1000 0\n1000 7\n20 -1.5\n",
    "graphic": "GraphicEQ: 20 -1.5; 1000 0.0; 16000 3.25\n",
}
PARAMETRIC = """Filter Settings file
Room EQ V5.20
Notes: living room

Equaliser: Generic
Preamp: -6.5 dB
Filter  1: ON  PK       Fc   63.20 Hz  Gain  -5.00 dB  Q  4.00
Filter  2: ON  None
Filter  3: OFF PK       Fc  100.00 Hz  Gain  -5.00 dB  Q  4.00
Filter  4: ON  LSC Fc 105 Hz Gain 2.5 dB Q 0.70
Filter  5: ON  HS Fc 10 kHz Gain -1.5 dB
Filter  6: ON  HP Fc 30 Hz
Filter  7: ON  LPQ-less LP Fc 18000 Hz
Filter  8: ON  NO Fc 50 Hz
Channel: all
GraphicEQ: 20 -1.5; 1000 0.0; 16000 3.25
"""


@pytest.mark.parametrize("table", TABLES)
def test_tables_of_all_kinds_give_the_same_curve(table: str, tmp_path: Path) -> None:
    path = tmp_path / "eq.txt"
    path.write_text(TABLES[table])
    assert load_equalizer(path) == Curve(POINTS)
    path.write_text(TABLES[table], encoding="utf-16")
    assert load_equalizer(path, phase="linear") == Curve(POINTS, phase="linear")


def test_the_report_of_a_chain_describes_its_folded_taps(tmp_path: Path) -> None:
    file = tmp_path / "eq.txt"
    file.write_text(
        "Preamp: -4 dB\nFilter 1: ON PK Fc 800 Hz Gain 6 dB Q 2\nFilter 2: ON HS Fc 5000 Hz Gain -3 dB Q 0.7\n"
    )
    chain = load_equalizer(file)
    report, response = report_on_equalizer(chain, 44_100), chain.response(44_100)
    frequencies: npt.NDArray[np.float64] = np.fft.rfftfreq(1 << 16, 1 / 44_100).astype(np.float64)
    gain = np.abs(np.fft.rfft(response.samples[:, 0], 1 << 16))
    wanted = (
        10 ** (-4 / 20)
        * Peak(800, 6, 2).magnitude(frequencies)
        * HighShelf(5000, -3, 0.7).magnitude(frequencies)
    )
    deviation = 20 * np.log10(1 + (np.abs(gain - wanted) / wanted).max())
    assert report.taps == response.frames
    assert report.ripple == pytest.approx(deviation, rel=0.05)
    assert 0 < report.ripple < 0.05


def test_parametric_filters_become_a_chain(tmp_path: Path) -> None:
    path = tmp_path / "filters.txt"
    path.write_text(PARAMETRIC.replace("LPQ-less ", ""))
    a = 10 ** (-1.5 / 40)
    assert load_equalizer(path) == Chain(
        (
            Gain(-6.5),
            Peak(63.2, -5.0, 4.0),
            LowShelf(105.0, 2.5, 0.7),
            HighShelf(10_000.0, -1.5, ((a + 1 / a) * (1 / 0.9 - 1) + 2) ** -0.5),
            LowCut(30.0),
            HighCut(18_000.0),
            Notch(50.0),
            Curve(POINTS),
        )
    )


def _slope(gain: float, slope: float) -> tuple[float, float]:
    """Return the ratio of a shelf's middle to its corner frequency, and its Q, by R. Bristow-Johnson's slope S."""
    a, s = 10 ** (gain / 40), slope / 12
    return math.sqrt(a) ** (1 / s), 1 / math.sqrt((a + 1 / a) * (1 / s - 1) + 2)


@pytest.mark.parametrize(
    ("words", "numerator", "denominator"),
    [
        ("HP Fc 1000 Hz Q 0.5", [1, 0, 0], [1, 2, 1]),
        ("LPQ Fc 1 kHz Q 3", [1], [1, 1 / 3, 1]),
        ("PK Fc 1000 Hz Gain 12 dB BW Oct 1", [1, 10**0.3 * 0.5**0.5, 1], [1, 10**-0.3 * 0.5**0.5, 1]),
    ],
)
def test_filters_with_q_or_bandwidth_match_analog_filters(
    words: str, numerator: list[float], denominator: list[float], tmp_path: Path
) -> None:
    path = tmp_path / "filters.txt"
    path.write_text(f"Filter: ON {words}")
    taps = load_equalizer(path).response(48_000).samples[:, 0]
    places = np.geomspace(100, 10_000, 30)
    gain = np.abs(np.exp(-2j * np.pi * np.outer(places / 48_000, np.arange(len(taps)))) @ taps)
    _, expected = freqs(numerator, denominator, places / 1000)
    assert 20 * np.log10(gain) == pytest.approx(20 * np.log10(np.abs(expected)), abs=0.05)


@pytest.mark.parametrize("slope", [6, 12])
def test_a_slope_belongs_to_the_corner_of_a_shelf(slope: float, tmp_path: Path) -> None:
    path = tmp_path / "filters.txt"
    path.write_text(
        f"Filter 1: ON LS {slope}dB Fc 100 Hz Gain 8 dB\nFilter 2: ON HS {slope} dB Fc 900 Hz Gain 8 dB"
    )
    loaded = load_equalizer(path)
    assert isinstance(loaded, Chain)
    low, high = loaded.effects
    factor, q = _slope(8, slope)
    assert isinstance(low, LowShelf)
    assert isinstance(high, HighShelf)
    assert (low.frequency, low.q) == pytest.approx((100 * factor, q))
    assert (high.frequency, high.q) == pytest.approx((900 / factor, q))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "has no table"),
        ("20 1\nabc def\n", "line 2: 'abc def'; expected a frequency in Hz and a gain in dB"),
        ("name,colour\n1,2\n", "line 1: no columns of Hz and dB in 'name, colour'"),
        ("20 999\n", "points: gain at 20 Hz is 999 dB; expected a number from -200 to 60 dB"),
        ("GraphicEQ: 20 1; 30\n", "line 1: '30'; expected pairs of Hz and dB"),
        ("\nFilter 1: ON AP Fc 100 Hz Q 1\n", "line 2: filter type 'AP'; expected one of PK, LS"),
        ("Filter 1: ON PK Gain 3 dB\n", "line 1: filter PK has no Fc"),
        ("Filter 1: ON PK Fc 100 Hz Gain 99 dB\n", "line 1: Gain 99 dB; expected -60 to 60 dB"),
        ("Filter 1: ON LS 18 dB Fc 100 Hz Gain 9 dB\n", "line 1: Slope 18 dB per octave; expected 0.5 to 12"),
        ("Filter 1: ON PK Fc 100 Hz Gain 9 dB BW Oct 0\n", "line 1: Bw 0 octaves; expected 0.001 to 8"),
        ("Preamp: 1 dB\nChannel: L\n", "line 2: 'Channel' is no part of an equalizer"),
        ("Filter 1: OFF PK Fc 100 Hz Gain 3 dB\n", "all filters are off"),
    ],
)
def test_errors_name_the_invalid_line(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "eq.txt"
    path.write_text(text)
    with pytest.raises(PresetError, match=says):
        load_equalizer(path)


def test_a_missing_file_or_a_folder_is_a_preset_error(tmp_path: Path) -> None:
    with pytest.raises(PresetError, match=r"none\.txt: cannot be read \(No such file"):
        load_equalizer(tmp_path / "none.txt")
    with pytest.raises(PresetError, match="cannot be read"):
        load_equalizer(tmp_path)


@settings(
    deadline=None,
    derandomize=True,
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(
            st.sampled_from([*TABLES.values(), PARAMETRIC]), st.integers(0, 300), st.text(max_size=3)
        ).map(lambda t: (t[0][: t[1]] + t[2] + t[0][t[1] + 1 :]).encode("utf-8", "replace")),
    )
)
def test_any_file_is_an_equalizer_or_an_error_of_the_package(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "eq.txt"
    path.write_bytes(data)
    with contextlib.suppress(ReverbError):
        load_equalizer(path)
