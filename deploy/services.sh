#!/bin/sh
# Installs the Debian packages that the tests and the benchmark use, and the npm packages in tests/tools by which they
# judge the pages. They start their own throwaway servers from these and leave the system's alone. Every wait is bounded.
set -eu
cd "$(dirname "$0")/.."

# The last line is what mysqlclient is compiled with.
set -- mariadb-server redis-server nginx libnginx-mod-http-brotli-static brotli wrk chromium \
    prometheus prometheus-alertmanager fonts-noto-cjk fonts-noto-color-emoji gettext systemd openssl \
    python3-venv gcc pkg-config python3-dev libmariadb-dev
# Node.js and Java may have come from elsewhere than Debian; npm then came along with the former.
command -v npm >/dev/null || set -- "$@" nodejs npm
command -v java >/dev/null || set -- "$@" default-jre-headless

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

apt() {
    $sudo env DEBIAN_FRONTEND=noninteractive timeout 900 apt-get -q -y -o Acquire::Retries=3 \
        -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 -o DPkg::Lock::Timeout=120 "$@"
}
if [ -n "$missing" ]; then
    sudo=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || {
            echo "Installing packages needs root, and there is no sudo: run make services as root." >&2
            exit 1
        }
        sudo=sudo
    fi
    apt update || echo "apt-get update failed; trying with the lists that are here." >&2
    # shellcheck disable=SC2086
    apt install --no-install-recommends $missing || {
        echo "Couldn't install:$missing" >&2
        exit 1
    }
fi

# Like .venv, they are installed anew only when what is pinned has changed; none may run scripts of its own meanwhile.
lock=tests/tools/package-lock.json
installed=tests/tools/node_modules/installed.json
if ! cmp -s "$lock" "$installed"; then
    (cd tests/tools && timeout 600 npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || {
        echo "Couldn't install the npm packages of tests/tools: check the network, then run make services again." >&2
        exit 1
    }
    cp "$lock" "$installed"
fi
echo "All services are installed."
