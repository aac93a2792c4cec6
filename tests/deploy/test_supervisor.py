"""The supervisor of a fleet's parts, with parts that do nothing: restarts, ends, and what it leaves behind: nothing."""

import multiprocessing
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.fleet import control, supervisor
from deploy.fleet.files import Fleet, Part
from deploy.fleet.processes import Trouble
from tests.services import wait_until

# Each child in a process group of its own, as some servers' workers are.
FAMILY = Part("family", ["sh", "-c", "set -m; sleep 1000 & sleep 1000 & sleep 1000; :"])
STUBBORN = Part("stubborn", ["sh", "-c", "trap '' TERM; while :; do sleep 1000; done"])
PLAIN = Part("plain", ["sleep", "1000"])


@pytest.fixture
def supervised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Fleet]]:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 1)
    monkeypatch.setattr(supervisor, "RESTART_SECONDS", 0.1)
    fleet = Fleet(tmp_path, "20000", "0")

    def start(*parts: Part) -> Fleet:
        for part in parts:
            part.environment = {"FLEET_TEST": str(tmp_path)}
        fleet.parts = list(parts)
        (tmp_path / "log").mkdir()
        with control.claim(fleet) as claimed:
            process = multiprocessing.get_context("fork").Process(target=supervisor.Supervisor(fleet).run, daemon=True)
            process.start()
            claimed.write(str(process.pid))
        wait_until(lambda: all(fleet.state().get(part.name, {}).get("starts") for part in parts), 10)
        time.sleep(0.3)  # the shells have started what they start
        return fleet

    yield start
    control.stop(fleet)


def members(fleet: Fleet) -> dict[int, str]:
    mark, found = f"FLEET_TEST={fleet.folder}".encode(), {}
    for entry in Path("/proc").iterdir():
        try:
            if mark in (entry / "environ").read_bytes():
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
    return found


def test_what_ends_is_started_again_and_takes_its_family_along(supervised: Callable[..., Fleet]) -> None:
    fleet = supervised(FAMILY, PLAIN)
    before, plain = members(fleet), fleet.pid(PLAIN)
    os.kill(fleet.pid(FAMILY), signal.SIGKILL)
    wait_until(lambda: fleet.state()["family"]["starts"] == 2 and bool(fleet.state()["family"]["pid"]), 10)
    assert fleet.state()["family"]["ended"].startswith("killed by SIGKILL at ")
    wait_until(lambda: len(members(fleet)) == len(before), 10, lambda: str(members(fleet)))
    assert set(before) & set(members(fleet)) == {plain}


def test_it_stops_also_what_does_not_want_to(supervised: Callable[..., Fleet]) -> None:
    fleet = supervised(STUBBORN, PLAIN)
    assert len(members(fleet)) == 3
    begun = time.monotonic()
    control.stop(fleet)
    assert time.monotonic() - begun < 10
    assert members(fleet) == {}
    assert not control.running(fleet)


def test_a_supervisor_that_is_killed_leaves_nothing_after_a_stop(supervised: Callable[..., Fleet]) -> None:
    fleet = supervised(STUBBORN, PLAIN)
    os.kill(control.running(fleet), signal.SIGKILL)
    wait_until(lambda: not control.running(fleet), 10)
    control.stop(fleet)
    assert members(fleet) == {}


def test_a_fleet_ends_with_the_process_that_owns_it(
    supervised: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch
) -> None:
    with subprocess.Popen(["sleep", "1000"]) as owner:
        monkeypatch.setenv("FLEET_OWNER", str(owner.pid))
        fleet = supervised(FAMILY, PLAIN)
        assert control.running(fleet) and members(fleet)
        owner.kill()
    wait_until(lambda: not control.running(fleet), 10)
    assert members(fleet) == {}


def test_of_two_that_start_a_fleet_one_does(supervised: Callable[..., Fleet], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "CLAIM_SECONDS", 0.2)
    fleet = supervised(PLAIN)
    before = control.running(fleet)
    with pytest.raises(Trouble, match="is being started already"):
        control.claim(fleet)
    assert control.running(fleet) == before
    control.stop(fleet)
    control.claim(fleet).close()


def test_what_ends_again_and_again_is_said_soon(supervised: Callable[..., Fleet]) -> None:
    fleet = supervised(PLAIN, Part("broken", ["sh", "-c", "echo no such setting >&2; exit 3"]))
    begun = time.monotonic()
    with pytest.raises(Trouble, match=r"^broken (?s:.*)no such setting$"):
        control.wait(fleet, [fleet.parts[1]], 60)
    assert time.monotonic() - begun < 30


def test_a_number_that_belongs_to_another_by_now_is_let_alone(supervised: Callable[..., Fleet]) -> None:
    from deploy.fleet.processes import born, end_session

    fleet = supervised(PLAIN)
    end_session(fleet.pid(PLAIN), str(int(born(fleet.pid(PLAIN))) - 1))
    assert fleet.pid(PLAIN) in members(fleet)


def test_a_port_in_use_and_a_program_that_is_missing_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        fleet = Fleet(tmp_path, str(port), "0")
        fleet.parts = [Part("nginx", ["sh"], port=port)]
        monkeypatch.setattr(control.shutil, "which", lambda name, path: f"/bin/{name}")
        with pytest.raises(Trouble, match=f"Port {port}, for nginx, can't be used"):
            control.start(fleet)
    monkeypatch.setattr(control.shutil, "which", lambda name, path: None)
    with pytest.raises(Trouble, match="mariadb-install-db, sh is not installed: apt install"):
        control.start(fleet)
