#!/usr/bin/env bash
# Build the documentation site into site/; a broken link or an unknown name stops it. With --serve, show it while writing.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/environment.sh
prepare_environment full docs
"$PYTHON" scripts/draw_figures.py docs/images
export NO_MKDOCS_2_WARNING=1
if [ "${1:-}" = --serve ]; then
    exec "$PYTHON" -m mkdocs serve --strict
fi
exec "$PYTHON" -m mkdocs build --strict --clean "$@"
