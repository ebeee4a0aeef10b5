#!/usr/bin/env bash
# Build the documentation site in site/; a broken link or an unknown name is an error. With --serve, show it while you write.
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
