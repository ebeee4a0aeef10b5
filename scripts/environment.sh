# For the other scripts to source. It keeps one virtual environment, .venv, and reuses it while pyproject.toml is unchanged.

# Install Debian packages where apt-get and root rights exist; otherwise print the packages that are missing.
system_packages() {
    if command -v apt-get >/dev/null && [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null 2>&1 ||
            { apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null; }
    else
        echo "note: could not install $* (no apt-get, or not root); the checks that need them are skipped" >&2
    fi
}

# Print the installation that a Python belongs to; a virtual environment belongs to the one that made it.
installation() {
    "$1" -c 'import sys; print(sys.version, sys.base_prefix)' 2>/dev/null
}

# Set BASE to the Python that makes the environments: BASE_PYTHON, or python3.
find_base() {
    BASE=${BASE_PYTHON:-python3}
    command -v "$BASE" >/dev/null || [ -n "${BASE_PYTHON:-}" ] || system_packages python3 python3-venv || true
    command -v "$BASE" >/dev/null || { echo "no $BASE here; Python 3.11 or newer is needed: apt-get install python3 python3-venv" >&2; exit 1; }
    "$BASE" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { echo "Python 3.11 or newer is needed; $BASE is $("$BASE" -V 2>&1)" >&2; exit 1; }
}

# prepare_environment EXTRAS [GROUP]: make .venv and install this package into it, editable, with these extras and one of
# the dependency groups. An environment that is broken, or belongs to another Python than BASE_PYTHON, is made again.
prepare_environment() {
    local extras=$1 group=${2:-} stamp wanted
    PYTHON=.venv/bin/python
    if ! "$PYTHON" -c 'import pip' 2>/dev/null ||
        { [ -n "${BASE_PYTHON:-}" ] && [ "$(installation "$PYTHON")" != "$(installation "$BASE_PYTHON")" ]; }; then
        find_base
        # Debian keeps the module that makes environments in a package of its own, one for each Python.
        "$BASE" -c 'import ensurepip' 2>/dev/null ||
            system_packages "$("$BASE" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
        "$BASE" -m venv --clear .venv
    fi
    stamp=.venv/installed-$extras${group:+-$group}
    wanted=$(sha256sum pyproject.toml)
    if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
        echo "installing this package into .venv (once), with the extras $extras${group:+ and the group $group} ..."
        # Groups need pip 25.1; the Pythons of Debian 12 bring older ones.
        [ -z "$group" ] || "$PYTHON" -m pip install --quiet --disable-pip-version-check 'pip>=25.1'
        "$PYTHON" -m pip install --quiet --disable-pip-version-check --editable ".[$extras]" ${group:+--group "$group"}
        echo "$wanted" >"$stamp"
    fi
}
