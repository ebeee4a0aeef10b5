"""The values of presets: mistakes are reported with file, line and key, and files outside are not read."""

from pathlib import Path

import pytest

from reverb.effects.curves import Curve
from reverb.effects.effect import Effect
from reverb.effects.reverb import Reverb
from reverb.errors import PresetError
from reverb.responses.response import ImpulseResponse
from reverb.store.presets import load_chain
from reverb.store.response_files import save_response
from tests.signals import decaying
from tests.store.conftest import HEAD, read_steps

MISTAKES = [
    ("", "line 1, the file: has no steps; expected at least one"),
    ("format = 1\n", "not valid TOML: Cannot overwrite a value"),
    ("nonsense", "not valid TOML: Expected .*after a key"),
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
def test_errors_name_file_line_and_key(text: str, says: str) -> None:
    with pytest.raises(PresetError, match=says) as caught:
        read_steps(text)
    assert str(caught.value).startswith("some.toml")
    assert "\n" not in str(caught.value)


def test_a_preset_reads_files_of_its_own_folder_only(tmp_path: Path) -> None:
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
