#!/usr/bin/env bash
# Install everything for the tests, then run ruff, mypy --strict, pytest and the conformance checks. With arguments, pytest
# gets them, and the script ends after it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
prepare_environment full dev
# Sound servers that work without a sound card, for the live tests. Tests whose programs cannot be installed are skipped,
# with the reason.
if ! { command -v jackd && command -v pactl && ldconfig -p | grep -q libportaudio; } >/dev/null 2>&1; then
    system_packages libportaudio2 jackd2 pulseaudio pulseaudio-utils libasound2-plugins || true
fi
# A browser, for the test of the studio.
command -v chromium >/dev/null && command -v chromedriver >/dev/null || system_packages chromium chromium-driver || true
# Other convolvers, to test exports.
if ! { command -v fconvolver && command -v brutefir && command -v ffmpeg; } >/dev/null 2>&1; then
    system_packages jconvolver brutefir ffmpeg || true
fi
"$PYTHON" -m ruff format --check .
"$PYTHON" -m ruff check .
"$PYTHON" -m mypy
if [ $# -gt 0 ]; then
    exec "$PYTHON" -m pytest "$@"
fi
"$PYTHON" -m pytest --numprocesses auto --dist loadfile -m "not sound_server and not timing"
# Tests that keep the pace of a sound server or measure time run alone.
"$PYTHON" -m pytest -m "sound_server or timing"
# Measure every promise again, and compare with the page.
"$PYTHON" scripts/conformance.py --check
