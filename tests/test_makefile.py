"""The output of `make` when all is well, and its one line when it isn't."""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOBODY = 65534


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The files that `make run` reads, in a folder of its own that every user may enter."""
    folder = tmp_path / "blog"
    folder.mkdir()
    for parent in (folder, *folder.parents):
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    shutil.copy(ROOT / "Makefile", folder)
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    (folder / "manage.py").write_text("import sys; print('started', *sys.argv[1:])\n")
    return folder


def make(folder: Path, *arguments: str, user: int | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PIP_NO_INDEX": "1", **environ},
        capture_output=True,
        text=True,
        timeout=120,
        user=user,
        extra_groups=None if user is None else [],
    )


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one line said, make's own "*** Error" aside."""
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
    return line


def fake_python(folder: Path, answer: str) -> Path:
    """A Python that says what it is and can nothing else."""
    path = folder / "fake-python"
    path.write_text(f'#!/bin/sh\n[ "$1" = -c ] && echo "{answer}" && exit\nexit 1\n')
    path.chmod(0o755)
    return path


def test_make_alone_lists_every_target() -> None:
    listed = make(ROOT).stdout
    targets = [line.split(":")[0] for line in (ROOT / "Makefile").read_text().splitlines() if ": ##" in line]
    phony = [line.split(": ")[1] for line in (ROOT / "Makefile").read_text().splitlines() if line.startswith(".PHONY")]
    assert targets == phony
    assert {"run", "test", "services", "lint", "format", "requirements", "messages", "clean"} <= set(targets)
    assert [line.split()[1] for line in listed.splitlines()] == targets


@pytest.mark.parametrize("answer", ["3.9 whole", "3.9", "3.10 whole", "2.7 whole"])
def test_a_python_too_old_is_named(checkout: Path, answer: str) -> None:
    line = complaint(make(checkout, "run", PYTHON=str(fake_python(checkout, answer))))
    assert line.startswith("Python 3.11 or newer is needed")
    assert f"is Python {answer.split()[0]}:" in line
    assert not (checkout / ".venv").exists()


def test_no_python_at_all_is_said(checkout: Path) -> None:
    line = complaint(make(checkout, "run", PYTHON="/nowhere/python3"))
    assert line.startswith("Python 3.11 or newer is needed, and /nowhere/python3 does not run")


def test_a_python_without_venv_is_told_the_package(checkout: Path) -> None:
    line = complaint(make(checkout, "run", PYTHON=str(fake_python(checkout, "3.12 bare"))))
    assert "apt install python3.12-venv" in line


def test_a_venv_that_cannot_be_made_is_said(checkout: Path) -> None:
    line = complaint(make(checkout, "run", PYTHON=str(fake_python(checkout, "3.12 whole"))))
    assert line.startswith("Python 3.12 can't make a virtual environment")


def test_a_folder_that_cannot_be_written_is_said(checkout: Path) -> None:
    # root may write anywhere, so for root it is the user nobody who tries
    user = NOBODY if os.geteuid() == 0 else None
    checkout.chmod(0o555)
    try:
        python = fake_python(checkout.parent, "3.12 whole")
        line = complaint(make(checkout, "run", user=user, PYTHON=str(python)))
    finally:
        checkout.chmod(0o755)
    assert line.startswith(f"Can't write to {checkout}")


def test_requirements_that_cannot_be_installed_are_said(checkout: Path) -> None:
    make_real_venv(checkout)
    line = complaint(make(checkout, "run"))
    assert line.startswith("Couldn't install requirements/base.txt (ERROR: ")
    assert "check the network" in line
    assert not (checkout / ".venv/base.installed").exists()


def test_a_compiler_that_is_missing_is_named(checkout: Path) -> None:
    """With a mysqlclient of which nothing can be made."""
    make_real_venv(checkout)
    package = checkout / "mysqlclient-2.tar.gz"
    with tarfile.open(package, "w:gz") as archive:
        for name, text in {
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "broken"\nbackend-path = ["."]\n',
            "broken.py": "raise OSError('no compiler')\n",
        }.items():
            told = tarfile.TarInfo(f"mysqlclient-2/{name}")
            told.size = len(text)
            archive.addfile(told, BytesIO(text.encode()))
    digest = hashlib.sha256(package.read_bytes()).hexdigest()
    (checkout / "requirements/prod.txt").write_text(f"mysqlclient @ file://{package} --hash=sha256:{digest}\n")
    line = complaint(make(checkout, "fleet"))
    assert line.startswith("Couldn't install requirements/prod.txt (mysqlclient can't be compiled): ")
    assert "libmariadb-dev" in line


def test_a_ready_checkout_starts_without_installing(checkout: Path) -> None:
    make_real_venv(checkout)
    shutil.copy(checkout / "requirements/base.txt", checkout / ".venv/base.installed")
    done = make(checkout, "run", "PORT=8123")
    assert (done.returncode, done.stdout, done.stderr) == (0, "started start --port 8123\n", "")


@pytest.mark.parametrize("broken", ["half-made", "no pip", "no python"])
def test_a_broken_venv_is_made_anew(checkout: Path, broken: str) -> None:
    for name in ("base", "dev", "prod"):
        (checkout / f"requirements/{name}.txt").write_text("")
    if broken == "half-made":
        make_real_venv(checkout)
        (checkout / ".venv/half-made").touch()
    elif broken == "no pip":
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", checkout / ".venv"], check=True, timeout=60)
    else:
        (checkout / ".venv/bin").mkdir(parents=True)
        (checkout / ".venv/bin/python").symlink_to("/nowhere/python3")
    done = make(checkout, "run", PYTHON=sys.executable)
    assert done.returncode == 0, done.stderr
    assert "Making .venv" in done.stdout
    assert done.stdout.endswith("started start --port 8000\n")
    assert not (checkout / ".venv/half-made").exists()
    assert make(checkout, "run").stdout == "started start --port 8000\n"


def make_real_venv(folder: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", folder / ".venv"], check=True, timeout=60)
