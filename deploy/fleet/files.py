"""The parts of a fleet, their environment, and the files they read."""

import getpass
import json
import os
import re
import secrets
import shlex
import socket
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.fleet.processes import Trouble, last_lines, program, read_environment, write

DEPLOY = Path(__file__).resolve().parent.parent
ROOT = DEPLOY.parent
MAKING_SECONDS = 120


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with each ${NAME} exchanged for its value, as envsubst does; nginx's own $variables stay.

    Raises KeyError for a name that has no value.
    """
    return re.sub(r"\$\{([A-Z][A-Z_]*)\}", lambda match: values[match[1]], text)


@dataclass
class Part:
    """A process that is to run, and what it answers when it is well."""

    name: str
    command: list[str]
    host: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"
    port: int = 0
    says: str = ""
    hears: str = ""
    worker: str = ""
    lock: str = ""  # in the queue's Redis; the one of its kind that holds it works, the others stand by

    def answers(self) -> bool:
        """Ask it, for two seconds at most."""
        try:
            with socket.create_connection((self.address, self.port), 2) as connection:
                connection.sendall(self.says.encode())
                return self.hears.encode() in connection.recv(1024)
        except OSError:
            return False


class Fleet:
    """The fleet in a folder; everything it needs to know is read when it is made."""

    def __init__(self, folder: Path, port: str = "", hosts: str = "") -> None:
        self.folder = folder.resolve()
        known = read_environment(self.folder / "env")
        known |= {name: value for name, value in [("FLEET_PORT", port), ("FLEET_HOSTS", hosts)] if value}
        known.setdefault("FLEET_PORT", "8080")
        known.setdefault("FLEET_HOSTS", "2")
        for secret in ("SECRET_KEY", "MARIADB_PASSWORD", "REDIS_PASSWORD"):
            known.setdefault(secret, secrets.token_urlsafe(48 if secret == "SECRET_KEY" else 24))  # noqa: S105
        self.known = known
        self.port = int(known["FLEET_PORT"])
        self.hosts = [f"host{number + 1}" for number in range(int(known["FLEET_HOSTS"]))]
        self.url = f"http://127.0.0.1:{self.port}"
        as_root = os.geteuid() == 0
        self.values = {
            "FOLDER": str(self.folder),
            "DEPLOY": str(DEPLOY),
            "MARIADB_ADDRESS": "127.0.0.1",
            "REDIS_ADDRESS": "127.0.0.1",
            "PORT": str(self.port),
            "MARIADB_PORT": str(self.port + 1),
            "REDIS_PORT": str(self.port + 2),
            "MARIADB_USER": "user = root" if as_root else "",
            "NGINX_USER": "user root;" if as_root else "",
            **known,
        }
        self.table = tomllib.loads((DEPLOY / "fleet/table.toml").read_text(encoding="utf-8"))
        servers = self.table["part"]
        first = [part for part in servers if part["name"] != "nginx"]
        self.parts = [self._part(row) for row in first]
        self.parts += [self._part(row, host) for host in self.hosts for row in self.table["host"]]
        self.parts += [self._part(row) for row in servers if row not in first]

    def _part(self, row: dict[str, str], host: str = "") -> Part:
        values = {**self.values, **(self.of_host(host) if host else {})}
        row = {name: fill(value, values) if name != "command" else value for name, value in row.items()}
        command = [fill(word, values) for word in shlex.split(row.pop("command"))]
        if host:
            command = [*shlex.split(self.known.get(f"{host.upper()}_WITHIN", "")), *command]
        name = f"{host} {row.pop('name')}" if host else row.pop("name")
        environment = self.environment(host) if host else {}
        return Part(name, command, host, environment, port=int(row.pop("port", 0)), **row)

    def of_host(self, host: str) -> dict[str, str]:
        first = self.port + 10 * (self.hosts.index(host) + 1)
        address = self.known.get(f"{host.upper()}_ADDRESS", "127.0.0.1")
        return {"HOST": host, "HOST_ADDRESS": address, "WEB_PORT": str(first), "LIVE_PORT": str(first + 1)}

    def environment(self, host: str) -> dict[str, str]:
        """Return the environment of the blog's processes on that host."""
        table = {**self.table["environment"], **self.table["host_environment"]}
        values = {**self.values, **self.of_host(host)}
        return {**{name: fill(value, values) for name, value in table.items()}, **self.known}

    # -- What is written -----------------------------------------------------------------------------------------------

    def write(self) -> None:
        """Write the folder: secrets, the servers' files, an empty database."""
        folders = ["log", "media", "redis", "nginx/snippets", *(f"tmp/{name}" for name in ("body", "proxy"))]
        for name in [*folders, *(f"{host}/metrics" for host in self.hosts)]:
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        write(self.folder / "env", "".join(f"{name}={value}\n" for name, value in self.known.items()))
        for name, text in self.table["files"].items():
            write(self.folder / name, fill(text, self.values))
        self.write_nginx()
        if not (self.folder / "mariadb/mysql").is_dir():
            self._make_database()

    def write_nginx(self) -> bool:
        """Write nginx's site; return whether anything in it is new."""
        site = {}
        for name, value in self.table["nginx"].items():
            each = [self.of_host(host) for host in self.hosts] if "${HOST_ADDRESS}" in value else [{}]
            site[name] = " ".join(fill(value, {**self.values, **host}) for host in each)
        template = (DEPLOY / "nginx/blog.conf").read_text(encoding="utf-8")
        texts = {self.folder / "nginx/blog.conf": fill(template, site)}
        for snippet in (DEPLOY / "nginx/snippets").iterdir():
            texts[self.folder / "nginx/snippets" / snippet.name] = snippet.read_text(encoding="utf-8")
        new = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        for path in new:
            write(path, texts[path])
        return bool(new)

    def _make_database(self) -> None:
        as_root = os.geteuid() == 0
        command = [
            program("mariadb-install-db"),
            "--no-defaults",
            f"--datadir={self.folder / 'mariadb'}",
            "--auth-root-authentication-method=socket",
            f"--auth-root-socket-user={getpass.getuser()}",
            *(["--user=root"] if as_root else []),
            "--skip-test-db",
            "--skip-name-resolve",
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=MAKING_SECONDS, check=False)
        if done.returncode:
            raise Trouble(f"MariaDB's folder couldn't be made:\n{last_lines(done.stdout + done.stderr)}")

    # -- What runs -----------------------------------------------------------------------------------------------------

    def log(self, part: Part) -> Path:
        return self.folder / f"log/{part.name.replace(' ', '-')}.log"

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the supervisor's notes on each part: pid (0 while it isn't running), since, starts, ended."""
        try:
            return dict(json.loads((self.folder / "state.json").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def pid(self, part: Part) -> int:
        pid = int(self.state().get(part.name, {}).get("pid", 0))
        if not pid:
            raise Trouble(f"{part.name} is not running")
        return pid
