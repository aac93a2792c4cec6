"""Runs a command with the environment of the fleet that this host is one of, as its units run theirs, without a shell.

deploy/run calls it: environment.py PROGRAM [ARGUMENT ...]. A shell that sources the file takes `$`, `&`, `#` and quotes
in a password or an address for its own; systemd doesn't, and this goes by systemd's rules.
"""

import os
import sys
from pathlib import Path

FILE = Path(os.environ.get("FLEET_ENVIRONMENT", "/etc/blog_xtg/environment"))
VAR = Path(__file__).resolve().parent.parent / "var"


def as_systemd_reads(text: str) -> dict[str, str]:
    """Return the variables of an EnvironmentFile (systemd.exec(5); the states are those of its env-file.c).

    Quotes count at a value's beginning alone, a backslash takes the next character as it is, at a line's end it joins
    the next one; `#` and `;` begin a comment only where a line begins.
    """
    found: dict[str, str] = {}
    at, end = 0, len(text)
    while at < end:
        while at < end and text[at] in " \t\r\n":
            at += 1
        if at < end and text[at] in "#;":
            at = _end_of_comment(text, at)
            continue
        line_end = _next(text, at, "\r\n")
        equals = text.find("=", at, line_end)
        if equals < 0:
            at = line_end
            continue
        name = text[at:equals].rstrip()
        value, at = _value(text, equals + 1)
        if name.isidentifier() and name.isascii():
            found[name] = value
    return found


def _value(text: str, at: int) -> tuple[str, int]:
    """Return the value that begins there, and where the next line does."""
    value, kept, quote = "", 0, ""  # kept: the length that trailing blanks are not taken from
    is_begun = False  # with something that is not quoted: then quotes are characters
    while at < len(text):
        char = text[at]
        at += 1
        if quote:
            if char == quote:
                quote = ""
            elif char == "\\" and quote == '"' and at < len(text):
                following = text[at]
                at += 1
                value += following if following in '"\\`$' else "" if following == "\n" else f"\\{following}"
            else:
                value += char
            kept = len(value)
        elif char in "\r\n":
            break
        elif char == "\\":
            is_begun = True
            if at < len(text):
                value += "" if text[at] in "\r\n" else text[at]
                at += 1
            kept = len(value)
        elif char in "'\"" and not is_begun:
            quote = char
        elif char in " \t":
            value += char if is_begun else ""
        else:
            is_begun = True
            value += char
            kept = len(value)
    return value[:kept], at


def _end_of_comment(text: str, at: int) -> int:
    while (at := _next(text, at, "\r\n\\")) < len(text) and text[at] == "\\":
        at += 2
    return at


def _next(text: str, at: int, characters: str) -> int:
    return next((place for place in range(at, len(text)) if text[place] in characters), len(text))


def main(command: list[str]) -> None:
    try:
        told = as_systemd_reads(FILE.read_text(encoding="utf-8"))
    except OSError as error:
        sys.exit(
            f"{FILE} can't be read ({error.strerror}): run this as root on a host of the fleet; a blog of one is asked"
            " by .venv/bin/python manage.py."
        )
    _become_the_owner_of_the_data()
    os.execvpe(command[0], command, {**os.environ, **told})  # noqa: S606


def _become_the_owner_of_the_data() -> None:
    """Leave root behind, as the units do: what a command writes must be the blog's to change."""
    if os.geteuid() != 0 or not VAR.is_dir() or VAR.stat().st_uid == 0:
        return
    owner = VAR.stat()
    os.setgroups([])
    os.setgid(owner.st_gid)
    os.setuid(owner.st_uid)


if __name__ == "__main__":
    main(sys.argv[1:])
