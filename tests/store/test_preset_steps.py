"""The steps of presets: the effects that they become."""

import contextlib
import math
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reverb.effects.crossover import crossover
from reverb.effects.curves import Curve, RiaaCurve, Weighting
from reverb.effects.echoes import Delay, Echoes
from reverb.effects.effect import Effect, Parallel
from reverb.effects.equalizers import HighCut, HighShelf, LowCut, LowShelf, Notch, Peak, Tilt
from reverb.effects.filters import BandPass, BandStop, HighPass, LowPass
from reverb.effects.gain import Gain
from reverb.effects.reverb import Reverb
from reverb.effects.stereo import MidSide, Width
from reverb.errors import PresetError
from reverb.store.presets import names, read_preset
from tests.conftest import ROOT
from tests.store.conftest import read_steps

STEPS: dict[str, Effect] = {
    'type="lowpass"\ncutoff=8000': LowPass(8000),
    'type="highpass"\ncutoff=80\ntransition=30\nattenuation=60\nphase="mixed"': HighPass(
        80, transition=30, attenuation=60, phase="mixed"
    ),
    'type="bandpass"\nlow=300\nhigh=3400\nmethod="equiripple"\nripple=0.1': BandPass(
        300, 3400, method="equiripple", ripple=0.1
    ),
    'type="bandstop"\nlow=300\nhigh=3400': BandStop(300, 3400),
    'type="lowcut"\nfrequency=80\nslope=24': LowCut(80, 24),
    'type="highcut"\nfrequency=8e3\nphase="linear"': HighCut(8000, phase="linear"),
    'type="lowshelf"\nfrequency=200\ngain_db=-3': LowShelf(200, -3),
    'type="highshelf"\nfrequency=9000\ngain_db=1.5\nq=0.5': HighShelf(9000, 1.5, 0.5),
    'type="peak"\nfrequency=3000\ngain_db=2\nq=1.4\ntolerance=0.1': Peak(3000, 2, 1.4, tolerance=0.1),
    'type="tilt"\ngain_db=1\npivot=800': Tilt(1, 800),
    'type="notch"\nfrequency=50\nharmonics=3': Notch(50, harmonics=3),
    'type="curve"\npoints=[[100,-3],[1000,0]]': Curve(((100, -3), (1000, 0))),
    'type="weighting"\ncurve="A"': Weighting("A"),
    'type="riaa"\nrecording=true': RiaaCurve(recording=True),
    'type="gain"\ngain_db=-inf': Gain(-math.inf),
    'type="delay"\ntime_ms=20': Delay(0.02),
    'type="delay"\nbeats=0.5': Delay(0.25),
    'type="echoes"\nbeats=0.75\nfeedback=0.5\nwet_db=-9\ndry_db=-1\ndamping=4000\nping_pong=true\nfloor_db=-60': Echoes(
        0.375, feedback=0.5, wet=-9, dry=-1, damping=4000, ping_pong=True, floor=-60
    ),
    'type="reverb"\nir="hall"\nmix=0.2\npredelay_ms=20': Reverb("hall", mix=0.2, predelay=0.02),
    'type="reverb"\nir="hall"\nwet_db=-6\ndry_db=-inf\nlevel="none"': Reverb(
        "hall", wet=-6, dry=-math.inf, level="none"
    ),
    'type="reverb"\nir="hall"\ndecay=0.5\nlow_cut=150\nhigh_cut=6000\nwidth=1.5': Reverb(
        "hall", decay=0.5, low_cut=150, high_cut=6000, width=1.5
    ),
    'type="width"\nwidth=0.5': Width(0.5),
    'type="midside"\n[[step.side]]\ntype="lowcut"\nfrequency=150\n[[step.side]]\ntype="gain"\ngain_db=1': MidSide(
        side=LowCut(150) >> Gain(1)
    ),
    'type="parallel"\n[[step.branch]]\n[[step.branch]]\ngain_db=-6\n[[step.branch.step]]\ntype="delay"\ntime_ms=5': (
        Gain(0) + (Delay(0.005) >> Gain(-6))
    ),
    'type="parallel"\nbranch=[{gain_db=-1},{step=[{type="width",width=2}]}]': Parallel((Gain(-1), Width(2))),
    'type="crossover"\nat=[200]\nband=[{gain_db=2},{}]': Parallel(
        (crossover(200)[0] >> Gain(2), crossover(200)[1] >> Gain(0))
    ),
}


