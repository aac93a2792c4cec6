"""A network of its own for each host of a fleet, and ways to cut it: network namespaces, which need root and `ip`."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

NET = f"10.{100 + os.getpid() % 100}"
MARIADB, REDIS = f"{NET}.0.2", f"{NET}.0.3"
HOSTS = {"host1": f"{NET}.1.2", "host2": f"{NET}.2.2"}


class Unavailable(Exception):
    """This machine gives nobody a network of its own, or not to us."""


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, timeout=10)


def space_of(host: str) -> str:
    return f"blog-{os.getpid()}-{host}"


@contextmanager
def networks() -> Iterator[str]:
    """Make a namespace for each host, addresses for MariaDB and Redis beside them; yield the fleet's settings for them.

    Raises Unavailable, having left nothing.
    """
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
        yield f"MARIADB_ADDRESS={MARIADB}\nREDIS_ADDRESS={REDIS}\n" + "".join(
            f"{host.upper()}_ADDRESS={address}\n{host.upper()}_WITHIN=ip netns exec {space_of(host)}\n"
            for host, address in HOSTS.items()
        )


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
