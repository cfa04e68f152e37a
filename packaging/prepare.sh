#!/bin/sh
# Prepares a checkout for `make demo`, `make check` and `make test`: the system's packages
# that Python's cannot bring, and a virtual environment in .venv.
set -eu
cd "$(dirname "$0")/.."

# unixodbc        libodbc.so.2, which pyodbc's wheel links, and libltdl.so.7
# libgssapi-krb5-2  which Microsoft's ODBC Driver 18 links
# tdsodbc         FreeTDS, the second driver
packages="python3-venv unixodbc libgssapi-krb5-2 tdsodbc"

missing=""
for package in $packages; do
    status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done

if [ -n "$missing" ]; then
    install="apt-get update && apt-get install --yes --no-install-recommends$missing"
    if [ "$(id -u)" = 0 ]; then
        DEBIAN_FRONTEND=noninteractive sh -c "$install"
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        sudo DEBIAN_FRONTEND=noninteractive sh -c "$install"
    else
        echo "error: these packages are missing:$missing" >&2
        echo "hint: sudo sh -c '$install'" >&2
        exit 1
    fi
fi

[ -x .venv/bin/python ] || python3 -m venv .venv
.venv/bin/python -m pip install --quiet --require-hashes \
    --requirement packaging/requirements-dev.lock
# The build backend comes from the lock too, so that nothing is fetched unpinned.
.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
