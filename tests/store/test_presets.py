"""Presets: what they become, what they say of mistakes, what they may not reach, and how the bundled ones sound."""

import contextlib
import math
import tomllib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reverb.effects.crossover import crossover
from reverb.effects.curves import Curve, RiaaCurve, Weighting
from reverb.effects.echoes import Echoes
from reverb.effects.effect import Delay, Effect, Gain, Levelled, Parallel
from reverb.effects.equalizers import HighCut, HighShelf, LowCut, LowShelf, Notch, Peak, Tilt
from reverb.effects.filters import BandPass, BandStop, HighPass, LowPass
from reverb.effects.reverb import Reverb
from reverb.effects.stereo import MidSide, Width
from reverb.errors import InvalidAudioError, ParameterError, PresetError, ReverbError, UnknownNameError
from reverb.render.files import process_file
from reverb.responses.level import loudness_ratio
from reverb.responses.response import ImpulseResponse
from reverb.store.presets import load_chain, load_preset, names, presets, read_preset
from reverb.store.response_files import save_response
from tests.conftest import ROOT
from tests.signals import decaying

HEAD = "format = 1\n"


def _read(steps: str, path: Path = Path("some.toml")) -> Effect:
    return read_preset(HEAD + steps, path).effect


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
    assert _read(f"tempo=120\n[[step]]\n{step}") == STEPS[step]


def test_every_type_is_tried_and_described() -> None:
    from reverb.store.preset_steps import STEPS as TYPES

    tried = {tomllib.loads(step)["type"] for step in (text.partition("\n[[")[0] for text in STEPS)}
    assert tried == set(TYPES)
    described = (ROOT / "docs" / "presets.md").read_text()
    for name, kind in TYPES.items():
        assert f"`{name}`" in described
        for key in kind.keys:
            assert f"`{key}`" in described, f"{name}: {key}"


def test_steps_are_a_chain_at_a_level_and_gain() -> None:
    steps = '[[step]]\ntype="gain"\ngain_db=1\n[[step]]\ntype="width"\nwidth=2\n'
    assert _read(steps) == Gain(1) >> Width(2)
    assert _read('level="energy"\ngain_db=-2\n' + steps) == Levelled(Gain(1) >> Width(2), "energy") >> Gain(
        -2
    )
    preset = read_preset(HEAD + 'description="Two\\n  lines"\n' + steps, "folder/mine.toml")
    assert (preset.name, preset.description, preset.path) == ("mine", "Two lines", Path("folder/mine.toml"))


MISTAKES = [
    ("", "line 1, the file: has no steps; expected at least one"),
    ("format = 1\n", "no valid TOML: Cannot overwrite a value"),
    ("nonsense", "no valid TOML: Expected .*after a key"),
    ("x = 1\n", "line 2, x: unknown key; expected one of format, description"),
    ("step = 3\n", "line 2, step: 3; expected tables, each under \\[\\[step\\]\\]"),
    ("description = 1\n[[step]]\n", "line 2, description: 1; expected a text in quotation marks"),
    ("[[step]]\n", "line 2, step 1: has no type; expected type = one of lowpass"),
    ('[[step]]\ntype = "lowpas"', "line 3, step 1, type: unknown type 'lowpas'; did you mean 'lowpass'"),
    ('[[step]]\ntype = "lowpass"', "line 2, step 1: lowpass has no cutoff; expected the keys cutoff"),
    ('[[step]]\ntype = "gain"\ngain = 3', "line 4, step 1, gain: unknown key; did you mean 'gain_db'"),
    ('[[step]]\ntype = "gain"\ngain_db = "loud"', "line 4, step 1, gain_db: 'loud'; expected a number"),
    ('[[step]]\ntype = "gain"\ngain_db = true', "line 4, step 1, gain_db: True; expected a number"),
    (
        '[[step]]\ntype = "gain"\ngain_db = 200',
        "line 4, step 1, gain_db: gain is 200; expected a number up to 120 dB",
    ),
    (
        '[[step]]\ntype="width"\nwidth=1\n\n[[step]]\n# comment\ntype = "reverb"\nir = "hall"\nmix = 1.5',
        "line 10, step 2, mix: mix is 1.5; expected a number from 0 to 1",
    ),
    (
        '[[step]]\ntype="reverb"\nir="hal"',
        "line 4, step 1, ir: no impulse response 'hal'; did you mean 'hall'",
    ),
    ('[[step]]\ntype="reverb"\nir="no.wav"', "line 4, step 1, ir: 'no.wav': no such file in"),
    (
        '[[step]]\ntype="lowcut"\nfrequency=80\nslope=12.5',
        "line 5, step 1, slope: 12.5; expected a whole number",
    ),
    ('[[step]]\ntype="lowcut"\nfrequency=80\nslope=13', "line 5, step 1, slope: slope 13 dB per octave"),
    ('[[step]]\ntype="riaa"\nrecording="yes"', "line 4, step 1, recording: 'yes'; expected true or false"),
    ('[[step]]\ntype="delay"', "line 2, step 1: has no time; expected time_ms or beats"),
    ('[[step]]\ntype="delay"\nbeats=1', "line 4, step 1, beats: needs a tempo"),
    ('tempo=0\n[[step]]\ntype="delay"\nbeats=1', "line 5, step 1, beats|tempo 0 beats"),
    ('[[step]]\ntype="curve"', "line 2, step 1: expected either points or a file"),
    ('[[step]]\ntype="curve"\npoints=[1,2]', "line 4, step 1, points: .*expected pairs of Hz and dB"),
    ('[[step]]\ntype="crossover"\nat=[200]\nband=[{}]', "line 5, step 1, band: 1 bands; expected 2 for 1"),
    (
        '[[step]]\ntype="parallel"\n[[step.branch]]\n[[step.branch]]\n[[step.branch.step]]\ntype="tilt"\ngain_db=99',
        "line 8, step 1, branch 2, step 1, gain_db: gain_db is 99; expected a number from -60 to 60 dB",
    ),
    ('[[step]]\ntype="parallel"\nbranch=[{gain_db=999}]', "line 4, step 1, branch 1, gain_db: gain is 999"),
    ('[[step]]\n"type" = "gain"\n"gain_db" = []', "line 4, step 1, gain_db: \\[\\]; expected a number"),
    (
        f'[[step]]\ntype="gain"\ngain_db={"9" * 400}',
        "line 4, step 1, gain_db: a number with hundreds of digits",
    ),
    (
        'level="loud"\n[[step]]\ntype="gain"\ngain_db=1',
        "line 2, level: level is 'loud'; did you mean 'loudness'",
    ),
    ('gain_db=1e9\n[[step]]\ntype="gain"\ngain_db=1', "line 2, gain_db: gain is 1e.09 dB"),
    (
        '[[step]]\ntype="midside"\nmid=[{type="reverb",ir="hall",mix=2}]',
        "line 4, step 1, mid 1, mix: mix is 2",
    ),
]


