"""Check the contents of a wheel and an sdist, and print their sizes.

python scripts/check_contents.py dist/*.whl dist/*.tar.gz
"""

import argparse
import tarfile
import zipfile
from pathlib import Path

import reverb
from reverb.__distribution__ import NAME

ROOT = Path(__file__).resolve().parents[1]
NEVER = ("__pycache__", ".part", "demo-output", ".ci/", "tests/", "site/")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("packages", nargs="+", type=Path)
    for package in parser.parse_args().packages:
        names = contents(package)
        missing = [name for name in wanted(package.suffix == ".whl") if name not in names]
        surplus = (
            [name for name in names if any(part in name for part in NEVER)]
            if package.suffix == ".whl"
            else []
        )
        title = f"{NAME.replace('-', '_')}-{reverb.__version__}"
        if missing or surplus or not package.name.startswith(title):
            raise SystemExit(f"{package.name}: missing {missing}, surplus {surplus}, should be {title}")
        print(f"{package.name}: {len(names)} files, {package.stat().st_size / 1e6:.2f} MB")


def contents(package: Path) -> set[str]:
    """Return the paths of all files in a package, relative to its top."""
    if package.suffix == ".whl":
        with zipfile.ZipFile(package) as wheel:
            return set(wheel.namelist())
    with tarfile.open(package) as source:
        return {name.partition("/")[2] for name in source.getnames()}


def wanted(wheel: bool) -> list[str]:
    """Return the required files: entry point, code, type marker, responses, presets, the studio's page."""
    code = [
        path for path in (ROOT / "reverb").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    data = [path for name in ("impulses", "presets") for path in (ROOT / name).iterdir() if path.is_file()]
    names = ["reverb_audio.py", *(path.relative_to(ROOT).as_posix() for path in code)]
    names += [("reverb/" if wheel else "") + path.relative_to(ROOT).as_posix() for path in data]
    return [*names, *([] if wheel else ["pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"])]


if __name__ == "__main__":
    main()
