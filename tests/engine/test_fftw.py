"""FFTW's wisdom: kept, found again, and never in the way."""

from pathlib import Path

import numpy as np
import pytest

from reverb.arrays import aligned_zeros
from reverb.engine import fftw


def lines(wisdom: tuple[bytes, ...]) -> list[list[bytes]]:
    """What FFTW knows, for each precision; it spells it out in any order."""
    return [sorted(part.splitlines()) for part in wisdom]


def test_wisdom_is_kept_and_found_again(empty_planner: fftw.Planner, tmp_path: Path) -> None:
    empty_planner.plan(aligned_zeros((3, 2 * 77), np.float32), aligned_zeros((3, 78), np.complex64))
    empty_planner.keep()
    (stored,) = (tmp_path / "deep" / "cache").iterdir()
    before = stored.read_text()
    empty_planner.keep()
    assert stored.read_text() == before
    learnt = empty_planner.wisdom
    empty_planner._module.forget_wisdom()
    found = fftw.Planner(empty_planner._module).wisdom
    assert lines(found) == lines(learnt)
    assert len(found[1].splitlines()) > 2


def test_what_was_learnt_with_patience_is_kept(
    empty_planner: fftw.Planner,
) -> None:
    sizes = (96,)
    assert empty_planner.learn(sizes)
    hasty = lines(empty_planner.wisdom)
    assert empty_planner.learn(sizes, thorough=True)
    thorough = lines(empty_planner.wisdom)
    assert thorough != hasty
    empty_planner._module.forget_wisdom()
    assert lines(fftw.Planner(empty_planner._module).wisdom) == thorough
    empty_planner.rows(96, np.float32)
    assert lines(empty_planner.wisdom) == thorough  # nothing had to be measured anew


def test_equal_plans_have_one_digest_and_other_sizes_another(empty_planner: fftw.Planner) -> None:
    first = empty_planner.learn((64, 96))
    empty_planner.plan(aligned_zeros((3, 2 * 77), np.float32), aligned_zeros((3, 78), np.complex64))
    assert empty_planner.learn((64, 96)) == first  # plans for live sound, learnt meanwhile, are no part of it
    assert empty_planner.learn((64, 100)) != first


@pytest.mark.parametrize("content", ["", "no json", "[1, 2, 3]", '["a", "b", "c"]', '["ü", "", "∞"]'])
def test_damaged_wisdom_is_passed_over(content: str, empty_planner: fftw.Planner) -> None:
    empty_planner._path.parent.mkdir(parents=True, exist_ok=True)
    empty_planner._path.write_text(content, encoding="utf-8")
    fftw.Planner(empty_planner._module)
