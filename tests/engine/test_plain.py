"""The textbook's convolution against the definition, and both engines against the textbook."""

import ast
import inspect
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reverb.engine import plain, routing
from reverb.engine.offline.convolver import OverlapAdd
from reverb.engine.plain import convolve_plainly
from reverb.engine.realtime.convolver import RealtimeConvolver
from tests.conftest import ROOT
from tests.nulls import FLOAT64_BUDGET_DB, null_db
from tests.signals import noise

sizes = st.integers(1, 300)


@given(frames=sizes, taps=sizes, block=st.integers(1, 70))
@settings(max_examples=100, derandomize=True)
def test_the_textbook_is_the_definition(frames: int, taps: int, block: int) -> None:
    x, h = noise(frames, 1, seed=1)[:, 0], noise(taps, 1, seed=2)[:, 0]
    assert null_db(convolve_plainly(x, h, block), np.convolve(x, h)) <= FLOAT64_BUDGET_DB


@pytest.mark.parametrize("taps", [1, 63, 64, 65, 5_000])
def test_both_engines_do_what_the_textbook_does(taps: int) -> None:
    size, x, h = 64, noise(64 * 150, 1, seed=3)[:, 0], noise(taps, 1, seed=4)[:, 0]
    expected = convolve_plainly(x, h, size)
    offline = OverlapAdd(h[None], routing.each(1), dtype=np.float64)
    y = np.concatenate([offline.process(x[:, None]), offline.flush()])[:, 0]
    assert null_db(y, expected) <= FLOAT64_BUDGET_DB
    live, out = RealtimeConvolver(h[None], routing.each(1), size, np.float64), np.empty((1, size))
    blocks = []
    for block in x.reshape(-1, 1, size):
        live.process(block, out)
        blocks.append(out[0].copy())
    assert null_db(np.concatenate(blocks), expected[: len(x)]) <= FLOAT64_BUDGET_DB


def test_the_page_on_partitions_shows_this_code() -> None:
    page = (ROOT / "docs" / "theory-partitions.md").read_text(encoding="utf-8")
    shown = re.search(r"^def convolve_plainly.*?(?=\n\n\nx, h)", page, re.DOTALL | re.MULTILINE)
    assert shown is not None
    code = ast.parse(inspect.getsource(plain))
    code.body = [node for node in code.body if isinstance(node, ast.FunctionDef)]
    for function in code.body:
        assert isinstance(function, ast.FunctionDef)
        function.returns = None
        for argument in function.args.args:
            argument.annotation = None
        if ast.get_docstring(function):
            del function.body[0]
    assert ast.unparse(ast.parse(shown[0])) == ast.unparse(code)
