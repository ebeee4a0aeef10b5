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

# Tell which installation a Python belongs to: a virtual environment's own is that which made it.
installation() {
    "$1" -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null
}

# Set BASE to the Python that environments are made with: BASE_PYTHON, or python3.
find_base() {
    BASE=${BASE_PYTHON:-python3}
    command -v "$BASE" >/dev/null || [ -n "${BASE_PYTHON:-}" ] || system_packages python3 python3-venv || true
    command -v "$BASE" >/dev/null || { echo "no $BASE here; Python 3.11 or newer is needed: apt-get install python3 python3-venv" >&2; exit 1; }
    "$BASE" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { echo "Python 3.11 or newer is needed; $BASE is $("$BASE" -V 2>&1)" >&2; exit 1; }
}

# prepare_environment EXTRAS: make .venv and install this package, editable, with some of its extras. One that does not
# work any more, or was made by another Python than BASE_PYTHON asks for, is made anew.
prepare_environment() {
    local extra=$1 stamp wanted
    PYTHON=.venv/bin/python
    if ! "$PYTHON" -c 'import pip' 2>/dev/null ||
        { [ -n "${BASE_PYTHON:-}" ] && [ "$(installation "$PYTHON")" != "$(installation "$BASE_PYTHON")" ]; }; then
        find_base
        # Debian keeps what makes environments apart, in a package for each Python.
        "$BASE" -c 'import ensurepip' 2>/dev/null ||
            system_packages "$("$BASE" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
        "$BASE" -m venv --clear .venv
    fi
    stamp=.venv/installed-$extra
    wanted=$(sha256sum pyproject.toml)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        echo "installing this package with its extra $extra into .venv (once) ..."
        "$PYTHON" -m pip install --quiet --disable-pip-version-check --editable ".[$extra]"
        echo "$wanted" >"$stamp"
    fi
}
