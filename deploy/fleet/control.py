"""Starting, asking, upgrading and stopping a fleet, from beside it."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from typing import IO, NoReturn

from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis

from apps.core.redis.clients import QUEUE, RedisError, numbered
from apps.core.redis.urls import QUESTION
from deploy.fleet.files import ROOT, Fleet, Part
from deploy.fleet.processes import (
    SEARCH_PATH,
    Trouble,
    base_environment,
    children,
    end_session,
    last_lines,
    lives,
    program,
    read_environment,
    wait_for,
)
from deploy.fleet.supervisor import RESTART_SECONDS, STOP_SECONDS

SETTLED_SECONDS = 3  # what can't be asked anything is well when it has lived so long
# A lock lasts for 10 s and is renewed every 2 s at least (settings): with less left its holder is dead or hangs.
LOCK_LEFT_SECONDS = 6
START_SECONDS = 120
CLAIM_SECONDS = 2  # whoever looks whether the fleet runs holds the lock for a moment
HOPELESS_STARTS = 5
PREPARE_SECONDS = 600
ALL_WELL_SECONDS = 20
# nginx asks a host again 3 s after it failed (blog.conf); before that the next one must not go away.
LEFT_ALONE_SECONDS = 4


def start(fleet: Fleet) -> None:
    """Start what isn't running; return when every part answers. Raises Trouble that names those that don't."""
    if running(fleet):
        runs = read_environment(fleet.folder / "env")
        port, hosts = runs["FLEET_PORT"], runs["FLEET_HOSTS"]
        if (port, hosts) != (str(fleet.port), str(len(fleet.hosts))):
            raise Trouble(
                f"The fleet runs on port {port}, with {hosts} hosts: make fleet-stop, and then start another."
            )
    else:
        _check(fleet)
        end_leftovers(fleet)
        fleet.write()
        with claim(fleet) as claimed, (fleet.folder / "log/supervisor.log").open("ab") as log:
            supervisor = subprocess.Popen(
                [sys.executable, "-m", "deploy.fleet", "supervise"],
                cwd=ROOT,
                env={**os.environ, "FLEET_DIR": str(fleet.folder)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[claimed.fileno()],
            )
            claimed.write(str(supervisor.pid))
    wait(fleet, fleet.parts[:2])
    prepare(fleet)
    wait(fleet, fleet.parts)


def claim(fleet: Fleet) -> IO[str]:
    """Return the file whose lock is the right to supervise, open for the supervisor to inherit.

    Its pid is to be written into it. Raises Trouble when another one has the lock.
    """
    file = (fleet.folder / "supervisor").open("a+")

    def taken() -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    if not wait_for(taken, CLAIM_SECONDS):
        file.close()
        raise Trouble("The fleet is being started already: make fleet-status")
    file.truncate(0)
    return file


def _check(fleet: Fleet) -> None:
    programs = ["mariadb-install-db", *(part.command[0] for part in fleet.parts if "/" not in part.command[0])]
    missing = sorted({name for name in programs if not shutil.which(name, path=SEARCH_PATH)})
    if missing:
        raise Trouble(f"{', '.join(missing)} is not installed: apt install mariadb-server redis-server nginx")
    for part in fleet.parts:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((part.address if not part.host else "", part.port))
            except OSError as error:
                raise Trouble(
                    f"Port {part.port}, for {part.name}, can't be used ({error.strerror}). Choose others:"
                    f" make fleet FLEET_PORT={fleet.port + 1000}"
                ) from None


def prepare(fleet: Fleet) -> str:
    """Bring database and static files up to date; return what is said of it (the first administrator's link)."""
    done = subprocess.run(
        [sys.executable, "manage.py", "prepare", "--site", fleet.url],
        cwd=ROOT,
        env={**base_environment(), **fleet.environment(fleet.hosts[0])},
        capture_output=True,
        text=True,
        timeout=PREPARE_SECONDS,
        check=False,
    )
    if done.returncode:
        raise Trouble(f"`manage.py prepare` failed:\n{last_lines(done.stdout + done.stderr)}")
    print(done.stdout, end="", flush=True)
    return done.stdout


def manage(fleet: Fleet, arguments: Sequence[str]) -> NoReturn:
    """Become `manage.py` with these arguments, on the first host of the fleet. Raises Trouble when nothing runs."""
    if not running(fleet):
        raise Trouble("The fleet is not running: make fleet")
    environment = {**base_environment(), **fleet.environment(fleet.hosts[0])}
    os.chdir(ROOT)
    os.execve(sys.executable, [sys.executable, "manage.py", *arguments], environment)  # noqa: S606


def wait(fleet: Fleet, parts: Iterable[Part], seconds: float = START_SECONDS) -> None:
    """Wait until all of these answer. Raises Trouble with the last lines of each log that doesn't.

    What ends again and again is not waited for.
    """
    silent = list(parts)
    starts = {name: known["starts"] for name, known in fleet.state().items()}

    def decided() -> bool:
        silent[:] = silent_parts(fleet, silent)
        state = fleet.state()
        return not silent or any(
            state.get(part.name, {}).get("starts", 0) - starts.get(part.name, 0) > HOPELESS_STARTS for part in silent
        )

    wait_for(decided, seconds)
    if silent:
        raise Trouble(complaint(fleet, silent))


def silent_parts(fleet: Fleet, parts: Iterable[Part]) -> list[Part]:
    """Ask each of the parts, and return those that don't answer."""
    parts, state = list(parts), fleet.state()
    workers = answering_workers(fleet, [part.worker for part in parts if part.worker])
    held = held_locks(fleet, {part.lock for part in parts if part.lock})

    def answers(part: Part) -> bool:
        known = state.get(part.name, {})
        if not known.get("pid"):
            return False
        if part.worker:
            return part.worker in workers
        if part.port:
            return part.answers()
        return time.time() - known["since"] > SETTLED_SECONDS and part.lock in {"", *held}

    return [part for part in parts if not answers(part)]


def answering_workers(fleet: Fleet, names: list[str]) -> set[str]:
    """Which of these Celery workers answer; takes a second when one doesn't."""
    url = fleet.environment(fleet.hosts[0])["REDIS_URL"] if names else ""
    options = {"socket_connect_timeout": 1, "socket_timeout": 2, "max_retries": 1}
    try:
        asking = Celery(broker=numbered(url, QUEUE), broker_transport_options=options)
        return {name for pong in asking.control.ping(names, timeout=1) for name in pong} if names else set()
    except (OperationalError, RedisError, OSError):
        return set()


def held_locks(fleet: Fleet, names: set[str]) -> set[str]:
    """Which of these locks somebody holds and renews; takes a second when Redis doesn't answer."""
    if not names:
        return set()
    url = numbered(fleet.environment(fleet.hosts[0])["REDIS_URL"], QUEUE)
    try:
        with Redis.from_url(url, **QUESTION) as redis:
            return {name for name in names if redis.pttl(name) > LOCK_LEFT_SECONDS * 1000}
    except RedisError:
        return set()


def complaint(fleet: Fleet, silent: Iterable[Part]) -> str:
    """Say of each what it does instead of answering, with the end of its log."""
    state, said = fleet.state(), []
    for part in silent:
        known = state.get(part.name, {})
        if known.get("pid"):
            where = f" on port {part.port}" if part.port else ""
            what = f"nobody holds {part.lock}" if part.lock else f"does not answer{where}"
            trouble = f"runs (pid {known['pid']}) and {what}"
        else:
            trouble = f"is not running: {known.get('ended') or 'never started'}"
        log = fleet.log(part)
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        said.append(f"{part.name} {trouble}. {log} ends:\n{last_lines(text)}")
    return "\n".join(said)


# -- Stopping, reloading ---------------------------------------------------------------------------------------------


def stop(fleet: Fleet) -> None:
    """End every process of the fleet, in order, within two minutes; none is left."""
    if supervisor := running(fleet):
        os.kill(supervisor, signal.SIGTERM)
        if not wait_for(lambda: not lives(supervisor), 3 * STOP_SECONDS + 10):
            os.kill(supervisor, signal.SIGKILL)
            wait_for(lambda: not lives(supervisor), 5)
    end_leftovers(fleet)


def end_leftovers(fleet: Fleet) -> None:
    """End what a supervisor that was killed has left: the sessions it wrote down."""
    for known in fleet.state().values():
        if known["session"]:
            end_session(known["session"], known["born"])
    (fleet.folder / "state.json").unlink(missing_ok=True)


def reload(fleet: Fleet) -> None:
    """Upgrade without a request lost: database and files first, then host by host.

    Raises Trouble, having changed nothing, when a part does not answer: it may be all that would be left to serve.
    """
    if not running(fleet):
        raise Trouble("The fleet is not running: make fleet")
    wait(fleet, fleet.parts, ALL_WELL_SECONDS)
    prepare(fleet)
    if fleet.write_nginx():
        renew_nginx(fleet)
    for host in fleet.hosts:
        print(f"{host} …", flush=True)
        restart(fleet, [part for part in fleet.parts if part.host == host])
        time.sleep(LEFT_ALONE_SECONDS)


def restart(fleet: Fleet, parts: Iterable[Part]) -> None:
    """Stop these gracefully, and wait until their successors answer."""
    parts = list(parts)
    before = {part.name: fleet.pid(part) for part in parts}
    for pid in before.values():
        os.kill(pid, signal.SIGTERM)
    succeeded = wait_for(
        lambda: all(fleet.state()[name]["pid"] not in (0, pid) for name, pid in before.items()),
        STOP_SECONDS + RESTART_SECONDS,
    )
    wait(fleet, parts, START_SECONDS if succeeded else 1)


def renew_nginx(fleet: Fleet) -> None:
    """Make nginx read its files anew; return when new workers have."""
    nginx = next(part for part in fleet.parts if part.name == "nginx")
    command = [program("nginx"), *nginx.command[1:], "-t", "-q"]
    tested = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if tested.returncode:
        raise Trouble(f"nginx does not take its files:\n{last_lines(tested.stderr)}")
    pid = fleet.pid(nginx)
    old = children(pid)
    os.kill(pid, signal.SIGHUP)
    wait_for(lambda: bool(children(pid) - old), 10)


def running(fleet: Fleet) -> int:
    """The supervisor's pid, 0 when there is none."""
    try:
        with (fleet.folder / "supervisor").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int((fleet.folder / "supervisor").read_text() or 0)
    except OSError:
        pass
    return 0


def print_status(fleet: Fleet) -> bool:
    """Print a line for each part; return whether all answer."""
    state = fleet.state() if running(fleet) else {}
    if not state:
        print("The fleet is not running: make fleet")
        return False
    silent = {part.name for part in silent_parts(fleet, fleet.parts)}
    for part in fleet.parts:
        known = state.get(part.name, {})
        word = "answers" if part.name not in silent else "silent" if known.get("pid") else "down"
        where = f"{part.address}:{part.port}" if part.port else ""
        again = f"started {known['starts']} times, last {known['ended']}" if known.get("ended") else ""
        print(f"  {part.name:<14}{word:<9}{where:<17}pid {known.get('pid', 0):<8}{again}".rstrip())
    print(f"  {fleet.url}/ · to write: {fleet.url}/admin/ · logs: {fleet.folder}/log")
    return not silent
