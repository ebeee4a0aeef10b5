"""Fixtures for all tests."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import numpy.typing as npt
import pytest
import soundfile

from reverb.engine import fftw, machine

ROOT = Path(__file__).resolve().parents[1]
MakeSound = Callable[..., Path]

hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")


@pytest.fixture(scope="session")
def audio_folder() -> Path:
    """Return the folder of real recordings and responses beside the repository."""
    folder = ROOT.parent / "shared" / "audio"
    if not folder.is_dir():
        pytest.skip("no ../shared/audio here")
    return folder


@pytest.fixture
def make_sound(tmp_path: Path) -> MakeSound:
    """Return a function that writes samples to a file in the test's folder and returns its path."""

    def make(
        name: str,
        samples: npt.ArrayLike,
        sample_rate: int = 48_000,
        subtype: str | None = None,
        container: str | None = None,
        **tags: str,
    ) -> Path:
        path = tmp_path / name
        channels = 1 if getattr(samples, "ndim", 1) == 1 else samples.shape[1]  # type: ignore[union-attr]
        with soundfile.SoundFile(path, "w", sample_rate, channels, subtype, format=container) as file:
            for tag, value in tags.items():
                setattr(file, tag, value)
            file.write(samples)
        return path

    return make


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 200 kB, if this user may."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    mounted = (
        mount
        and not subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)], capture_output=True, check=False
        ).returncode
    )
    if not mounted:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def empty_planner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[fftw.Planner]:
    """FFTW as on a new machine."""
    known = fftw.planner()
    if known is None:
        pytest.skip("pyfftw is not installed")
    module, wisdom = known._module, known.wisdom
    for module_ in (fftw, machine):
        monkeypatch.setattr(module_, "cache_folder", lambda: tmp_path / "deep" / "cache")
    module.forget_wisdom()
    planner = fftw.Planner(module)
    monkeypatch.setattr(fftw, "planner", lambda: planner)
    yield planner
    machine._read.cache_clear()
    module.import_wisdom(wisdom)
