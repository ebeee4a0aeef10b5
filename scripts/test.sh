#!/usr/bin/env bash
# Install what the tests need, then run ruff, mypy --strict, pytest and the conformance checks. Extra arguments go to
# pytest, with which it then ends.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
prepare_environment full dev
# Sound servers that need no sound card, for the live tests; what needs this or what follows is skipped, with the reason,
# where it cannot be had.
if ! { command -v jackd && command -v pactl && ldconfig -p | grep -q libportaudio; } >/dev/null 2>&1; then
    system_packages libportaudio2 jackd2 pulseaudio pulseaudio-utils libasound2-plugins || true
fi
# A browser, for the studio's test.
command -v chromium >/dev/null && command -v chromedriver >/dev/null || system_packages chromium chromium-driver || true
# Other convolvers, to hold exports to.
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
# Every promise measured anew, against the page that tells them.
"$PYTHON" scripts/conformance.py --check
