"""Fixtures for tests of the engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reverb.engine import fftw


@pytest.fixture
def empty_planner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[fftw.Planner]:
    """FFTW as on a new machine."""
    known = fftw.planner()
    if known is None:
        pytest.skip("pyfftw is not installed")
    module, wisdom = known._module, known.wisdom
    monkeypatch.setattr(fftw, "cache_folder", lambda: tmp_path / "deep" / "cache")
    module.forget_wisdom()
    planner = fftw.Planner(module)
    monkeypatch.setattr(fftw, "planner", lambda: planner)
    yield planner
    module.import_wisdom(wisdom)
