#!/usr/bin/env bash
# Set up once, then render a dry recording through two rooms and three filters, with one picture.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
prepare_environment fftw,plot
exec "$PYTHON" scripts/demo.py "$@"
