#!/bin/sh
# Makes .venv ready for the named sets of requirements: bootstrap.sh base | dev prod-if-possible.
# Each set is installed only when its .txt differs from what was installed last. Whatever fails ends in one line that
# says what to do.
set -eu
cd "$(dirname "$0")/.."
venv_python=.venv/bin/python
log=.venv/install.log

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# A command may exist and still not run (the shims of pyenv), or run and lack the module that puts pip into a new
# environment (Debian without python3-venv): only what answers counts.
find_python() {
    older=
    bare=
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.14 python3.13 python3.12 python3.11 python3 python
    fi
    for python do
        answer=$("$python" -c 'import sys
from importlib.util import find_spec
print("%d.%d %s" % (sys.version_info[0], sys.version_info[1], "whole" if find_spec("ensurepip") else "bare"))' \
            2>/dev/null) || continue
        version=${answer%% *}
        case $answer in
            2.* | 3.[0-9] | 3.[0-9]\ * | 3.10 | 3.10\ *) older=${older:-"$python is Python $version"} ;;
            *bare) bare=${bare:-$version} ;;
            *whole) return ;;
        esac
    done
    [ -z "$bare" ] || fail "Python $bare is here without its venv module: install that (Debian, Ubuntu: apt install python$bare-venv), then run make again."
    found=${older:-${PYTHON:+$PYTHON does not run}}
    fail "Python 3.11 or newer is needed, and ${found:-none was found}: install one, or name it: make run PYTHON=/path/to/python3"
}

make_venv() {
    [ -e .venv/half-made ] || ! "$venv_python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || return 0
    find_python
    rm -rf .venv 2>/dev/null || fail "Can't replace the broken .venv in $PWD: remove it, then run make again."
    { mkdir .venv && : >.venv/half-made; } 2>/dev/null || fail "Can't write to $PWD: make the folder writable, or clone into one that is."
    echo "Making .venv with Python $version."
    "$python" -m venv .venv >"$log" 2>&1 || fail "Python $version can't make a virtual environment ($(tail -n 1 "$log")): install its venv module and look for a full disk, then run make again."
    rm .venv/half-made
}

install() {
    [ -w .venv ] || fail "Can't write to $PWD/.venv: give it to the user who runs make, or remove it."
    echo "Installing requirements/$1.txt into .venv: once, until it changes."
    "$venv_python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "requirements/$1.txt" >"$log" 2>&1 &&
        cp "requirements/$1.txt" ".venv/$1.installed"
}

# Why it could not be installed, and what to do.
reason() {
    # Nothing else of the requirements is made from source.
    if grep -q mysqlclient "$log" && grep -qE 'subprocess-exited-with-error|Failed building wheel' "$log"; then
        echo "(mysqlclient can't be compiled): install what that takes (on Debian apt install gcc pkg-config python3-dev libmariadb-dev)"
    else
        echo "($(grep -i '^error' "$log" | tail -n 1)): check the network and the package index"
    fi
}

installed() {
    cmp -s "requirements/$1.txt" ".venv/$1.installed"
}

make_venv
for wanted do
    set_name=${wanted%-if-possible}
    if installed "$set_name"; then
        continue
    elif [ "$set_name" = "$wanted" ]; then
        install "$set_name" || fail "Couldn't install requirements/$set_name.txt $(reason), then run make again; $log tells all."
    elif pkg-config --exists libmariadb 2>/dev/null || pkg-config --exists mysqlclient 2>/dev/null; then
        install "$set_name" || echo "Couldn't build requirements/$set_name.txt; $log tells why." >&2
    fi
done
