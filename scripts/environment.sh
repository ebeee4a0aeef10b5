# Sourced by the other scripts: one virtual environment in .venv, made once and reused while pyproject.toml stays the same.

# Install Debian packages if apt-get and root are there; say what is missing otherwise.
system_packages() {
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 ||
            { apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
    else
        echo "note: could not install $* (no apt-get, or not root); what needs them is left out" >&2
    fi
}

# prepare_environment EXTRA: make .venv and install this package, editable, with one of its extras.
prepare_environment() {
    local extra=$1 stamp wanted
    PYTHON=.venv/bin/python
    if ! [ -x "$PYTHON" ]; then
        local base=${BASE_PYTHON:-python3}
        command -v "$base" >/dev/null || { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv" >&2; exit 1; }
        "$base" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
            { echo "Python 3.11 or newer is needed; $base is $("$base" -V)" >&2; exit 1; }
        "$base" -c 'import ensurepip' 2>/dev/null || system_packages python3-venv
        "$base" -m venv .venv
    fi
    stamp=.venv/installed-$extra
    wanted=$(sha256sum pyproject.toml)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        echo "installing this package with its extra $extra into .venv (once) ..."
        "$PYTHON" -m pip install --quiet --disable-pip-version-check --editable ".[$extra]"
        echo "$wanted" >"$stamp"
    fi
}
