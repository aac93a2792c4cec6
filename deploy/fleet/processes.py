"""Processes by number, never by name; and the small files a fleet keeps."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

SEARCH_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
PASSED_ON = ("HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "USER")


class Trouble(Exception):
    """Something that the one who called can mend; said in a line or two."""


def wait_for(happened: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not (done := happened()) and time.monotonic() < end:
        time.sleep(0.1)
    return done


def read_environment(file: Path) -> dict[str, str]:
    """The NAME=value lines of a file; none when there is no file."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def write(file: Path, text: str) -> None:
    """Whole or not at all, and for our eyes only."""
    half_done = file.with_name(f"{file.name}.part")
    descriptor = os.open(half_done, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
    half_done.replace(file)


def base_environment() -> dict[str, str]:
    """Return the part of our own environment that every process gets: nothing that would change the fleet."""
    return {"PATH": SEARCH_PATH, **{name: os.environ[name] for name in PASSED_ON if name in os.environ}}


def program(name: str) -> str:
    return shutil.which(name, path=SEARCH_PATH) or name


def last_lines(text: str, lines: int = 12) -> str:
    return "\n".join(f"    {line[:300]}" for line in text.splitlines()[-lines:])


def born(pid: int) -> str:
    """When the process began, in ticks since the machine did: with the pid it names one process for ever."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return ""


def lives(pid: int) -> bool:
    """Whether it runs; what only waits to be asked how it ended doesn't."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def children(pid: int) -> set[int]:
    try:
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except OSError:
        return set()


def end_session(session: int, leader_born: str) -> None:
    """Kill every process of a session and wait until none is left; a younger one of that number is let alone."""
    if born(session) not in ("", leader_born):
        return

    def members() -> list[int]:
        found = []
        for entry in Path("/proc").iterdir():
            try:
                state, _parent, _group, its_session, *rest = (entry / "stat").read_text().rpartition(")")[2].split()
            except (OSError, ValueError):
                continue
            if (
                entry.name.isdigit()
                and int(its_session) == session
                and state != "Z"
                and int(rest[15]) >= int(leader_born)
            ):
                found.append(int(entry.name))
        return found

    def all_gone() -> bool:
        for pid in (left := members()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left

    wait_for(all_gone, 10)
