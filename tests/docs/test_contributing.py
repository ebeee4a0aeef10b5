"""The pages for contributors: every file they name exists, and the tools they describe are set up."""

import re
import tomllib

import pytest
import yaml

import reverb
from tests.conftest import ROOT

PAGES = ("CONTRIBUTING.md", "SECURITY.md", "docs/architecture.md")
PATH = re.compile(r"(?:reverb|tests|scripts|docs|examples|impulses|presets)/[\w./-]*[\w/]")
MODULE = re.compile(r"`(reverb(?:\.[a-z_]\w*)+)`")
GROUPS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]


@pytest.mark.parametrize("name", PAGES)
def test_every_file_and_module_named_exists(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    code = "\n".join(re.findall(r"`[^`\n]+`|^ {4}.+$", text, re.MULTILINE))
    paths = {path for path in PATH.findall(code) if "NAME" not in path}
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
    assert [module for module in sorted(set(MODULE.findall(text))) if not _exists(module)] == []


def _exists(address: str) -> bool:
    """Return whether a dotted address is a public name, or a module, function or class below the package."""
    if address.removeprefix("reverb.") in reverb.__all__:
        return True
    path = ROOT.joinpath(*address.split("."))
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    source = path.parent.with_suffix(".py")
    source = source if source.is_file() else path.parent / "__init__.py"
    return source.is_file() and re.search(rf"\b{path.name}\b", source.read_text("utf-8")) is not None


def test_the_test_would_find_a_wrong_name() -> None:
    assert not _exists("reverb.nothing")
    assert not _exists("reverb.effects.nothing")
    assert _exists("reverb.effects.effect.Chain")
    assert PATH.findall("`reverb/nothing.py`") == ["reverb/nothing.py"]


def test_the_layer_table_names_every_package() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = re.findall(r"^\| \d [\w ]+ \| (.+?) \|", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    packages = {path.parent.name for path in (ROOT / "reverb").glob("*/__init__.py")}
    assert named >= packages
    assert all(
        (ROOT / "reverb" / name).is_dir() or (ROOT / "reverb" / f"{name}.py").is_file() for name in named
    )


def test_the_hooks_before_a_commit_run_tools_of_the_development_group() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0]["hooks"]
    assert [hook["entry"].split()[2] for hook in hooks] == ["ruff", "ruff", "mypy"]
    installed = {re.split(r"[^\w-]", requirement)[0] for requirement in GROUPS["dev"]}
    assert {"ruff", "mypy", "pytest"} <= installed


def test_the_scripts_install_groups_that_exist() -> None:
    used = set()
    for script in (ROOT / "scripts").glob("*.sh"):
        text = script.read_text("utf-8")
        used |= set(re.findall(r"^prepare_environment \S+ (\w+)$", text, re.MULTILINE))
        used |= set(re.findall(r"--group (\w+)", text))
    assert used == set(GROUPS) == {"dev", "docs"}


def test_the_citation_names_the_license_and_its_holders() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert citation["cff-version"] == "1.2.0"
    assert text.startswith(f"{citation['license']} License")
    assert citation["authors"][0]["name"] in text
    assert set(citation) >= {"message", "title", "authors", "version", "type"}
