"""`reverb apply`: its outputs and reports; and failures, of other commands too: one line on stderr and a status."""

import os
import stat
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

import reverb
from reverb.store.library import names
from tests.cli.running import fail, succeed
from tests.conftest import MakeSound
from tests.nulls import null_db
from tests.signals import noise

pytestmark = pytest.mark.usefixtures("recording")


def test_apply_writes_what_the_library_computes() -> None:
    result = succeed("apply", "in.wav", "out.wav", "--ir", "room.wav", "--mix", "0.4", "--predelay", "10")
    effect = reverb.Reverb("room.wav", mix=0.4, predelay=0.01)
    x, y = (soundfile.read(name)[0] for name in ("in.wav", "out.wav"))
    assert null_db(y, effect(x, 48_000)) < -110  # 24 bits, at the level of a mix
    assert "out.wav: 0:00.156, 2 channels, 48000 Hz, WAV PCM_24" in result.stdout
    assert "0 clipped" in result.stdout
    assert "x real time" in result.stdout
    assert result.stderr == ""


def test_wet_and_dry_levels() -> None:
    succeed(
        "apply",
        "in.wav",
        "out.wav",
        "--ir",
        "room.wav",
        "--wet",
        "-6",
        "--dry",
        "-inf",
        "--subtype",
        "DOUBLE",
    )
    effect = reverb.Reverb("room.wav", wet=-6, dry=float("-inf"))
    x, y = (soundfile.read(name)[0] for name in ("in.wav", "out.wav"))
    assert null_db(y, effect(x, 48_000)) < -110


@pytest.mark.parametrize("name", sorted(names()))
def test_every_bundled_name_is_known(name: str) -> None:
    succeed("apply", "in.wav", "out.wav", "--ir", name, "--no-tail")
    assert soundfile.info("out.wav").frames == 5000


def test_the_tail_is_kept_or_not() -> None:
    succeed("apply", "in.wav", "with.wav", "--ir", "room.wav")
    succeed("apply", "in.wav", "without.wav", "--ir", "room.wav", "--no-tail")
    long, short = soundfile.read("with.wav")[0], soundfile.read("without.wav")[0]
    assert (len(long), len(short)) == (6999, 5000)
    assert np.array_equal(long[:5000], short)


def test_normalize_gain_subtype_and_format() -> None:
    succeed("apply", "in.wav", "a.flac", "--ir", "room.wav", "--normalize", "peak", "--gain", "-40")
    assert 20 * np.log10(np.abs(soundfile.read("a.flac")[0]).max()) == pytest.approx(-1, abs=0.001)
    succeed("apply", "in.wav", "b.dat", "--ir", "room.wav", "--format", "aiff", "--subtype", "pcm_16")
    assert (soundfile.info("b.dat").format, soundfile.info("b.dat").subtype) == ("AIFF", "PCM_16")
    succeed("apply", "in.wav", "c.wav", "--ir", "room.wav", "--gain", "-20", "--dither")
    succeed("apply", "in.wav", "d.wav", "--ir", "room.wav", "--gain", "-20")
    difference = (soundfile.read("c.wav")[0] - soundfile.read("d.wav")[0]) * 2**23
    assert 0.1 < difference.std() < 0.7


def test_clipping_is_said_with_its_cure() -> None:
    result = succeed("apply", "in.wav", "out.wav", "--ir", "room.wav", "--gain", "20")
    line = result.stderr
    assert line.startswith("Warning: ")
    assert line.count("\n") == 1
    assert "over full scale" in line
    assert "--normalize peak" in line
    # The gain it names is enough.
    named = float(line.rsplit("--gain", 1)[1])
    assert (
        "Warning"
        not in succeed("apply", "in.wav", "out2.wav", "--ir", "room.wav", "--gain", str(20 + named)).stderr
    )


def test_force_and_quiet() -> None:
    succeed("apply", "in.wav", "out.wav", "--ir", "room.wav")
    fail(1, "exists already; use --force", "apply", "in.wav", "out.wav", "--ir", "room.wav")
    assert succeed("apply", "in.wav", "out.wav", "--ir", "room.wav", "--force", "--quiet").output == ""


