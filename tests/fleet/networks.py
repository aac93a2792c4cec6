"""A network of its own for each host of a fleet, and ways to cut one off.

Network namespaces where the machine gives us some (that takes root and `ip`), else addresses on the loopback, with relays
on host2's way to the servers. FLEET_NETWORKS=relays takes these in any case.
"""

import os
import select
import shlex
import signal
import socket
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Protocol

from tests.fleet.whole import WholeFleet

CUT_OFF = "host2"
# How a host's parts are started, besides: both servers of websockets are in a fleet.
WITHIN = {"host1": "", "host2": "env LIVE_SERVER=daphne "}


class Network(Protocol):
    """The abilities of both kinds; `settings` is for the fleet's `env`."""

    settings: str

    def serve(self, whole: WholeFleet) -> AbstractContextManager[None]:
        """Be there for that fleet, which has not been started yet, until the block ends."""

    def cut(self, whole: WholeFleet, name: str) -> AbstractContextManager[None]:
        """Lose all that host2 and Redis, MariaDB or nginx send each other: nothing is refused, what is open hangs."""


@contextmanager
def network() -> Iterator[Network]:
    """Give the best network to be had."""
    with ExitStack() as stack:
        found: Network
        try:
            found = Relays() if os.environ.get("FLEET_NETWORKS") == "relays" else stack.enter_context(namespaces())
        except Unavailable:
            found = Relays()
        yield found


# -- Namespaces --------------------------------------------------------------------------------------------------------

NET = f"10.{100 + os.getpid() % 100}"
MARIADB, REDIS = f"{NET}.0.2", f"{NET}.0.3"
HOSTS = {"host1": f"{NET}.1.2", "host2": f"{NET}.2.2"}


class Unavailable(Exception):
    """This machine gives nobody a network of its own, or not to us."""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


def space_of(host: str) -> str:
    return f"blog-{os.getpid()}-{host}"


class Namespaces:
    """MariaDB and Redis on addresses beside the hosts' namespaces; a cut is a route that leads nowhere."""

    settings = f"MARIADB_ADDRESS={MARIADB}\nREDIS_ADDRESS={REDIS}\n" + "".join(
        f"{host.upper()}_ADDRESS={address}\n{host.upper()}_WITHIN={WITHIN[host]}ip netns exec {space_of(host)}\n"
        for host, address in HOSTS.items()
    )

    @contextmanager
    def serve(self, whole: WholeFleet) -> Iterator[None]:
        yield

    def cut(self, whole: WholeFleet, name: str) -> AbstractContextManager[None]:
        address = HOSTS[CUT_OFF]
        match name:
            case "Redis":
                return lost(REDIS, address)
            case "MariaDB":
                return lost(MARIADB, address)
        return lost(address, f"{address[:-1]}1", space_of(CUT_OFF))


@contextmanager
def namespaces() -> Iterator[Namespaces]:
    """Make a namespace for each host. Raises Unavailable, having left nothing."""
    with ExitStack() as made:

        def make(words: str, undo: str = "") -> None:
            ip(*words.split())
            if undo:
                made.callback(ip, *undo.split())

        try:
            for address in (MARIADB, REDIS):
                make(f"addr add {address}/32 dev lo", f"addr del {address}/32 dev lo")
            for host, address in HOSTS.items():
                space, link, gateway = space_of(host), f"bl{os.getpid() % 100_000}{host[-1]}", f"{address[:-1]}1"
                make(f"netns add {space}", f"netns del {space}")
                make(f"link add {link} type veth peer name eth0 netns {space}")
                make(f"addr add {gateway}/24 dev {link}")
                make(f"link set {link} up")
                make(f"-n {space} addr add {address}/24 dev eth0")
                make(f"-n {space} link set eth0 up")
                make(f"-n {space} link set lo up")
                make(f"-n {space} route add default via {gateway}")
                make(f"netns exec {space} true")
        except (OSError, subprocess.SubprocessError) as error:
            raise Unavailable(str(getattr(error, "stderr", "") or error)) from None
        yield Namespaces()


@contextmanager
def lost(sender: str, receiver: str, within: str = "") -> Iterator[None]:
    """Lose every packet from one address to the other, as a dead switch does: nothing is refused, what is open hangs."""
    space = ["-n", within] if within else []
    rule = ["from", sender, "to", receiver, "blackhole"]
    ip(*space, "rule", "add", *rule)
    try:
        yield
    finally:
        ip(*space, "rule", "del", *rule)


# -- Relays ------------------------------------------------------------------------------------------------------------

NEAR, SEEN_BY_HOST2 = "127.0.0.1", "127.0.0.2"


class Relay(socketserver.ThreadingTCPServer):
    """Passes on what comes to one address of this machine to the same port of another, unless it is told to hold it."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, port: int) -> None:
        self.passing = threading.Event()
        self.passing.set()
        super().__init__((SEEN_BY_HOST2, port), _Passing)


class _Passing(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        here: Any = self.request
        with socket.create_connection((NEAR, self.server.server_address[1]), timeout=10) as there:
            other = {here: there, there: here}
            while True:
                for one in select.select(list(other), [], [])[0]:
                    self.server.passing.wait()
                    try:
                        if not (said := one.recv(65536)):
                            return
                        other[one].sendall(said)
                    except OSError:
                        return


class Relays:
    """Host2 reaches MariaDB and Redis through relays; to cut it off from nginx its servers are stopped meanwhile."""

    _through = f'DATABASE_URL="$(echo "$DATABASE_URL" | sed s/@{NEAR}:/@{SEEN_BY_HOST2}:/)"'
    _and = f'REDIS_URL="$(echo "$REDIS_URL" | sed s/@{NEAR}:/@{SEEN_BY_HOST2}:/)"'
    _within = shlex.join(["sh", "-c", f'{_through} {_and} exec "$@"', "sh"])
    settings = f"HOST2_ADDRESS={SEEN_BY_HOST2}\nHOST2_WITHIN={WITHIN[CUT_OFF]}{_within}\n"

    def __init__(self) -> None:
        self._relays: dict[str, Relay] = {}

    @contextmanager
    def serve(self, whole: WholeFleet) -> Iterator[None]:
        self._relays = {"MariaDB": Relay(whole.port + 1), "Redis": Relay(whole.port + 2)}
        for relay in self._relays.values():
            threading.Thread(target=relay.serve_forever, daemon=True).start()
        try:
            yield
        finally:
            for relay in self._relays.values():
                relay.shutdown()
                relay.server_close()

    @contextmanager
    def cut(self, whole: WholeFleet, name: str) -> Iterator[None]:
        relay = self._relays.get(name)
        pids = [] if relay else [whole.fleet.pid(whole.part(f"{CUT_OFF} {part}")) for part in ("web", "live")]
        if relay:
            relay.passing.clear()
        for pid in pids:
            os.killpg(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            if relay:
                relay.passing.set()
            for pid in pids:
                os.killpg(pid, signal.SIGCONT)
