"""nginx as deployed, in front of an application that tells what reached it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import need
from tests.proxy import BlogNginx
from tests.services import GunicornServer, free_port


@pytest.fixture(scope="session")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of which nginx serves static/ and media/."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture(scope="session")
def nginx(var: Path) -> Iterator[BlogNginx]:
    need("nginx")
    need("gunicorn")
    with (
        GunicornServer(application="tests.nginx.echo:application") as app,
        BlogNginx([app.port], free_port(), var) as server,
    ):
        yield server