# -- failures -------------------------------------------------------------------------------------------------

ROOM = ("--ir", "room.wav")


@pytest.mark.parametrize(
    ("status", "says", "args"),
    [
        (1, "missing.wav: no such file", ("apply", "missing.wav", "out.wav", *ROOM)),
        (1, "missing.wav: no such file", ("apply", "in.wav", "out.wav", "--ir", "missing.wav")),
        (1, "is a folder; expected an audio file", ("apply", ".", "out.wav", *ROOM)),
        (1, "is a folder; give a file name", ("apply", "in.wav", ".", *ROOM)),
        (1, "the folder no does not exist", ("apply", "in.wav", "no/out.wav", *ROOM)),
        (1, "is the input itself", ("apply", "in.wav", "in.wav", *ROOM, "--force")),
        (2, "'.xyz' names no audio format; expected one of .wav", ("apply", "in.wav", "out.xyz", *ROOM)),
        (2, "names no audio format", ("apply", "in.wav", "out", *ROOM)),
        (2, "did you mean 'church'?", ("apply", "in.wav", "out.wav", "--ir", "chruch")),
        (2, "mix is 2; expected a number from 0 to 1", ("apply", "in.wav", "out.wav", *ROOM, "--mix", "2")),
        (
            2,
            "mix is nan; expected a number from 0 to 1",
            ("apply", "in.wav", "out.wav", *ROOM, "--mix", "nan"),
        ),
        (
            2,
            "mix is given together with wet",
            ("apply", "in.wav", "out.wav", *ROOM, "--mix", "0.2", "--wet", "-3"),
        ),
        (
            2,
            "predelay is -0.001 s; expected a number from 0 to 10 s",
            ("apply", "in.wav", "out.wav", *ROOM, "--predelay", "-1"),
        ),
        (2, "gain is 200 dB; expected", ("apply", "in.wav", "out.wav", *ROOM, "--gain", "200")),
        (2, "layout 'quad'; expected mono", ("apply", "in.wav", "out.wav", *ROOM, "--layout", "quad")),
        (
            1,
            "has 2 channels; layout true-stereo needs 4",
            ("apply", "in.wav", "out.wav", *ROOM, "--layout", "true-stereo"),
        ),
        (
            2,
            "subtype 'PCM_17' in WAV; expected",
            ("apply", "in.wav", "out.wav", *ROOM, "--subtype", "PCM_17"),
        ),
        (2, "format 'SHN'; expected", ("apply", "in.wav", "out.wav", *ROOM, "--format", "SHN")),
        (2, "Missing option '--ir'", ("apply", "in.wav", "out.wav")),
        (2, "Missing argument 'OUTPUT'", ("apply", "in.wav", *ROOM)),
        (2, "No such option", ("apply", "in.wav", "out.wav", *ROOM, "--reverb")),
        (2, "No such command 'aply'", ("aply",)),
        (2, "'loud' is not", ("apply", "in.wav", "out.wav", *ROOM, "--normalize", "loud")),
        (
            2,
            "less than 24000 Hz, half the sample rate",
            ("filter", "lowpass", "in.wav", "out.wav", "--cutoff", "24000"),
        ),
        (
            2,
            "cutoff is 0.0 Hz; expected more than 0 Hz",
            ("filter", "highpass", "in.wav", "out.wav", "--cutoff", "0"),
        ),
        (
            2,
            "low 3000 Hz, high 300 Hz; expected low below high",
            ("filter", "bandpass", "in.wav", "out.wav", "--low", "3000", "--high", "300"),
        ),
        (
            2,
            "transition is -5.0 Hz; expected more than 0 Hz",
            ("filter", "lowpass", "in.wav", "out.wav", "--cutoff", "300", "--transition", "-5"),
        ),
        (
            2,
            "at most 600 Hz fit around 300 Hz",
            ("filter", "lowpass", "in.wav", "out.wav", "--cutoff", "300", "--transition", "601"),
        ),
        (2, "is not a valid float", ("filter", "lowpass", "in.wav", "out.wav", "--cutoff", "high")),
        (2, "did you mean 'church'?", ("ir", "info", "churhc")),
    ],
)
def test_failures_are_one_line_with_their_status(status: int, says: str, args: tuple[str, ...]) -> None:
    fail(status, says, *args)


