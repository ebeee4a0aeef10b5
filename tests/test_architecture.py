"""Imports run one way only: every module under reverb/ is parsed, and each import held to its layer."""

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

import reverb
from tests.conftest import ROOT

# A package may import what stands on lower layers, and what stands beside it only where that is said.
LAYERS: dict[str, float] = {
    "errors": 0,
    "arrays": 0,
    "levels": 0,
    "mailbox": 0,
    "once": 0,
    "cache": 0,
    "checks": 0,
    "choices": 0,
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
# Imports upward, each inside a function: a value by its name or path, and values that show themselves in a
# figure or a notebook.
UPWARD = {
    ("effects/reverb.py", "reverb.store.library"),
    ("effects/effect.py", "reverb.plots.effects"),
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
    "reverb.mailbox",
    "reverb.once",
    "reverb.cache",
    "reverb.checks",
}
MODULES = sorted((ROOT / "reverb").rglob("*.py"))
HOME = reverb._HOME
"""Where each public name of the package is loaded from."""


def _unit(path: Path) -> str:
    """The package or module directly under reverb/ to which a file belongs; empty for reverb itself."""
    inside = path.relative_to(ROOT / "reverb")
    return (
        ""
        if inside.name in ("__init__.py", "__main__.py", "__distribution__.py") and len(inside.parts) == 1
        else inside.parts[0].removesuffix(".py")
    )


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield every imported module with its line: at the top, in functions, for types alone, and named by a string."""
    tree = ast.parse(path.read_text())
    prose = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import; imports are absolute here"
            yield from ((node.lineno, module) for module in _named(node))
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "reverb" and node.attr in HOME:
            yield node.lineno, HOME[node.attr]  # `import reverb`, then `reverb.Reverb`
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose:
            yield from ((node.lineno, module) for module in _named_in_text(node.value))


def _named(node: ast.ImportFrom) -> Iterator[str]:
    """Yield the modules of a `from ... import ...`: the one named, or those whose names follow `import`."""
    module = node.module or ""
    for alias in node.names:
        if module == "reverb" and alias.name in HOME:
            yield HOME[alias.name]
        elif module == "reverb" or (module.startswith("reverb.") and _exists(f"{module}.{alias.name}")):
            yield f"{module}.{alias.name}"
        else:
            yield module


def _named_in_text(text: str) -> Iterator[str]:
    """Yield the modules that a string names: for import_module, in a registry, or in code for another process."""
    if text == "reverb.":
        yield "reverb.?"  # an f-string that computes the layer, which nobody can check
    whole = re.fullmatch(r"(reverb(?:\.\w+)+)\.?(?::\w+)?", text)  # an f-string's text may end in a dot
    for name in whole.groups() if whole else re.findall(r"\b(?:from|import) (reverb(?:\.\w+)+)", text):
        if _exists(name):
            yield name


def _docstrings(tree: ast.Module) -> set[ast.expr]:
    """Return the strings that are statements: docstrings, and descriptions of constants."""
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _exists(name: str) -> bool:
    """Return whether a dotted name is a module or package of this tree."""
    place = ROOT.joinpath(*name.split("."))
    return place.is_dir() or place.with_suffix(".py").is_file()


def _wrong(path: Path) -> Iterator[str]:
    unit = _unit(path)
    for line, module in _imports(path):
        top, _, rest = module.partition(".")
        where = f"{path.relative_to(ROOT)}:{line} imports {module}"
        if top == "reverb":
            other = rest.partition(".")[0]
            if other in ("", unit) or (other not in LAYERS and other != "?"):
                continue  # __version__ and __distribution__, which every module may ask for
            if (str(path.relative_to(ROOT / "reverb")), module) in UPWARD:
                continue
            if other == "?":
                yield f"{path.relative_to(ROOT)}:{line} imports from a layer that is known at run time only"
            elif LAYERS[other] >= LAYERS[unit] and (unit, other) not in BESIDE:
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


def test_no_circle_of_imports() -> None:
    """Modules that import each other at their tops load in some orders only."""
    assert _circles(MODULES, _imported_at_the_top) == []


def _imported_at_the_top(path: Path) -> Iterator[str]:
    yield from _at_the_top(ast.parse(path.read_text()).body)


def _at_the_top(statements: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield the modules that these statements need while a module loads."""
    for node in statements:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from _named(node)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _at_the_top(node.orelse)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ClassDef):
            inner = [statement for statement in ast.iter_child_nodes(node) if isinstance(statement, ast.stmt)]
            handlers = node.handlers if isinstance(node, ast.Try) else []
            yield from _at_the_top([*inner, *(statement for one in handlers for statement in one.body)])


def _circles(paths: Iterable[Path], imported: Callable[[Path], Iterable[str]]) -> list[list[str]]:
    """Return the groups of modules that reach each other; reverb itself loads its names late and is left out."""
    needs = {name: set(imported(path)) for path in paths if (name := _dotted(path)) != "reverb"}
    reached: dict[str, set[str]] = {}
    for name in needs:
        reached[name], waiting = set(), [name]
        while waiting:
            new = needs.get(waiting.pop(), set()) - reached[name]
            reached[name] |= new
            waiting += new
    circles = {
        frozenset(other for other in reached[name] if name in reached.get(other, ()))
        for name in needs
        if name in reached[name]
    }
    return sorted(sorted(circle) for circle in circles)


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize(
    "source",
    [
        "from reverb.cli.app import cli",
        "from reverb.cli import app",
        "import reverb.cli.app",
        "from reverb import render",
        "from reverb import process_file",
        "from reverb import Reverb as Room",
        "import reverb; reverb.process_file",
        "import_module('reverb.render.files')",
        "importlib.import_module(f'reverb.render.{name}')",
        "__import__('reverb.render')",
        "__import__(f'reverb.{layer}.files')",
        "REGISTRY = {'plots': 'reverb.plots.effects'}",
        "REGISTRY = ['reverb.plots.effects:show']",
        "CODE = 'from reverb.render.batch.processes import main; main()'",
        "def f(): from reverb.cli import app",
        "if TYPE_CHECKING: from reverb import Reverb",
        "import click",
        "def f(): import soxr",
    ],
)
def test_the_check_notices(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ROOT / "reverb" / "engine" / "routing.py"
    monkeypatch.setattr(Path, "read_text", lambda _self: source)
    assert len(list(_wrong(path))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from reverb import __distribution__",
        "from reverb.engine import fft",
        "from reverb import ParameterError, OverlapAdd",
        "'reverb.render.files'  # a docstring",
        "KEY = 'reverb.steps'",
    ],
)
def test_the_check_passes(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = ROOT / "reverb" / "engine" / "routing.py"
    monkeypatch.setattr(Path, "read_text", lambda _self: source)
    assert list(_wrong(path)) == []


def test_the_check_for_circles_notices(monkeypatch: pytest.MonkeyPatch) -> None:
    sources = {
        "routing.py": "from reverb.engine import fft",
        "fft.py": "try:\n    import reverb.engine.machine\nexcept ImportError:\n    pass",
        "machine.py": "from reverb.engine.routing import Routing\ndef f():\n    import reverb.errors",
        "errors.py": "if TYPE_CHECKING:\n    from reverb.engine import machine",
    }
    paths = [ROOT / "reverb" / ("" if name == "errors.py" else "engine") / name for name in sources]
    monkeypatch.setattr(Path, "read_text", lambda self: sources[self.name])
    assert _circles(paths, _imported_at_the_top) == [
        ["reverb.engine.fft", "reverb.engine.machine", "reverb.engine.routing"]
    ]