@pytest.mark.parametrize(("text", "says"), MISTAKES)
def test_mistakes_are_told_with_file_line_and_key(text: str, says: str) -> None:
    with pytest.raises(PresetError, match=says) as caught:
        _read(text)
    assert str(caught.value).startswith("some.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[step]]", "line 1, the file: has no format; expected format = 1"),
        ("format = 2", "line 1, format: 2; expected 1; install a newer version"),
        ("format = 0", "line 1, format: 0; expected 1$"),
        ('format = "1"', "line 1, format: '1'; expected a whole number"),
    ],
)
def test_the_format_has_a_version(text: str, says: str) -> None:
    with pytest.raises(PresetError, match=says):
        read_preset(text, "some.toml")


def test_nesting_and_length_are_bounded() -> None:
    nested = 'type="gain", gain_db=0'
    for _ in range(12):
        nested = f'type="parallel", branch=[{{step=[{{{nested}}}]}}]'
    with pytest.raises(PresetError, match="nested more than 4 deep"):
        _read(f"step=[{{{nested}}}]")
    with pytest.raises(PresetError, match="300 steps, branches and bands; expected at most 100"):
        _read('[[step]]\ntype="gain"\ngain_db=0\n' * 300)
    with pytest.raises(PresetError, match="no valid TOML: nested too deep"):
        _read("x = " + "[" * 100_000)


def test_a_preset_reads_files_of_its_own_folder_alone(tmp_path: Path) -> None:
    inside = tmp_path / "presets"
    (inside / "rooms").mkdir(parents=True)
    room = ImpulseResponse(decaying(50, 2), 8000)
    for path in (tmp_path / "secret.wav", inside / "rooms" / "mine.wav"):
        save_response(room, path)
    (inside / "eq.csv").write_text("100,-3\n1000,0\n")
    (tmp_path / "eq.csv").write_text("100,-3\n1000,0\n")
    (inside / "broken.wav").write_text("no sound")
    (inside / "convolver.conf").write_text("/impulse/read 1 1 1 0 0 0 1 ../secret.wav\n")
    (inside / "link.wav").symlink_to(tmp_path / "secret.wav")

    def load(step: str, **more: bool) -> Effect:
        path = inside / "p.toml"
        path.write_text(f"{HEAD}[[step]]\n{step}\n")
        return load_chain(path, **more)

    effect = load('type="reverb"\nir="rooms/mine.wav"\nmix=0.5')
    assert effect == Reverb(inside / "rooms" / "mine.wav", mix=0.5)
    assert "rooms/mine.wav" in repr(effect)
    assert load('type="curve"\nfile="eq.csv"') == Curve(((100, -3), (1000, 0)))
    outside = {
        'type="reverb"\nir="../secret.wav"': Reverb(tmp_path / "secret.wav"),
        f'type="reverb"\nir="{tmp_path}/secret.wav"': Reverb(tmp_path / "secret.wav"),
        'type="reverb"\nir="link.wav"': Reverb(tmp_path / "secret.wav"),
        'type="curve"\nfile="../eq.csv"': Curve(((100, -3), (1000, 0))),
    }
    for step, expected in outside.items():
        with pytest.raises(
            PresetError, match=r"line 4, step 1, (ir|file): .* lies outside the preset's folder"
        ):
            load(step)
        assert load(step, allow_outside=True) == expected
    with pytest.raises(PresetError, match=r"line 4, step 1, ir: .*not a readable audio file"):
        load('type="reverb"\nir="broken.wav"')
    with pytest.raises(PresetError, match=r"'convolver.conf' names other files; use a sound file"):
        load('type="reverb"\nir="convolver.conf"')
    with pytest.raises(PresetError, match="cannot be the name of a file"):
        load('type="reverb"\nir="a\\u0000.wav"')


