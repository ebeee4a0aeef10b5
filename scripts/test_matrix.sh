#!/usr/bin/env bash
# Test this package with the lowest libraries that pyproject.toml allows and with the newest, with and without FFTW, on
# every installed Python from 3.11 to 3.14, and print a table.
#
#     scripts/test_matrix.sh [--smoke]
#
# One combination (a leg) takes about five minutes. --smoke is the short form: half a minute per leg, and none for the newest
# libraries on the default Python, because scripts/test.sh tests these. Environments are kept in .venv-matrix while
# pyproject.toml is unchanged.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
find_base
MATRIX=.venv-matrix
AT_ONCE=2
SMOKE=
[ "${1:-}" != --smoke ] || SMOKE=yes

QUICK=(tests/test_private_parts.py tests/engine/test_convolve.py tests/live/test_convolver.py tests/effects/design/test_specify.py
    tests/monitor tests/studio/test_settings.py)
WIDE=(tests/test_*.py tests/engine tests/effects tests/live/test_convolver*.py tests/monitor tests/studio tests/responses tests/cli/test_app.py tests/cli/test_apply.py
    tests/render/test_files.py tests/audiofiles/test_packed.py)

# Print the Python of a minor version: from the PATH, or from pyenv.
python_of() {
    local candidate
    for candidate in "python3.$1" ~/.pyenv/versions/3."$1".*/bin/python; do
        if [ "$("$candidate" -c 'import sys; print(sys.version_info[1])' 2>/dev/null)" = "$1" ]; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
}

# Make the environment of a leg in .venv-matrix.
prepare_leg() {
    local place=$MATRIX/$1 base=$2 libraries=$3 wanted
    wanted="$(sha256sum pyproject.toml) $(installation "$base")"
    [ "$(cat "$place/installed" 2>/dev/null)" != "$wanted" ] || return 0
    "$UV" venv --quiet --clear --python "$base" "$place"
    "$UV" pip install --quiet --python "$place" --only-binary :all: --requirements pyproject.toml --extra full --group dev \
        --resolution "$([ "$libraries" = lowest ] && echo lowest-direct || echo highest)"
    "$UV" pip install --quiet --python "$place" --no-deps --editable .
    case $libraries in *"no FFTW") "$UV" pip uninstall --quiet --python "$place" pyfftw ;; esac
    echo "$wanted" >"$place/installed"
}

run_leg() {
    local place=$MATRIX/$1 tests=("${WIDE[@]}")
    [ -z "$SMOKE" ] || tests=("${QUICK[@]}")
    prepare_leg "$@"
    "$place/bin/python" scripts/smoke.py
    "$place/bin/python" -m pytest --quiet -p no:cacheprovider "${tests[@]}"
}

# The legs: a name, a Python, its libraries.
LEGS=()
default=$("$BASE" -c 'import sys; print(sys.version_info[1])')
oldest=
for minor in 11 12 13 14; do
    python=$(python_of $minor)
    [ $minor != "$default" ] || python=$BASE
    [ -n "$python" ] || continue
    [ -n "$oldest" ] || { oldest=$minor; LEGS+=("3.$minor-lowest|$python|lowest"); }
    [ $minor != "$default" ] || LEGS+=("3.$minor-without|$python|newest, no FFTW")
    [ $minor = "$default" ] && [ -n "$SMOKE" ] || LEGS+=("3.$minor-newest|$python|newest")
done

UV=$(command -v uv || true)
if [ -z "$UV" ]; then
    UV=$MATRIX/tools/bin/uv
    [ -x "$UV" ] || { "$BASE" -m venv --clear $MATRIX/tools && $MATRIX/tools/bin/pip install --quiet --disable-pip-version-check uv; }
fi
mkdir -p $MATRIX
for leg in "${LEGS[@]}"; do
    IFS='|' read -r name python libraries <<<"$leg"
    while [ "$(jobs -rp | wc -l)" -ge $AT_ONCE ]; do wait -n || true; done
    (
        set +e
        began=$SECONDS
        (set -e; run_leg "$name" "$python" "$libraries") >"$MATRIX/$name.log" 2>&1
        echo "$? $((SECONDS - began))" >"$MATRIX/$name.result"
    ) &
done
wait

failed=0
for leg in "${LEGS[@]}"; do
    IFS='|' read -r name _ _ <<<"$leg"
    read -r status _ <"$MATRIX/$name.result"
    [ "$status" = 0 ] || { failed=1; echo "== $name"; tail -n 40 "$MATRIX/$name.log"; }
done
printf '\n%-8s %-18s %-28s %8s\n' Python libraries result seconds
for leg in "${LEGS[@]}"; do
    IFS='|' read -r name _ libraries <<<"$leg"
    read -r status seconds <"$MATRIX/$name.result"
    said=$(tail -n 1 "$MATRIX/$name.log" | sed -E 's/ in [0-9.]+s.*//; s/=//g')
    [ "$status" = 0 ] || said="FAILED ($status): $said"
    printf '%-8s %-18s %-28s %8s\n' "${name%-*}" "$libraries" "$said" "$seconds"
done
exit $failed
