"""The command as a process: signals, full disks, pipes, memory, imports at start, completion."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tests.conftest import ROOT, MakeSound
from tests.signals import decaying, noise
from tests.terminals import on_a_terminal

REVERB = [sys.executable, "-m", "reverb"]


def run(*args: str, cwd: Path, data: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
    """Run the command with `data` on its standard input."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*REVERB, *args]
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, check=False, timeout=60, input=data
    )


def start(*args: str, cwd: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*REVERB, *args], cwd=cwd, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )


def interpret(code: str, **more: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **more}
    return subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )


def python(code: str) -> str:
    result = interpret(code)
    result.check_returncode()
    return result.stdout


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    """Return a sparse file of zeros that reads as an hour of sound."""
    path = tmp_path / "long.wav"
    frames = 48_000 * 3600
    with soundfile.SoundFile(path, "w", 48_000, 2, "PCM_16") as file:
        file.write(np.zeros((1, 2)))
    header = bytearray(path.read_bytes()[:-4])
    size = 4 * frames
    at = header.index(b"data") + 4
    header[at : at + 4] = size.to_bytes(4, "little")
    header[4:8] = (len(header) - 8 + size).to_bytes(4, "little")
    path.write_bytes(header)
    os.truncate(path, len(header) + size)
    return path


# -- stopped on the way ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("standing", [False, True])
def test_a_signal_leaves_no_file_and_no_temporary(
    long_file: Path, number: signal.Signals, standing: bool
) -> None:
    folder = long_file.parent
    before = {"long.wav"}
    if standing:
        (folder / "out.wav").write_bytes(b"precious")
        before.add("out.wav")
    process = start("apply", "long.wav", "out.wav", "--ir", "church", "--force", cwd=folder)
    deadline = time.monotonic() + 30
    while not _growing(folder) and time.monotonic() < deadline:
        assert process.poll() is None, process.stderr and process.stderr.read()
        time.sleep(0.02)
    assert _growing(folder)  # it is in the middle of its work
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors.decode().strip() == "Error: interrupted; nothing was left behind"
    assert set(os.listdir(folder)) == before
    if standing:
        assert (folder / "out.wav").read_bytes() == b"precious"


def _growing(folder: Path) -> bool:
    return any(path.stat().st_size > 200_000 for path in folder.glob(".reverb-*.part"))


@pytest.mark.parametrize("name", ["out.wav", "out.flac", "out.aiff", "out.ogg", "out.mp3"])
def test_a_full_disk_leaves_nothing_behind(small_disk: Path, make_sound: MakeSound, name: str) -> None:
    source = make_sound("in.wav", noise(48_000 * 20))
    result = run(
        "filter", "lowpass", str(source), str(small_disk / name), "--cutoff", "15000", cwd=source.parent
    )
    assert result.stderr.decode() == (
        f"Error: {small_disk / name}: no space left on the disk; the unfinished file was removed\n"
    )
    assert result.returncode == 1
    assert os.listdir(small_disk) == []


def test_a_folder_that_cannot_be_written_is_refused_at_once(tmp_path: Path, make_sound: MakeSound) -> None:
    source = make_sound("in.wav", noise(100))
    folder = tmp_path / "closed"
    folder.mkdir()
    chattr = shutil.which("chattr")
    if os.geteuid() == 0:
        if (
            not chattr
            or subprocess.run([chattr, "+i", str(folder)], capture_output=True, check=False).returncode
        ):
            pytest.skip("root may write everywhere on this file system")
    else:
        folder.chmod(0o555)
    try:
        result = run("apply", str(source), str(folder / "out.wav"), "--ir", "room", cwd=tmp_path)
    finally:
        if os.geteuid() == 0 and chattr:
            subprocess.run([chattr, "-i", str(folder)], check=True)
        folder.chmod(0o755)
    assert result.returncode == 1
    assert "no permission to write in" in result.stderr.decode()
    assert result.stderr.count(b"\n") == 1


# -- pipes and terminals --------------------------------------------------------------------------------------


