"""Imports run one way only: every module under reverb/ is parsed, and each import held to its layer."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

# A package may import what stands on lower layers, and what stands beside it only where that is said.
LAYERS: dict[str, float] = {
    "errors": 0,
    "arrays": 0,
    "levels": 0,
    "once": 0,
    "cache": 0,
    "checks": 0,
    "audiofiles": 0,
    "engine": 1,
    "responses": 2,
    "effects": 2,
    "store": 2.5,
    "render": 3,
    "live": 3,
    "cli": 4,
    "plots": 4,
    "monitor": 4,
    "studio": 4,
}
BESIDE = {
    ("arrays", "errors"),
    ("audiofiles", "errors"),
    ("audiofiles", "checks"),
    ("checks", "errors"),
    ("audiofiles", "arrays"),
    ("audiofiles", "levels"),
    ("audiofiles", "once"),
    ("effects", "responses"),
    ("cli", "plots"),
    ("cli", "monitor"),
    ("cli", "studio"),
    ("studio", "plots"),
    ("monitor", "plots"),
}
# Imports upward, each inside a function: a value by its name or path, and a response that shows itself in a notebook.
UPWARD = {
    ("effects/reverb.py", "reverb.store.library"),
    ("responses/response.py", "reverb.plots.notebook"),
}
# Outside libraries that only some may import; all others may be imported anywhere.
OUTSIDE = {
    "click": {"cli"},
    "rich": {"cli", "monitor"},
    "distributed": {"render"},
    "fsspec": {"render"},
    "matplotlib": {"plots"},
    "textual": {"monitor"},
    "starlette": {"studio"},
    "uvicorn": {"studio"},
    "anyio": {"studio"},
    "sounddevice": {"live"},
    "soundfile": {"audiofiles", "render", "store", "live", "plots", "studio"},
    "soxr": {"responses", "live"},
    "pyfftw": {"engine"},
    "pyloudnorm": set(),
    "pyroomacoustics": {"responses"},
}
# platformdirs says where FFTW's wisdom is kept.
ENGINE_MAY_IMPORT = {
    "numpy",
    "scipy",
    "pyfftw",
    "platformdirs",
    "reverb.engine",
    "reverb.__distribution__",
    "reverb.errors",
    "reverb.arrays",
    "reverb.once",
    "reverb.cache",
    "reverb.checks",
}
MODULES = sorted((ROOT / "reverb").rglob("*.py"))


def _unit(path: Path) -> str:
    """The package or module directly under reverb/ to which a file belongs; empty for reverb itself."""
    inside = path.relative_to(ROOT / "reverb")
    return (
        ""
        if inside.name in ("__init__.py", "__main__.py", "__distribution__.py") and len(inside.parts) == 1
        else inside.parts[0].removesuffix(".py")
    )


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every imported module with its line, lazy imports and those for types alone included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import; imports are absolute here"
            module = node.module or ""
            # `from reverb import levels` names a module, `from reverb.levels import to_db` what is in one.
            yield from (
                (node.lineno, f"reverb.{alias.name}" if module == "reverb" else module)
                for alias in node.names
            )


def _wrong(path: Path) -> Iterator[str]:
    unit = _unit(path)
    for line, module in _imports(path):
        top, _, rest = module.partition(".")
        where = f"{path.relative_to(ROOT)}:{line} imports {module}"
        if top == "reverb":
            other = rest.partition(".")[0]
            if other in ("", unit) or other not in LAYERS:
                continue  # the package's own public names, which are lazy
            if (str(path.relative_to(ROOT / "reverb")), module) in UPWARD:
                continue
            if LAYERS[other] >= LAYERS[unit] and (unit, other) not in BESIDE:
                yield f"{where}: layer {LAYERS[unit]} may not import layer {LAYERS[other]}"
        elif top in OUTSIDE and unit not in OUTSIDE[top]:
            yield f"{where}: only {sorted(OUTSIDE[top])} may"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if _unit(path)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_every_module_imports_downwards_only(path: Path) -> None:
    assert _unit(path) in LAYERS, (
        f"reverb/{_unit(path)} has no layer yet; add it to LAYERS and docs/architecture.md"
    )
    assert list(_wrong(path)) == []


def test_the_engine_knows_arrays_only() -> None:
    for path in (ROOT / "reverb" / "engine").rglob("*.py"):
        for line, module in _imports(path):
            allowed = module.split(".")[0] in sys.stdlib_module_names or any(
                module == name or module.startswith(f"{name}.") for name in ENGINE_MAY_IMPORT
            )
            assert allowed, f"{path.relative_to(ROOT)}:{line} imports {module}"
            assert not module.startswith("scipy.signal"), f"{path.relative_to(ROOT)}:{line}: costs a second"


@pytest.mark.parametrize(
    "library", ["scipy.signal", "soxr", "sounddevice", "matplotlib", "textual", "starlette", "uvicorn"]
)
def test_heavy_libraries_are_imported_inside_functions(library: str) -> None:
    for path in MODULES:
        if _unit(path) in ("monitor", "studio"):
            continue  # imported as a whole when it is asked for
        for node in ast.parse(path.read_text()).body:
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            for name in names:
                assert not f"{name}.".startswith(f"{library}."), f"{path.relative_to(ROOT)}:{node.lineno}"


def test_the_check_would_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    source = "from reverb.cli.app import cli\nimport click\nfrom reverb import render\n\ndef f():\n    import soxr\n"
    bad = ROOT / "reverb" / "engine" / "routing.py"
    monkeypatch.setattr(Path, "read_text", lambda self: source if self == bad else "")
    assert len(list(_wrong(bad))) == 4
