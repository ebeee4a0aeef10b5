"""Presets: files and names, the format's version, and the sound of the bundled ones."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from reverb.effects.gain import Gain, Leveled
from reverb.effects.stereo import Width
from reverb.errors import InvalidAudioError, ParameterError, PresetError, ReverbError, UnknownNameError
from reverb.render.files import process_file
from reverb.responses.level import loudness_ratio
from reverb.store.presets import load_chain, load_preset, names, presets, read_preset
from tests.conftest import ROOT
from tests.store.conftest import HEAD, read_steps


def test_steps_are_a_chain_at_a_level_and_gain() -> None:
    steps = '[[step]]\ntype="gain"\ngain_db=1\n[[step]]\ntype="width"\nwidth=2\n'
    assert read_steps(steps) == Gain(1) >> Width(2)
    assert read_steps('level="energy"\ngain_db=-2\n' + steps) == Leveled(
        Gain(1) >> Width(2), "energy"
    ) >> Gain(-2)
    preset = read_preset(HEAD + 'description="Two\\n  lines"\n' + steps, "folder/mine.toml")
    assert (preset.name, preset.description, preset.path) == ("mine", "Two lines", Path("folder/mine.toml"))


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


def test_the_bundled_presets_are_described_and_level() -> None:
    found = list(presets())
    assert len(found) >= 12
    for preset in found:
        assert 20 <= len(preset.description) <= 110
        assert "\n" not in preset.description
        assert load_preset(preset.name) == preset
        # Pink noise keeps its loudness within a tolerance for different instruments.
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
        (lambda: Leveled(3), ParameterError, "effect is 3, no effect"),  # type: ignore[arg-type]
        (
            lambda: Leveled(Gain(0), "loud"),  # type: ignore[arg-type]
            ParameterError,
            "level is 'loud'; did you mean 'loudness'",
        ),
        (lambda: Leveled(Gain(-math.inf)).response(8000), InvalidAudioError, "silent"),
    ],
)
def test_a_level_needs_a_response_with_sound(
    make: Callable[[], object], error: type[ReverbError], says: str
) -> None:
    with pytest.raises(error, match=says):
        make()
