"""Two hosts, one of which is in trouble: what nginx asks the other, and what it never sends twice."""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.nginx.asking import ask
from tests.proxy import BlogNginx
from tests.services import GunicornServer, free_port

pytestmark = [pytest.mark.gunicorn, pytest.mark.nginx]

COMMENT, BEACON, PAGE = "/article/1/comment/", "/stats/view", "/search/?q=x"


class HangingUp:
    """A host that reads each request to its end and hangs up; `taken` are their first words."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        while True:
            connection, _address = self._listening.accept()
            with connection:
                connection.settimeout(5)
                if not (said := connection.recv(65536)):
                    return
                while said.startswith(b"POST") and not said.endswith(b"the end"):
                    said += connection.recv(65536)
                self.taken.append(said.split()[0].decode())

    def __enter__(self) -> "HangingUp":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with socket.create_connection(("127.0.0.1", self.port)) as last:
            last.shutdown(socket.SHUT_WR)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._listening.close()


@pytest.fixture(scope="module")
def well() -> Iterator[GunicornServer]:
    with GunicornServer(application="tests.nginx.echo:application") as app:
        yield app


def asked_so_far(well: GunicornServer) -> int:
    """How many requests have reached the host that is well, without this one."""
    with BlogNginx([well.port], well.port, well.folder) as direct:
        return int(ask(direct, "/search/?q=number").told["number"]) - 1


@pytest.mark.parametrize("path", [PAGE, "/page/", "/stats/view?post=1", "/healthz"])
def test_what_only_reads_is_answered_by_the_other_host(well: GunicornServer, tmp_path: Path, path: str) -> None:
    with HangingUp() as broken, BlogNginx([broken.port, well.port], well.port, tmp_path) as nginx:
        assert {ask(nginx, path).status for _ in range(4)} == {200}
        assert broken.taken and set(broken.taken) == {"GET"}


@pytest.mark.parametrize("path", [COMMENT, BEACON, "/admin/login/"])
def test_what_one_host_has_taken_is_never_sent_to_the_other(well: GunicornServer, tmp_path: Path, path: str) -> None:
    before = asked_so_far(well)
    with HangingUp() as broken, BlogNginx([broken.port, well.port], well.port, tmp_path) as nginx:
        told = Counter(ask(nginx, path, "POST", b"to the end").status for _ in range(4))
        assert told == {200: 4 - len(broken.taken), 502: len(broken.taken)}
        assert broken.taken and set(broken.taken) == {"POST"}
    assert asked_so_far(well) == before + 1 + told[200]


@pytest.mark.parametrize("path", [COMMENT, BEACON, "/admin/login/"])
def test_what_nobody_has_taken_goes_to_the_other(well: GunicornServer, tmp_path: Path, path: str) -> None:
    with BlogNginx([free_port(), well.port], well.port, tmp_path) as nginx:
        assert {ask(nginx, path, "POST", b"to the end").status for _ in range(4)} == {200}
        assert "Connection refused" in nginx.log
