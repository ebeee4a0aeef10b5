"""No text installs the `reverb` of another project, and every text about an extra uses one constant."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from reverb import errors
from reverb.__distribution__ import NAME, install_command
from tests.conftest import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
FOLDERS = ("reverb", "docs", "scripts", "examples", "impulses", "presets", ".ci")
REGISTRY_NAME = r"""['"]?reverb(?![\w/-]|\.\w)"""
SAME_COMMAND = r"[^\n`;|&#]*"
FOREIGN = re.compile(
    rf"""
      \b(?:pip[\d.]*|pipx|uv|poetry|pdm|conda|mamba)\b {SAME_COMMAND}
        \b(?:install|add|inject|download|wheel|upgrade)\s (?:{SAME_COMMAND}\s)? {REGISTRY_NAME}
    | \b(?:easy_install|uvx|pipx\ run|uv\ tool\ run)\s
        (?!{SAME_COMMAND}--(?:spec|from)\b) (?:{SAME_COMMAND}\s)? {REGISTRY_NAME}
    | (?<![\w.$/-])reverb\[
    | (?:^|["'])reverb\s*(?:[<>=!~]=|[<>@])
    """,
    re.VERBOSE | re.MULTILINE,
)


def _foreign(text: str) -> list[str]:
    return [match[0] for match in FOREIGN.finditer(text.replace("\\\n", " "))]


def _texts() -> dict[Path, str]:
    files = [path for path in ROOT.iterdir() if path.is_file()]
    files += [path for name in FOLDERS for path in (ROOT / name).rglob("*") if path.is_file()]
    texts = {}
    for path in files:
        try:
            texts[path.relative_to(ROOT)] = path.read_text("utf-8")
        except UnicodeDecodeError:  # sound, pictures, compiled code
            continue
    return texts


@pytest.mark.parametrize(
    "text",
    [
        "pip install reverb",
        "`pip install reverb`.",
        "pip install 'reverb[plot]'",
        'pip install "reverb[fftw,plot]>=0.1"',
        "pip3 install -U reverb",
        "python -m pip install --upgrade reverb, then go on",
        "pip install numpy reverb scipy",
        "pip install \\\n    reverb",
        "pip install reverb==0.1.0",
        "pip download --no-deps reverb",
        "pipx install reverb",
        "pipx install 'reverb[full]'",
        "pipx run reverb apply in.wav out.wav",
        "pipx inject tools reverb",
        "uv add reverb",
        "uv pip install --python 3.12 reverb",
        "uv tool install reverb",
        "uvx reverb apply in.wav out.wav",
        "poetry add reverb",
        "pdm add reverb",
        "conda install -c conda-forge reverb",
        "easy_install reverb",
        'dependencies = ["numpy>=2.0", "reverb>=0.1"]',
        "reverb==0.1.0\nnumpy\n",
        '"reverb @ git+ssh://somewhere"',
        'full = ["reverb[fftw]"]',
        "install reverb[$extra] first",
    ],
)
def test_each_way_to_install_the_wrong_one_would_be_found(text: str) -> None:
    assert _foreign(text)


@pytest.mark.parametrize(
    "text",
    [
        "pip install .",
        "pip install '.[full]'",
        "pip install reverb-audio",
        "pip install 'reverb-audio[plot]'",
        "pip install dist/reverb_audio-0.1.0-py3-none-any.whl",
        "pip install ./reverb",
        "pipx run --spec . reverb apply in.wav out.wav",
        "uvx --from . reverb apply in.wav out.wav",
        "pip uninstall reverb",
        "`pip install .` gives the command `reverb`",
        "pip install '.[studio]'    # in the source folder\nreverb studio",
        "import reverb; reverb.impulse('hall')",
        "python -m reverb",
    ],
)
def test_what_is_right_is_not_found(text: str) -> None:
    assert not _foreign(text)


def test_no_text_installs_the_wrong_one() -> None:
    texts = _texts()
    read = {path.as_posix() for path in texts}
    assert read >= {
        "README.md",
        "CHANGELOG.md",
        "pyproject.toml",
        "docs/tutorial.md",
        "reverb/cli/machine.py",
    }
    assert read >= {
        "scripts/environment.sh",
        "examples/README.md",
        "impulses/README.md",
        "presets/radio.toml",
    }
    assert {str(path): found for path, text in texts.items() if (found := _foreign(text))} == {}


def test_the_name_is_one() -> None:
    top = (ROOT / "reverb" / "__init__.py").read_text("utf-8")
    assert re.findall(r'^__distribution__ = "(.+?)"', top, re.MULTILINE) == [NAME] == [PROJECT["name"]]


@pytest.mark.parametrize(("published", "what"), [(False, "."), (True, "reverb-audio")])
def test_one_constant_switches_every_hint(
    published: bool, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reverb.__distribution__.PUBLISHED", published)
    assert install_command() == f"pip install {what}"
    assert install_command("plot") == f"pip install '{what}[plot]'"
    said = str(errors.missing_extra("plot", "pictures need matplotlib"))
    where = "" if published else " in the source folder"
    assert said == f"pictures need matplotlib; install it with: pip install '{what}[plot]'{where}"


def test_pages_install_as_the_constant_says() -> None:
    found = [
        (path, command)
        for path, text in _texts().items()
        if path.suffix == ".md"
        for command in re.findall(r"pip install '[^'\n]+'", text)
    ]
    assert len(found) >= 5
    wrong = [
        (path, command)
        for path, command in found
        if command != install_command(command.partition("[")[2].rstrip("]'"))
    ]
    assert wrong == []


def test_messages_come_from_one_place_and_name_extras_there_are() -> None:
    named = []
    for path in sorted((ROOT / "reverb").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "missing_extra":
                named.append(ast.literal_eval(node.args[0]))
            elif isinstance(node, ast.Constant) and "pip install" in str(node.value):
                of_another_library = path.name == "cards.py"
                assert of_another_library or path.name in ("__distribution__.py", "errors.py"), path
    assert set(named) == {"cluster", "fftw", "live", "midi", "plot", "rooms", "sofa", "studio"}
    assert set(named) <= set(PROJECT["optional-dependencies"])
