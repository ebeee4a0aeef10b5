"""Public names: sorted, complete, loaded on demand, documented. Every example in a docstring runs."""

import ast
import doctest
import importlib
import inspect
import pkgutil
import re
from types import ModuleType

import pytest

import reverb
import reverb.live
from tests.conftest import ROOT

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages([str(ROOT / "reverb")], "reverb.")
    if not module.name.endswith("__main__")
)


def test_all_is_sorted_and_complete() -> None:
    # As ruff sorts __all__: constants, classes, functions.
    kinds = sorted(set(reverb.__all__), key=lambda name: (not name.isupper(), not name[0].isupper(), name))
    assert reverb.__all__ == kinds
    assert set(reverb.__all__) == set(reverb._HOME)


@pytest.mark.parametrize("name", reverb.__all__)
def test_each_name_loads_and_is_documented(name: str) -> None:
    thing = getattr(reverb, name)
    if not (inspect.isclass(thing) or inspect.isfunction(thing)):
        return  # a constant, which its module documents
    assert thing.__name__ == name
    assert thing.__module__ == reverb._HOME[name]
    assert inspect.getdoc(thing)
    for method, value in vars(thing).items() if inspect.isclass(thing) else ():
        if not method.startswith("_") and (callable(value) or isinstance(value, property)):
            assert inspect.getdoc(getattr(thing, method)), f"{name}.{method}"


@pytest.mark.parametrize(
    ("module", "homes"),
    [
        (reverb, reverb._HOME),
        (reverb.live, {n: f"reverb.live.{home}" for n, home in reverb.live._HOMES.items()}),
    ],
)
def test_names_for_type_checkers_are_those_that_load(module: ModuleType, homes: dict[str, str]) -> None:
    """The imports under TYPE_CHECKING, which type checkers see, name what __getattr__ loads."""
    (block,) = (
        node
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    imported = {
        alias.asname or alias.name: node.module
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported == homes
    assert set(module.__all__) == set(homes)


@pytest.mark.parametrize("module", [reverb, reverb.live])
def test_dir_shows_them_and_no_tools_of_the_module(module: ModuleType) -> None:
    assert set(dir(module)) >= {*module.__all__, "__doc__"}
    for name in set(dir(module)) - {*module.__all__}:
        assert re.fullmatch("__.*__", name) or inspect.ismodule(getattr(module, name)), name


def test_other_names_are_unknown() -> None:
    with pytest.raises(AttributeError, match="module 'reverb' has no attribute 'Rverb'"):
        reverb.Rverb  # type: ignore[attr-defined]  # noqa: B018  # the access is the test


def test_every_error_is_of_one_tree() -> None:
    for name in reverb.__all__:
        if name.endswith("Error"):
            assert issubclass(getattr(reverb, name), reverb.ReverbError)


@pytest.mark.parametrize("name", ["reverb", *MODULES])
def test_examples_in_docstrings_run(name: str) -> None:
    try:
        module = importlib.import_module(name)
    except reverb.MissingExtraError as error:
        pytest.skip(str(error))
    failed, _ = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert failed == 0


def test_there_are_examples_to_run() -> None:
    finder = doctest.DocTestFinder(exclude_empty=True)
    count = sum(
        len(test.examples)
        for name in ("reverb", *MODULES)
        for test in finder.find(importlib.import_module(name))
    )
    assert count >= 10


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_is_for(name: str) -> None:
    try:
        assert (importlib.import_module(name).__doc__ or "").strip()
    except reverb.MissingExtraError as error:
        pytest.skip(str(error))


def test_the_old_name_of_an_effect_works_with_a_warning() -> None:
    with pytest.warns(DeprecationWarning, match="Levelled is now Leveled"):
        assert importlib.import_module("reverb").Levelled is reverb.Leveled


@pytest.mark.parametrize("module", ["reverb", "reverb.store.eq_files"])
def test_the_old_spelling_works_with_a_warning(module: str) -> None:
    with pytest.warns(DeprecationWarning, match="load_equaliser is now load_equalizer"):
        assert importlib.import_module(module).load_equaliser is reverb.load_equalizer
