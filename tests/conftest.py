"""Fixtures that all tests share."""

from collections.abc import Callable
from pathlib import Path

import numpy.typing as npt
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[1]
MakeSound = Callable[..., Path]


@pytest.fixture(scope="session")
def audio_folder() -> Path:
    """The folder of real recordings and responses beside the repository."""
    folder = ROOT.parent / "shared" / "audio"
    if not folder.is_dir():
        pytest.skip("no ../shared/audio here")
    return folder


@pytest.fixture
def make_sound(tmp_path: Path) -> MakeSound:
    """Return a function that writes samples to a file in the test's folder and gives its path."""

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
