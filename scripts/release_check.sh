#!/usr/bin/env bash
# Check a release: build wheel and sdist, check their contents, install each into a clean environment, and use it there, outside
# the source folder. Nothing is published.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
prepare_environment full dev
base=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$PYTHON" -m build --quiet --outdir "$work/dist" .
"$PYTHON" scripts/check_contents.py "$work"/dist/*.whl "$work"/dist/*.tar.gz

for package in "$work"/dist/*.whl "$work"/dist/*.tar.gz; do
    echo "== $(basename "$package"): a clean environment"
    rm -rf "$work/venv" && "$PYTHON" -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$package"
    mkdir -p "$work/away" && cd "$work/away"
    unset PYTHONPATH
    reverb=$work/venv/bin/reverb
    "$work/venv/bin/python" - <<'PYTHON'
import pathlib, sys, numpy as np, reverb, soundfile
assert pathlib.Path(reverb.__file__).is_relative_to(sys.prefix), reverb.__file__
soundfile.write("in.wav", np.random.default_rng(0).uniform(-0.1, 0.1, (24_000, 2)), 48_000)
assert reverb.process_file("in.wav", "python.wav", reverb.Reverb("hall"), overwrite=True).frames > 24_000
PYTHON
    test "$("$reverb" --version)" = "$("$work/venv/bin/python" -m reverb --version)"
    "$reverb" --version
    "$reverb" apply in.wav church.wav --ir church --force --quiet
    "$reverb" chain vocal-plate in.wav plate.wav --force --quiet
    "$reverb" ir list --json >/dev/null
    "$reverb" live 2>&1 | head -1 || true # without a sound card: one line, no traceback
    _REVERB_COMPLETE=bash_source "$reverb" | grep -q complete
    cd "$base"
done

echo "== pipx run"
"$PYTHON" -m venv "$work/pipx" && "$work/pipx/bin/pip" install --quiet --disable-pip-version-check pipx
(
    cd "$work/away"
    export PIPX_HOME=$work/pipx-home PIPX_BIN_DIR=$work/pipx-bin # leave nothing on the machine
    "$work/pipx/bin/pipx" run --spec "$work"/dist/*.whl reverb apply in.wav pipx.wav --ir church --quiet
    cmp church.wav pipx.wav
)

echo "== the suite's quick part, against the installed wheel"
rm -rf "$work/venv" && "$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "$(ls "$work"/dist/*.whl)[full]" pytest hypothesis pyloudnorm
mkdir "$work/suite" && cp -r tests examples presets docs pyproject.toml "$work/suite/"
(cd "$work/suite" && "$work/venv/bin/python" -m pytest -q -p no:cacheprovider tests/effects tests/cli/test_app.py tests/cli/test_apply.py "$@")
echo "release check passed"
