"""Starts what is to run, and starts it again when it ends."""

import json
import os
import shutil
import signal
import subprocess
import time
from typing import Any

from deploy.fleet.files import ROOT, Fleet, Part
from deploy.fleet.processes import SEARCH_PATH, base_environment, born, end_session, lives, program, wait_for, write

RESTART_SECONDS = 1
STOP_SECONDS = 30  # for the parts of a wave, then they are killed


class Supervisor:
    """Keeps the parts of a fleet running until it is told to end (SIGTERM), then stops them in order.

    It has inherited the right to do so, which ends with it (control.claim).
    """

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.known: dict[str, dict[str, Any]] = {
            part.name: {"pid": 0, "session": 0, "born": "", "since": 0.0, "starts": 0, "ended": ""}
            for part in fleet.parts
        }
        self.due = dict.fromkeys(self.known, 0.0)
        self.ending = False
        self.owner = int(os.environ.get("FLEET_OWNER", "0"))  # a process without which nobody wants the fleet: a test's

    def run(self) -> None:
        def end(*_signal: object) -> None:
            self.ending = True

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        for host in self.fleet.hosts:  # the figures of processes that are no more
            for file in (self.fleet.folder / host / "metrics").iterdir():
                file.unlink()
        while not self.ending and (not self.owner or lives(self.owner)):
            self._keep_running()
            time.sleep(0.05)
        self._stop()

    def _keep_running(self) -> None:
        changed = self._notice_ends()
        for part in self.fleet.parts:
            held = (self.fleet.folder / "hold" / part.name).exists()  # a test's host that stays dead for a while
            if part.name not in self.processes and time.monotonic() >= self.due[part.name] and not held:
                self._start(part)
                changed = True
        if changed:
            self._write_down()

    def _start(self, part: Part) -> None:
        command = [program(part.command[0]) if "/" not in part.command[0] else part.command[0], *part.command[1:]]
        if setpriv := shutil.which("setpriv", path=SEARCH_PATH):
            command = [setpriv, "--pdeathsig", "KILL", *command]  # nothing runs on without its supervisor
        with self.fleet.log(part).open("ab") as log:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={**base_environment(), **part.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.processes[part.name] = process
        known = self.known[part.name]
        known |= {"pid": process.pid, "session": process.pid, "born": born(process.pid), "since": time.time()}
        known["starts"] += 1

    def _notice_ends(self) -> bool:
        ended = {
            name: process
            for name, process in self.processes.items()
            # Looked at and left: as long as it isn't reaped, its number is nobody else's.
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        }
        for name, process in ended.items():
            end_session(process.pid, born(process.pid))  # its workers go, too, as with systemd
            code = process.wait()
            del self.processes[name]
            self.due[name] = time.monotonic() + RESTART_SECONDS
            how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
            self.known[name] |= {"pid": 0, "session": 0, "ended": f"{how} at {time.strftime('%H:%M:%S')}"}
            print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {name} {how}", flush=True)
        return bool(ended)

    def _stop(self) -> None:
        """nginx first, then the hosts, then what they keep their data in."""
        data = {part.name for part in self.fleet.parts[:2]}
        for wave in ({"nginx"}, {part.name for part in self.fleet.parts if part.host}, data):
            for name in wave & set(self.processes):
                self.processes[name].terminate()

            def all_ended(wave: set[str] = wave) -> bool:
                self._notice_ends()
                return not wave & set(self.processes)

            if not wait_for(all_ended, STOP_SECONDS):
                for name in wave & set(self.processes):
                    self.processes[name].kill()
                wait_for(all_ended, 10)
            self._write_down()

    def _write_down(self) -> None:
        write(self.fleet.folder / "state.json", json.dumps(self.known, indent=1))