def test_files_that_are_no_sound(make_sound: MakeSound) -> None:
    Path("text.wav").write_text("words " * 200)
    Path("bytes.raw").write_bytes(bytes(5000))
    make_sound("empty.wav", np.zeros((0, 2)))
    make_sound("silent.wav", np.zeros((100, 2)))
    make_sound("three.wav", noise(100, 3))
    data = bytearray(Path("in.wav").read_bytes())
    data[24:28] = struct.pack("<I", 0)
    Path("zero-rate.wav").write_bytes(data)
    for says, name in (
        ("not a readable audio file", "text.wav"),
        ("raw samples have no header", "bytes.raw"),
        ("holds no audio (0 frames)", "empty.wav"),
        ("not a readable audio file", "zero-rate.wav"),
    ):
        fail(1, says, "apply", name, "out.wav", *ROOM)
        if name != "bytes.raw":  # a response may be raw, where its name tells the rate
            fail(1, says, "apply", "in.wav", "out.wav", "--ir", name)
        fail(1, says, "filter", "lowpass", name, "out.wav", "--cutoff", "1000")
    fail(
        1,
        "is silent; expected an impulse response",
        "apply",
        "in.wav",
        "out.wav",
        "--ir",
        "silent.wav",
    )
    fail(1, "three.wav has 3 channels; expected 1 (mono)", "apply", "in.wav", "out.wav", "--ir", "three.wav")
    fail(1, "takes 2 channels; the input has 3", "apply", "three.wav", "out.wav", *ROOM)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_no_numbers(make_sound: MakeSound, bad: float) -> None:
    x = noise(300_000)
    x[299_000, 0] = bad
    make_sound("bad.wav", x, subtype="FLOAT")
    fail(1, "bad.wav: NaN or infinity at frame 299000 (6.229 s)", "apply", "bad.wav", "out.wav", *ROOM)
    fail(1, "NaN or infinity, first at frame 299000", "apply", "in.wav", "out.wav", "--ir", "bad.wav")


@pytest.mark.parametrize("name", ["cut.wav", "cut.flac", "cut.aiff"])
def test_a_truncated_file_is_a_warning_and_what_can_be_read(make_sound: MakeSound, name: str) -> None:
    path = make_sound(name, noise(100_000), subtype="PCM_16")
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    result = succeed("filter", "lowpass", name, "out.wav", "--cutoff", "5000")
    assert result.stderr.startswith(f"Warning: {name}: ")
    assert result.stderr.count("\n") == 1
    assert 40_000 < soundfile.info("out.wav").frames < 52_000
    assert "Warning" in succeed("apply", "in.wav", "wet.wav", "--ir", name).stderr


def test_names_of_any_kind() -> None:
    fail(1, "cannot be written", "apply", "in.wav", "a" * 300 + ".wav", *ROOM)
    fail(1, "cannot be opened", "apply", "a" * 300 + ".wav", "out.wav", *ROOM)
    fail(2, "no impulse response", "apply", "in.wav", "out.wav", "--ir", "a" * 300)
    for name in ("mit Leerzeichen.wav", "Größe.wav", "日本.wav", "--dash.wav", os.fsdecode(b"caf\xe9.wav")):
        os.rename("in.wav", name)
        succeed("apply", "--ir", "room.wav", "--", name, f"./out-{name}")
        os.rename(name, "in.wav")
        assert soundfile.info(os.fsencode(f"out-{name}")).frames == 6999


def test_a_folder_without_permission(recording: Path) -> None:
    closed = recording / "closed"
    closed.mkdir()
    closed.chmod(stat.S_IRUSR | stat.S_IXUSR)
    if os.access(closed, os.W_OK):
        pytest.skip("this user may write everywhere")
    fail(1, "no permission to write in closed", "apply", "in.wav", "closed/out.wav", *ROOM)


def test_a_folder_that_refuses_although_it_may_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    fail(1, "no permission to write in", "apply", "in.wav", "out.wav", *ROOM)