def test_sound_passes_from_pipe_to_pipe(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", noise(5000))
    room = make_sound("room.wav", decaying(500, 2))
    args = ("--ir", str(room), "--no-dither")
    piped = run("apply", "-", "-", *args, cwd=source.parent, data=source.read_bytes())
    assert piped.returncode == 0
    assert piped.stderr.decode().startswith("-: 0:00.115, 2 channels")
    run("apply", "in.wav", "out.wav", *args, cwd=source.parent)
    assert piped.stdout == source.with_name("out.wav").read_bytes()
    flac = run(
        "apply", "-", "-", *args, "--format", "flac", "--quiet", cwd=source.parent, data=source.read_bytes()
    )
    assert flac.stdout.startswith(b"fLaC")
    assert flac.stderr == b""


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"", "standard input: is empty"), (b"words " * 99, "standard input: not a readable audio")],
)
def test_a_pipe_without_sound_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    result = run("apply", "-", "-", "--ir", "room", cwd=tmp_path, data=data)
    assert result.returncode == 1
    assert result.stdout == b""
    assert result.stderr.decode().startswith(f"Error: {says}")
    assert result.stderr.count(b"\n") == 1


def test_a_reader_that_goes_away_is_no_traceback(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", noise(200_000))
    process = start("apply", "in.wav", "-", "--ir", "room", cwd=source.parent)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read().decode()
    process.stderr.close()
    assert process.wait(30) in (0, 1)
    assert "Traceback" not in errors


def test_the_progress_bar_is_for_terminals_only(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", noise(400_000))
    silent = run("apply", "in.wav", "a.wav", "--ir", "room", cwd=source.parent)
    assert silent.stderr == b""
    for quiet in ([], ["--quiet"]):
        arguments = ("apply", "in.wav", "b.wav", "--ir", "room", "--force", *quiet)
        done, drawn = on_a_terminal(*arguments, cwd=source.parent)
        assert done.returncode == 0
        assert (drawn == "") if quiet else ("100%" in drawn)


# -- cost -----------------------------------------------------------------------------------------------------

# Not getrusage: its peak includes that of the process which started this one.
_PEAK = """
import re, sys
from reverb.cli.app import cli
cli(sys.argv[1:], standalone_mode=False)
print(int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


def _peak_megabytes(folder: Path, seconds: int) -> int:
    frames = 48_000 * seconds
    name = f"{seconds}.wav"
    with soundfile.SoundFile(folder / name, "w", 48_000, 2, "PCM_24") as file:
        block = noise(48_000)
        for _ in range(seconds):
            file.write(block)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", _PEAK, "apply", name, f"out-{name}", "--ir", "church", "--quiet"]
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    assert soundfile.info(folder / f"out-{name}").frames > frames
    return int(json.loads(result.stdout))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's peak of resident memory")
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    short, long = _peak_megabytes(tmp_path, 30), _peak_megabytes(tmp_path, 300)
    assert long <= 200
    assert (
        long - short <= 40
    )  # ten times the file would be 200 MB more, a queue that happens to be full some 10


@pytest.mark.parametrize(
    "code",
    [
        "import reverb",
        "import reverb; reverb.LowPass; reverb.Reverb; reverb.process_file",
        "from click.testing import CliRunner; from reverb.cli.app import cli; CliRunner().invoke(cli, ['--help'])",
        "from click.testing import CliRunner; from reverb.cli.app import cli; CliRunner().invoke(cli, ['apply', '-h'])",
        "from click.testing import CliRunner; from reverb.cli.app import cli; CliRunner().invoke(cli, ['--version'])",
    ],
)
def test_the_start_is_light(code: str) -> None:
    loaded = set(json.loads(python(f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))")))
    assert loaded.isdisjoint(
        {"scipy.signal", "sounddevice", "matplotlib", "soxr", "pyroomacoustics", "pyloudnorm"}
    )


def test_the_plain_import_and_the_help_of_commands_load_not_even_numpy() -> None:
    commands = [
        ["apply"],
        ["batch"],
        ["chain"],
        ["devices"],
        ["filter", "peak"],
        ["ir", "edit"],
        ["live"],
        ["tune"],
    ]
    for code in (
        "import reverb",
        "from click.testing import CliRunner; from reverb.cli.app import cli\n"
        f"for words in {commands}: CliRunner().invoke(cli, [*words, '-h'], catch_exceptions=False)",
    ):
        loaded = set(json.loads(python(f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))")))
        assert loaded.isdisjoint({"numpy", "scipy", "soundfile", "pyfftw"})
    assert "click" not in json.loads(
        python("import json, sys, reverb\nprint(json.dumps(sorted(sys.modules)))")
    )


def test_applying_a_response_needs_no_scipy_signal(make_sound: MakeSound) -> None:
    source = make_sound("in.wav", noise(100))
    code = (
        "import json, sys, reverb\n"
        f"reverb.process_file({str(source)!r}, {str(source.with_name('out.wav'))!r}, reverb.Reverb('room'))\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert set(json.loads(python(code))).isdisjoint({"scipy.signal", "sounddevice", "matplotlib", "soxr"})


@pytest.mark.parametrize("command", ["apply", "batch", "ir"])
def test_a_command_leaves_the_environment_as_it_was(command: str) -> None:
    code = (
        "import os\nfrom click.testing import CliRunner\nfrom reverb.cli.app import cli\nbefore = dict(os.environ)\n"
        f"CliRunner().invoke(cli, [{command!r}, '--help'])\nprint(os.environ == before)"
    )
    assert python(code).split() == ["True"]


@pytest.mark.parametrize(
    ("words", "status"), [("['ir', 'list']", 0), ("['apply']", 2), ("['ir', 'info', 'no such']", 2)]
)
def test_the_end_is_quick_and_leaves_nothing_out(words: str, status: int) -> None:
    code = (
        "import atexit, sys\nfrom reverb.cli import main\n"
        "class Late:\n    def __del__(self): print('taken apart')\n"
        "kept = Late()\natexit.register(print, 'called at the end')\n"
        f"sys.argv = ['reverb', *{words}]\nmain()"
    )
    result = interpret(code)
    assert result.returncode == status
    assert "called at the end" in result.stdout
    assert ("church" in result.stdout) == (status == 0)
    assert ("Error" in result.stderr) == (status != 0)
    assert "taken apart" not in result.stdout


def test_the_end_waits_for_a_thread_that_must_be_waited_for() -> None:
    code = (
        "import sys, threading, time\nfrom reverb.cli import main\n"
        "def later():\n    time.sleep(0.5)\n    print('done')\n"
        "threading.Thread(target=later).start()\nsys.argv = ['reverb', '--version']\nmain()"
    )
    assert python(code).splitlines()[-1] == "done"


# -- completion -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_their_completion(shell: str) -> None:
    code = "import sys; sys.argv = ['reverb']; from reverb.cli import main; main()"
    result = interpret(code, _REVERB_COMPLETE=f"{shell}_source")
    assert "_REVERB_COMPLETE" in result.stdout
    assert result.returncode == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("reverb ap", "plain,apply"),
        ("reverb filter low", "plain,lowpass"),
        ("reverb apply a b --ir cat", "plain,cathedral"),
        ("reverb ir info ch", "plain,church"),
        ("reverb apply a b --norm", "plain,--normalize"),
        ("reverb apply ta", "file,ta"),
        ("reverb apply a b --ir my", "file,my"),
        ("reverb batch ta", "file,ta"),
        ("reverb batch a --output-dir we", "dir,we"),
        ("reverb chain vocal-plate ta", "file,ta"),
        ("reverb filter eq a b cu", "file,cu"),
        ("reverb ir deconvolve ta", "file,ta"),
        ("reverb live --record ta", "file,ta"),
    ],
)
def test_words_are_completed(words: str, expected: str) -> None:
    code = "import sys; sys.argv = ['reverb']; from reverb.cli import main; main()"
    asked = {
        "_REVERB_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    result = interpret(code, **asked)
    assert expected in result.stdout.splitlines()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_a_bash_that_a_hand_types_into_completes_names_and_files(tmp_path: Path) -> None:
    import pty
    import select

    (tmp_path / "my take.wav").touch()
    tool = tmp_path / "bin" / "reverb"
    tool.parent.mkdir()
    tool.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "sys.argv[0] = 'reverb'\nfrom reverb.cli import main\nmain()\n"
    )
    tool.chmod(0o755)
    environment = {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "$ "}
    ours, theirs = pty.openpty()
    shell = subprocess.Popen(
        ["bash", "--norc", "--noprofile", "-i"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=tmp_path,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)

    def typed(keys: str, until: str) -> None:
        os.write(ours, keys.encode())
        seen = ""
        while until not in seen:
            assert select.select([ours], [], [], 60)[0], seen
            seen += os.read(ours, 4096).decode()

    typed('eval "$(_REVERB_COMPLETE=bash_source reverb)"; echo re"ady"\n', "ready")
    typed("reverb ap\tmy\t", "reverb apply my\\ take.wav ")
    typed("out.wav --ir cath\t", "--ir cathedral ")
    os.close(ours)
    shell.kill()
    shell.wait()


def test_a_stream_that_cannot_spell_a_sign_is_no_failure(tmp_path: Path, make_sound: MakeSound) -> None:
    make_sound("a−b.wav", decaying(24_000, 1))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "cp1252"}
    command = [*REVERB, "ir", "info", "a−b.wav"]
    result = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert b"a?b" in result.stdout
