"""The user's cache folder: content comes back whole, and a folder that fails costs only the content."""

from pathlib import Path

from reverb import cache


def test_content_comes_back_and_damage_is_passed_over(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "content.json"
    assert cache.read_cache(place) is None
    assert cache.write_cache(place, {"a": [1, 2.5]})
    assert cache.read_cache(place) == {"a": [1, 2.5]}
    assert [path.name for path in place.parent.iterdir()] == ["content.json"]
    place.write_text("{")
    assert cache.read_cache(place) is None


def test_an_unwritable_cache_only_costs_the_wisdom(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way of a folder")
    assert not cache.write_cache(blocked / "sub" / "wisdom.json", [])
    assert cache.read_cache(blocked / "sub" / "wisdom.json") is None
