#!/bin/sh
# Installs the Debian packages that the tests use. The tests start their own throwaway servers from these and leave
# the system's alone. Every wait is bounded.
set -eu

# The last line is what mysqlclient is compiled with.
set -- mariadb-server redis-server nginx chromium fonts-noto-cjk fonts-noto-color-emoji gettext \
    python3-venv gcc pkg-config python3-dev libmariadb-dev

if ! command -v apt-get >/dev/null; then
    echo "No apt-get here: install these by hand: $*" >&2
    exit 1
fi
missing=
for package do
    case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) missing="$missing $package" ;;
    esac
done
if [ -z "$missing" ]; then
    echo "All services are installed."
    exit
fi

sudo=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "Installing packages needs root, and there is no sudo: run make services as root." >&2
        exit 1
    }
    sudo=sudo
fi
apt() {
    $sudo env DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -q -y -o Acquire::Retries=3 \
        -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 -o DPkg::Lock::Timeout=120 "$@"
}
apt update || echo "apt-get update failed; trying with the lists that are here." >&2
# shellcheck disable=SC2086
apt install --no-install-recommends $missing || {
    echo "Couldn't install:$missing" >&2
    exit 1
}