@pytest.mark.parametrize("step", STEPS)
def test_every_type_becomes_its_effect(step: str) -> None:
    assert read_steps(f"tempo=120\n[[step]]\n{step}") == STEPS[step]


def test_every_type_is_tested_and_documented() -> None:
    from reverb.store.preset_steps import STEPS as TYPES

    tried = {tomllib.loads(step)["type"] for step in (text.partition("\n[[")[0] for text in STEPS)}
    assert tried == set(TYPES)
    described = (ROOT / "docs" / "presets.md").read_text()
    for name, kind in TYPES.items():
        assert f"`{name}`" in described
        for key in kind.keys:
            assert f"`{key}`" in described, f"{name}: {key}"


def test_nesting_and_length_are_bounded() -> None:
    nested = 'type="gain", gain_db=0'
    for _ in range(12):
        nested = f'type="parallel", branch=[{{step=[{{{nested}}}]}}]'
    with pytest.raises(PresetError, match="nested more than 4 deep"):
        read_steps(f"step=[{{{nested}}}]")
    with pytest.raises(PresetError, match="300 steps, branches and bands; expected at most 100"):
        read_steps('[[step]]\ntype="gain"\ngain_db=0\n' * 300)
    with pytest.raises(PresetError, match="not valid TOML: nested too deep"):
        read_steps("x = " + "[" * 100_000)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "step", "gain_db", "branch"]), inner, max_size=3)
        ),
        max_leaves=6,
    ),
    st.sampled_from(["gain", "parallel", "crossover", "midside", "curve", "reverb", "delay", "notch"]),
    st.sampled_from(
        ["gain_db", "branch", "at", "band", "mid", "points", "ir", "time_ms", "harmonics", "frequency"]
    ),
)
def test_any_wrong_value_is_a_preset_error(value: object, kind: str, key: str) -> None:
    from reverb.store.preset_steps import steps_effect
    from reverb.store.preset_values import Lines, Source

    source = Source(Path("some.toml"), Lines(""), False, 120.0)
    with contextlib.suppress(PresetError):
        steps_effect(source, ("step",), [{"type": kind, key: value}])


BUNDLED = {name: path.read_text() for name, path in names().items()}
WHOLE = "format=1\ntempo=100\n[[step]]\n" + "\n[[step]]\n".join(STEPS)


@settings(
    deadline=None,
    derandomize=True,
    max_examples=250,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.sampled_from([*BUNDLED.values(), WHOLE]),
    st.lists(
        st.tuples(
            st.floats(0, 1),
            st.integers(0, 12),
            st.one_of(
                st.text(max_size=4),
                st.sampled_from(
                    [
                        "[[step]]",
                        "nan",
                        "-inf",
                        "1e999",
                        "[]",
                        "{}",
                        '"',
                        "'''",
                        "=",
                        "\n",
                        "true",
                        "1979-05-27",
                        "../",
                        "\0",
                    ]
                ),
                st.integers().map(str),
            ),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_any_damaged_preset_is_an_effect_or_a_preset_error(
    tmp_path: Path, text: str, cuts: list[tuple[float, int, str]]
) -> None:
    for place, length, insert in cuts:
        at = int(place * len(text))
        text = text[:at] + insert + text[at + length :]
    with contextlib.suppress(PresetError):
        read_preset(text, tmp_path / "some.toml")
