"""Commands leave nothing behind, and whatever is wrong with the environment ends in one sentence."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from apps.core import environment
from tests.services import ROOT, free_port

KEY = "a-key-of-this-test-0123456789-0123456789-0123456789"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program as it is cloned."""
    folder = tmp_path_factory.mktemp("clone") / "blog"
    folder.mkdir()
    for name in ("apps", "blog_xtg", "templates", "locale", "deploy", "static/img"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "fonts"))
    shutil.copy(ROOT / "manage.py", folder)
    return folder


@pytest.fixture
def clone(program: Path) -> Iterator[Path]:
    yield program
    for path in (program / "var", program / ".env"):
        shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def manage(clone: Path, *command: str, within: Sequence[str] = (), **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*within, sys.executable, "manage.py", *command],
        cwd=clone,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONDONTWRITEBYTECODE": "1",
            "FLEET_ENVIRONMENT": str(clone / "no-fleet"),
            **environ,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line said."""
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in (done.stdout + done.stderr).splitlines() if line]
    return line


def everything(folder: Path) -> dict[str, float]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*")}


COMMANDS = ["doctor", "help", "--version", "showmigrations", "check", "doctor --help", "createsuperuser", "docter"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_leaves_nothing_in_an_empty_folder(clone: Path, command: str) -> None:
    before = everything(clone)
    done = manage(clone, *command.split(), PROMETHEUS_MULTIPROC_DIR=str(clone / "figures"))
    assert everything(clone) == before
    assert "Traceback" not in done.stderr
    if command not in {"help", "--version"}:
        assert "here is no blog here yet" in complaint(done)


@pytest.mark.parametrize("command", ["doctor", "showmigrations", "dbshell"])
def test_a_command_makes_no_database_where_only_a_key_is(clone: Path, command: str) -> None:
    (clone / "var").mkdir()
    before = everything(clone)
    assert complaint(manage(clone, command, SECRET_KEY=KEY)).startswith("There is no blog here yet")
    assert everything(clone) == before


@pytest.mark.parametrize("command", ["doctor", "migrate", "start", "prepare", "showmigrations", "setup_link", "shell"])
def test_no_blog_of_one_is_made_or_asked_beside_a_fleets_environment(clone: Path, command: str) -> None:
    fleet = clone / "environment"
    fleet.write_text("DATABASE_URL=mysql://blog@db/blog\n")
    before = everything(clone)
    try:
        line = complaint(manage(clone, command, FLEET_ENVIRONMENT=str(fleet)))
        assert everything(clone) == before
    finally:
        fleet.unlink()
    assert line.startswith(f"This is a host of a fleet ({fleet}): run manage.py's commands on it by `deploy/run manage")


def test_an_enabled_unit_makes_a_host_of_a_fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "FLEET_ENVIRONMENT", tmp_path / "none")
    monkeypatch.setattr(environment, "FLEET_UNITS", f"{tmp_path}/*/blog-web@*.service")
    monkeypatch.delenv("FLEET_ENVIRONMENT", raising=False)
    assert not environment._is_of_a_fleet()
    (tmp_path / "blog.target.wants").mkdir()
    (tmp_path / "blog.target.wants/blog-web@8000.service").write_text("")
    assert environment._is_of_a_fleet()


@pytest.mark.parametrize("command", ["doctor", "prepare", "check"])
@pytest.mark.parametrize("database", [{}, {"DATABASE_URL": ""}], ids=["unset", "emptied by a shell"])
def test_redis_without_a_database_is_half_a_fleet(clone: Path, command: str, database: dict[str, str]) -> None:
    before = everything(clone)
    line = complaint(manage(clone, command, SECRET_KEY=KEY, REDIS_URL="redis://127.0.0.1:1/0", **database))
    assert line.startswith("REDIS_URL is set, but DATABASE_URL is not")
    assert everything(clone) == before


@pytest.mark.parametrize("command", ["doctor", "prepare", "check"])
def test_an_env_of_another_user_is_said(clone: Path, command: str) -> None:
    (clone / ".env").write_text(f"SECRET_KEY={KEY}\n")
    (clone / ".env").chmod(0o000)
    # root may read anything, unless it leaves that right behind
    within = [] if os.geteuid() else ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
    line = complaint(manage(clone, command, within=within))
    assert line.startswith(f"{clone}/.env can't be read (Permission denied): give it to the user the blog runs as")


def test_data_whose_key_is_gone_is_not_signed_anew_without_a_word(clone: Path) -> None:
    (clone / "var").mkdir()
    (clone / "var/blog.sqlite3").write_text("all of it")
    for command in ("start", "prepare", "migrate", "doctor"):
        line = complaint(manage(clone, command))
        assert "blog.sqlite3 is here, but not the SECRET_KEY it was made with: put .env back" in line
        assert "--new-key" in line
    assert not (clone / ".env").exists()


MISREAD = {
    "PAGE_CACHE_BYTES": ["32M", "1e6"],
    "TIME_ZONE": ["Mars/Base", "/etc/passwd", "../UTC"],
    "TRUSTED_PROXIES": ["one", "-1"],
    "COMMENT_HOLD_SCORE": ["viel"],
    "DATABASE_URL": ["mysq://blog:s3cret@db/blog", "nonsense", "mysql://blog:s3cret@db:port/blog"],
    "DATABASE_REPLICA_URLS": ["mysq://blog:s3cret@db/blog"],
    "EMAIL_URL": ["nonsense", "smtp://blog:s3cret@mail:port"],
    "REDIS_URL": ["nonsense", "redis://:s3cret@redis:port/0"],
    "SITE_URL": ["blog.example.com", "https://blog.example.com:port"],
    "SENTRY_DSN": ["nonsense"],
    "LOG_FORMAT": ["xml"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in MISREAD.items() for value in values])
def test_a_setting_that_cannot_be_read_is_named(tmp_path: Path, name: str, value: str) -> None:
    environ = {"SECRET_KEY": KEY, "DATABASE_URL": f"sqlite:///{tmp_path}/blog.sqlite3", name: value}
    line = complaint(manage(ROOT, "check", ENV_FILE=os.devnull, **environ))
    assert line.startswith(name)
    assert "s3cret" not in line


SERVERS = {
    "gunicorn": ["gunicorn", "--config", "deploy/gunicorn.conf.py", "blog_xtg.wsgi"],
    "daphne": ["daphne", "blog_xtg.asgi:application"],
    "celery": ["celery", "-A", "blog_xtg", "inspect", "ping"],
}


@pytest.mark.gunicorn
@pytest.mark.parametrize("server", SERVERS)
def test_servers_name_it_in_one_sentence_too(tmp_path: Path, server: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *SERVERS[server]],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "ENV_FILE": os.devnull,
            "SECRET_KEY": KEY,
            "DATABASE_URL": f"sqlite:///{tmp_path}/blog.sqlite3",
            "PAGE_CACHE_BYTES": "32M",
            "PORT": str(free_port()),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == "PAGE_CACHE_BYTES must be a whole number, not '32M'."
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("word", ["$HOME", "$", "pa$$w0rd&x#y"])
def test_a_word_with_a_dollar_is_that_word(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("SECRET_KEY", word)
    assert environment.Env().str("SECRET_KEY", default="") == word


@pytest.mark.parametrize(
    ("address", "is_local"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost", True),
        ("http://[::1]:8000", True),
        ("http://blog.localhost:8000", True),
        ("https://blog.example.com", False),
        ("http://192.168.1.5:8000", False),
        ("http://localhost.example.com", False),
    ],
)
def test_which_addresses_are_local(address: str, is_local: bool) -> None:
    assert environment.is_local(address) is is_local
