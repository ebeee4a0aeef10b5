"""Every effect of the package is available in presets, on the command line, and in the manual."""

import ast
from pathlib import Path

import pytest

import reverb
from reverb.store.preset_steps import STEPS
from tests.conftest import ROOT
from tests.effects.kinds import concrete_effects

NAMES = [kind.__name__ for kind in concrete_effects()]

# Effects that presets or commands do not offer, with the reason or the substitute.
NOT_IN_PRESETS = {
    "Band": "made by the step crossover",
    "Leveled": "the key `level` of a preset",
}
NOT_IN_COMMANDS = {
    "Chain": "`reverb chain` takes presets",
    "Parallel": "`reverb chain` takes presets",
    "Gain": "the option --gain of every command",
    "Curve": "`reverb filter eq`, which loads it from a file",
    "Delay": "the option --predelay; alone in presets",
    "Echoes": "presets, as it has a tempo",
    "MidSide": "presets, as it contains steps",
    "Width": "the option --width of `apply` and `ir edit`",
    "Leveled": "the options --loudness and --match-loudness",
}


def _names(*paths: Path) -> set[str]:
    """Names used or imported, and texts, in the code of some modules."""
    found = set[str]()
    for node in (node for path in paths for node in ast.walk(ast.parse(path.read_text()))):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
        elif isinstance(node, ast.alias) and "cli" in paths[0].parts:
            found.add(node.name)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_effect_is_public_and_has_its_places(name: str) -> None:
    assert name in reverb.__all__  # and so in the reference of the manual
    steps = ROOT / "reverb" / "store" / "preset_steps.py"
    commands = sorted((ROOT / "reverb" / "cli").glob("*.py"))
    assert (name in _names(steps)) or name in NOT_IN_PRESETS
    assert (name in _names(*commands)) or name in NOT_IN_COMMANDS


def test_the_manual_names_every_step_of_presets() -> None:
    page = (ROOT / "docs" / "presets.md").read_text()
    assert [step for step in STEPS if f"`{step}`" not in page and f'"{step}"' not in page] == []


def test_there_are_effects() -> None:
    assert {"LowPass", "Reverb", "MidSide"} <= set(NAMES)
