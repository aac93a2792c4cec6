"""`deploy/run manage` looks at the fleet's blog: its environment is read as systemd reads it, by no shell."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from deploy.environment import as_systemd_reads
from tests.services import ROOT

RUN = ROOT / "deploy/run"


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=mysql://h/blog?ssl_mode=VERIFY_IDENTITY&ssl_ca=/etc/ssl/db.pem", None),
        ("A=pa$$w0rd", None),
        ("A=$HOME and ${HOME} and `id`", None),
        ("A=a#b;c#d", None),
        ("A=a|b>c<d(e)!*?", None),
        ("A=a=b", None),
        ("A=", ""),
        ("  A = a b  ", "a b"),
        ("A='a $b \\c'  ", "a $b \\c"),
        ('A="a $b \\$c \\" \\\\ \\n"', 'a $b $c " \\ \\n'),
        ("A=a\"b\"'c'", None),
        ("A='x'\"y\" z", "xyz"),
        ("A=a\\ b\\$c\\\\", "a b$c\\"),
        ("A=a\\\nb", "ab"),
        ('A="a\nb"', "a\nb"),
        ("A='a\nb'", "a\nb"),
        ("# B=1\nA=x", "x"),
        ("; B=1 \\\n B=2\nA=x", "x"),
        ("nonsense\nA=x\n\n", "x"),
        ("A=1\nA=2", "2"),
        ("A=x\r\n", "x"),
        ("A='never closed", "never closed"),
    ],
)
def test_a_line_means_what_it_means_to_systemd(line: str, value: str | None) -> None:
    assert as_systemd_reads(line) == {"A": line.partition("=")[2] if value is None else value}


def test_what_is_no_variable_is_left_out() -> None:
    assert as_systemd_reads("export A=1\n2B=3\nC D=4\n=5\nÄ=6\nE=7") == {"E": "7"}


def test_a_command_runs_with_it_and_not_with_the_shells(tmp_path: Path) -> None:
    file = tmp_path / "environment"
    file.write_text(
        f"SECRET_KEY=pa$$w0rd&'x' #1\nSITE_URL=https://blog.example.com\nDATABASE_URL=sqlite:///{tmp_path}/blog.sqlite3?a=1&b=2\n"
    )
    environ = {
        "PATH": os.environ["PATH"],
        "FLEET_ENVIRONMENT": str(file),
        "ENV_FILE": os.devnull,
        "SITE_URL": "http://x",
    }
    done = subprocess.run(
        [RUN, "manage", "diffsettings"], env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    told = dict(line.split(" = ", 1) for line in done.stdout.splitlines() if " = " in line)
    assert told["SECRET_KEY"] == "\"pa$$w0rd&'x' #1\""
    assert told["SITE_URL"] == "'https://blog.example.com'  ###"
    done = subprocess.run(
        [RUN, "manage", "doctor"],
        env={**environ, "FLEET_ENVIRONMENT": f"{tmp_path}/none"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"{tmp_path}/none can't be read (No such file or directory): run this as root")


BARE = re.compile(
    r"(?<!deploy/run )(?:\bmanage\.py \w|`manage\.py \w|\bcelery (?:-A|inspect|call|purge|status|control))"
)


@pytest.mark.parametrize("page", ["deployment.md", "runbook.md"])
def test_commands_are_printed_as_they_look_at_the_fleet(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    faults = [line for line in text.splitlines() if BARE.search(line) and "`manage.py` by itself" not in line]
    assert faults == []
    assert "set -a" not in text and not re.search(r"^\s*\. /etc", text, re.MULTILINE)
    known = set(re.findall(r"^    \"(\w+) ", RUN.read_text(), re.MULTILINE))
    assert set(re.findall(r"deploy/run (\w+)", text)) <= known


def test_recipes_leave_no_secret_open() -> None:
    text = (ROOT / "docs/deployment.md").read_text()
    scripts = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    for script in (re.sub(r"(^|\s)#.*", "", script) for script in scripts):
        if "mariadb-dump" in script or "tar -c" in script:
            assert script.index("umask 077") < min(script.index("mariadb-dump"), script.index("tar -c"))
        # A command line is everybody's to read.
        assert not re.search(r"-p\S*\$\(|(?:-e|--execute)\b.*(?:\n.*)*IDENTIFIED BY", script)
        assert not re.search(r"redis-cli .*(?:-a|-u) ", script)


@pytest.mark.parametrize(
    "file", ["Dockerfile", *(f"systemd/blog-{name}@.service" for name in ("web", "live", "worker"))]
)
def test_memory_is_given_back_wherever_python_runs(file: str) -> None:
    text = (ROOT / "deploy" / file).read_text()
    assert "MALLOC_ARENA_MAX=2" in text and "MALLOC_TRIM_THRESHOLD_=131072" in text


def test_an_end_comes_before_it_is_made() -> None:
    graceful = int(re.findall(r"^graceful_timeout = (\d+)", (ROOT / "deploy/gunicorn.conf.py").read_text(), re.M)[0])
    for name in ("web", "live"):
        unit = (ROOT / f"deploy/systemd/blog-{name}@.service").read_text()
        assert graceful < int(re.findall(r"^TimeoutStopSec=(\d+)", unit, re.M)[0]) <= 10