def test_names_and_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_chain("telephone") == load_chain(ROOT / "presets" / "telephone.toml")
    with pytest.raises(UnknownNameError, match="no preset 'telefone'; did you mean 'telephone'"):
        load_chain("telefone")
    with pytest.raises(PresetError, match=r"none\.toml: cannot be read \(No such file"):
        load_chain("none.toml")
    with pytest.raises(PresetError, match="cannot be read"):
        load_chain(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PresetError, match="not text in UTF-8"):
        load_chain("binary.toml")
    (tmp_path / "dos.toml").write_bytes(
        b'\xef\xbb\xbfformat = 1\r\n[[step]]\r\ntype = "gain"\r\ngain_db = 1\r\n'
    )
    assert load_chain("dos.toml") == Gain(1)


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
def test_no_mutilated_preset_gives_anything_but_an_effect_or_our_error(
    tmp_path: Path, text: str, cuts: list[tuple[float, int, str]]
) -> None:
    for place, length, insert in cuts:
        at = int(place * len(text))
        text = text[:at] + insert + text[at + length :]
    with contextlib.suppress(PresetError):
        read_preset(text, tmp_path / "some.toml")


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
def test_no_wrong_value_gives_anything_but_our_error(value: object, kind: str, key: str) -> None:
    from reverb.store.preset_steps import steps_effect
    from reverb.store.preset_values import Lines, Source

    source = Source(Path("some.toml"), Lines(""), False, 120.0)
    with contextlib.suppress(PresetError):
        steps_effect(source, ("step",), [{"type": kind, key: value}])


def test_the_bundled_presets_are_described_and_level() -> None:
    found = list(presets())
    assert len(found) >= 12
    for preset in found:
        assert 20 <= len(preset.description) <= 110
        assert "\n" not in preset.description
        assert load_preset(preset.name) == preset
        # Pink noise keeps its loudness, within what suits the instrument.
        assert abs(10 * math.log10(loudness_ratio(preset.effect.response(48_000)))) < 5


@pytest.mark.parametrize("rate", [8000, 96_000])
@pytest.mark.parametrize("name", ["telephone", "de-hum", "ping-pong", "wide-master"])
def test_presets_work_at_every_rate(name: str, rate: int) -> None:
    assert load_chain(name).response(rate).sample_rate == rate


@pytest.mark.parametrize("name", sorted(names()))
def test_bundled_presets_neither_clip_nor_change_the_loudness(
    name: str, audio_folder: Path, tmp_path: Path
) -> None:
    _plays(name, audio_folder, tmp_path, ("gh_xmas_male_voice.wav", "deb_csoundqt_classical_guitar.wav"))


def _plays(name: str, folder: Path, out: Path, recordings: tuple[str, ...]) -> None:
    import pyloudnorm

    effect = load_chain(name)
    for recording in recordings:
        source, destination = folder / "dry" / recording, out / "out.wav"
        process_file(source, destination, effect, match_loudness=True, subtype="PCM_24", overwrite=True)
        x, rate = soundfile.read(source, always_2d=True)
        y, _ = soundfile.read(destination, always_2d=True)
        assert np.abs(y).max() <= 1.0
        assert not (np.abs(y) >= 1.0 - 2.0**-23).sum() > 1, "clipped"
        meter = pyloudnorm.Meter(rate)
        assert meter.integrated_loudness(y) - meter.integrated_loudness(x) == pytest.approx(0, abs=1.5), (
            recording
        )


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Levelled(3), ParameterError, "effect is 3, no effect"),
        (lambda: Levelled(Gain(0), "loud"), ParameterError, "level is 'loud'; did you mean 'loudness'"),
        (lambda: Levelled(Gain(-math.inf)).response(8000), InvalidAudioError, "silent"),
    ],
)
def test_a_level_needs_something_to_hear(make: object, error: type[ReverbError], says: str) -> None:
    with pytest.raises(error, match=says):
        make()  # type: ignore[operator]
