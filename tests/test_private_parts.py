"""Parts of other libraries that these do not promise: they are there, and where they go away all still works."""

import ast
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import soundfile

import reverb
from reverb.audiofiles import libsndfile, packed
from reverb.live import cards, stream
from reverb.live.files import Recorder
from tests.conftest import ROOT
from tests.signals import noise

USED = {
    "_snd": "soundfile",
    "_ffi": "soundfile",
    "_file": "soundfile",
    "_full_path": "soundfile",
    "_libname": "soundfile",
    "_initialized": "sounddevice",
    "_initialize": "sounddevice",
    "_terminate": "sounddevice",
    "_exit_handler": "sounddevice",
    "_run_exitfuncs": "atexit",
    "_ModuleLockManager": "importlib; tests/engine/test_compiled.py",
    "_load_unlocked": "importlib; tests/engine/test_compiled.py",
}
DOCUMENTED = {"_replace", "_asdict", "_fields", "_exit", "_repr_html_"}


class Without:
    """A module without some of its names."""

    def __init__(self, module: ModuleType, *names: str) -> None:
        self._module, self._names = module, names

    def __getattr__(self, name: str) -> Any:
        if name in self._names:
            raise AttributeError(name)
        return getattr(self._module, name)


@pytest.fixture
def without_private_soundfile(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """soundfile as it would look to us if it renamed all that is private; it needs the names itself."""
    theirs = Without(soundfile, "_snd", "_ffi", "_full_path", "_libname")
    monkeypatch.setattr("reverb.audiofiles.libsndfile.soundfile", theirs)
    caches = libsndfile.raw_library, packed._library
    for cached in caches:
        cached.cache_clear()
    yield
    for cached in caches:
        cached.cache_clear()


def test_one_module_alone_reaches_the_private_parts_of_soundfile() -> None:
    reaching = {
        path.name
        for path in (ROOT / "reverb").rglob("*.py")
        if {"_snd", "_ffi"}
        & {
            node.attr
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute)
        }
    }
    assert reaching == {"libsndfile.py"}


def test_each_private_part_that_is_used_is_known_here() -> None:
    found: set[str] = set()
    for path in (ROOT / "reverb").rglob("*.py"):
        used: set[str] = set()
        own: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Attribute(value=ast.Name(id="self" | "cls" | "super")):
                    pass
                case ast.Attribute(attr=name, ctx=ast.Load()):
                    used.add(name)
                case ast.Call(
                    func=ast.Name(id="getattr" | "hasattr"), args=[_, ast.Constant(value=str(name)), *_]
                ):
                    used.add(name)
                case (
                    ast.Attribute(attr=name) | ast.Name(id=name, ctx=ast.Store()) | ast.FunctionDef(name=name)
                ):
                    own.add(name)
        found |= {name for name in used - own if name.startswith("_") and not name.startswith("__")}
    assert found - DOCUMENTED == USED.keys()


def test_soundfile_still_has_them(tmp_path: Path) -> None:
    with soundfile.SoundFile(tmp_path / "a.wav", "w", 48_000, 1, "PCM_24") as sound:
        assert packed.packed(sound)
        assert soundfile._snd.sf_command(sound._file, 0x1050, soundfile._ffi.NULL, 0) == 0


def test_sounddevice_still_has_them() -> None:
    sounddevice = pytest.importorskip("sounddevice", exc_type=(ImportError, OSError))  # type: ignore[arg-type]
    before = sounddevice._initialized
    assert before >= 0
    cards.rescan()
    assert sounddevice._initialized == 1
    assert callable(sounddevice._exit_handler)


@pytest.mark.parametrize("subtype", ["PCM_24", "FLOAT"])
def test_files_are_the_same_without_soundfiles_private_parts(
    subtype: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    source = tmp_path / "in.wav"
    soundfile.write(source, 0.1 * noise(30_000, 2), 48_000, subtype)
    effect = reverb.LowPass(1000)
    reverb.process_file(source, tmp_path / "with.wav", effect)
    request.getfixturevalue("without_private_soundfile")
    with soundfile.SoundFile(source) as sound:
        assert not packed.packed(sound)
    reverb.process_file(source, tmp_path / "without.wav", effect)
    with_them, without = (soundfile.read(tmp_path / f"{name}.wav")[0] for name in ("with", "without"))
    np.testing.assert_array_equal(without, with_them)
    assert soundfile.info(tmp_path / "without.wav").subtype == subtype


@pytest.mark.usefixtures("without_private_soundfile")
def test_a_recording_is_whole_at_its_end_without_soundfiles_private_parts(tmp_path: Path) -> None:
    x = noise(5000, 2).astype(np.float32)
    recorder = Recorder(tmp_path / "take.wav", 48_000, 2)
    recorder.push(x)
    recorder.close()
    assert recorder.failure is None
    np.testing.assert_array_equal(soundfile.read(tmp_path / "take.wav", dtype="float32")[0], x)


def test_cards_are_left_alone_without_sounddevices_private_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cards, "load_sounddevice", lambda: Without(np, *USED))
    cards.rescan()
    gone = threading.Event()
    monkeypatch.setattr(stream, "_CLOSING_SECONDS", 0.01)
    monkeypatch.setattr(stream.CardStream, "_close", lambda _self: gone.wait(10))
    assert not stream.CardStream.__new__(stream.CardStream).close()
    gone.set()


@pytest.mark.parametrize("status", [0, 2])
def test_the_command_ends_as_it_should_without_atexits_private_part(status: int) -> None:
    arguments = ["--version"] if status == 0 else ["nothing"]
    code = f"import atexit, sys; del atexit._run_exitfuncs; sys.argv[1:] = {arguments}"
    code += "; from reverb.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == status
    assert "Traceback" not in done.stderr
