"""The files of deploy/ as their own programs read them: nginx, systemd, Compose's schema, hadolint, sh."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from deploy.fleet.files import fill
from deploy.fleet.processes import read_environment
from tests.services import ROOT, GunicornServer, free_port, program

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
RUN_AS = re.compile(r"^    \"(\w+) ", re.MULTILINE)


def run(*command: str | Path, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, timeout=60, check=False
    )


# -- nginx --------------------------------------------------------------------------------------------------------------


@pytest.mark.nginx
@pytest.mark.parametrize("optional", [(), ("tls",), ("cdn",), ("tls", "cdn")], ids=" and ".join)
def test_nginx_takes_the_site_filled_in_as_documented(tmp_path: Path, optional: tuple[str, ...]) -> None:
    own = {f"BLOG_{name}": f"{tmp_path}/{name.lower()}" for name in ("STATIC", "MEDIA", "CACHE", "ACCESS_LOG")}
    own |= {"BLOG_CERTIFICATE": f"{tmp_path}/chain.pem", "BLOG_CERTIFICATE_KEY": f"{tmp_path}/key.pem"}
    own["BLOG_LISTEN"] = f"listen 127.0.0.1:{free_port()};"
    make_certificate(tmp_path)
    shutil.copytree(DEPLOY / "nginx/snippets", tmp_path / "snippets")
    (tmp_path / "blog.conf").write_text(filled_in("deploy/nginx/blog.conf", own))
    for name in optional:
        file = f"blog-optional-{name}.conf"
        text = filled_in(f"deploy/nginx/optional/{file}", own)
        # Ports that every user may take, on a machine without IPv6, too.
        text = text.replace("listen 443", f"listen 127.0.0.1:{free_port()}").replace("listen [::]:443 ssl http2;", "")
        (tmp_path / "snippets" / file).write_text(text)
    around = "include /etc/nginx/mime.types; " + " ".join(
        f"{name}_temp_path {name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (tmp_path / "nginx.conf").write_text(f"pid pid; events {{}} http {{ {around} include blog.conf; }}")
    tested = run(program("nginx"), "-t", "-p", tmp_path, "-c", "nginx.conf", "-e", "stderr")
    assert tested.returncode == 0, tested.stderr
    assert "[warn] conflicting" not in tested.stderr


def filled_in(template: str, own: dict[str, str]) -> str:
    """The template by the commands in blog.env's head; what is named here wins over the example."""
    text = (ROOT / template).read_text()
    if "${BLOG" not in text:
        return text
    head = (DEPLOY / "nginx/blog.env").read_text().splitlines()
    commands = "\n".join(line[4:] for line in head if line.startswith("#   "))
    assert ". deploy/nginx/blog.env; set +a" in commands and "envsubst" in commands
    commands = commands.replace("set +a", 'eval "$own"; set +a').replace("deploy/nginx/blog.conf", template)
    script = f"own=$(export -p | grep BLOG_)\n{commands.partition(' >')[0]}"
    done = run("sh", "-euc", script, **own)
    assert done.returncode == 0, done.stderr
    assert "${BLOG" not in done.stdout
    return done.stdout


def make_certificate(folder: Path) -> None:
    names = ["-subj", "/CN=blog.example.com", "-addext", "subjectAltName=DNS:blog.example.com"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "chain.pem")]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run(["openssl", "req", "-x509", *kind, *names, *files], check=True, capture_output=True, timeout=60)


def test_what_nginx_needs_has_an_example_and_a_value_everywhere() -> None:
    asked = set(re.findall(r"\$\{(BLOG_\w+)\}", (DEPLOY / "nginx/blog.conf").read_text()))
    example = set(read_environment(DEPLOY / "nginx/blog.env"))
    assert asked <= example
    image = (DEPLOY / "Dockerfile").read_text().partition("AS nginx")[2]
    said = set(re.findall(r"(BLOG_\w+)=", image + (DEPLOY / "nginx/names.envsh").read_text()))
    assert asked <= said | set(compose()["services"]["nginx"]["environment"])
    fill((DEPLOY / "nginx/blog.conf").read_text(), dict.fromkeys(asked, ""))


@pytest.mark.parametrize(
    ("site", "names"),
    [
        ("http://127.0.0.1:8080", "127.0.0.1:8080 127.0.0.1"),
        ("https://Blog.Example.com", "blog.example.com blog.example.com"),
        ("https://blog.example.com:8443/", "blog.example.com:8443 blog.example.com"),
        ("http://[::1]:8080", "[::1]:8080 [::1]"),
        ("http://[::1]", "[::1] [::1]"),
    ],
)
def test_the_image_of_nginx_answers_to_the_name_in_site_url(site: str, names: str) -> None:
    script = '. deploy/nginx/names.envsh; echo "$BLOG_HOST_AND_PORT $BLOG_SERVER_NAME"'
    assert run("sh", "-euc", script, SITE_URL=site).stdout.strip() == names
    assert run("sh", "-euc", script, SITE_URL=site, BLOG_SERVER_NAME="a b").stdout.endswith(" a b\n")


# -- systemd ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units with this checkout as the place where the program lies."""
    for file in (DEPLOY / "systemd").iterdir():
        (tmp_path / file.name).write_text(file.read_text().replace("/srv/blog_xtg", str(ROOT)))
    return tmp_path


@pytest.mark.systemd
def test_systemd_takes_the_units(units: Path) -> None:
    files = sorted(file for file in units.iterdir() if file.suffix in {".service", ".target"})
    assert len(files) == 5
    done = run(program("systemd-analyze"), "verify", "--man=no", *files)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.systemd
@pytest.mark.parametrize("unit", UNITS, ids=[unit.stem for unit in UNITS])
def test_a_unit_may_do_little(units: Path, unit: Path) -> None:
    # From 0 (nothing) to 100 (everything); what has not been hardened at all stands at 96.
    done = run(program("systemd-analyze"), "security", "--offline=yes", "--threshold=20", units / unit.name)
    assert done.returncode == 0, done.stdout[-500:]


@pytest.mark.parametrize("unit", UNITS, ids=[unit.stem for unit in UNITS])
def test_a_unit_may_write_where_its_environment_says(unit: Path) -> None:
    text = unit.read_text()
    assert "\nProtectSystem=strict\n" in text
    allowed = [
        Path(folder) for line in re.findall(r"^ReadWritePaths=(.*)$", text, re.MULTILINE) for folder in line.split()
    ]
    named = {Path(folder) for folder in re.findall(r"^Environment=\w+=(/.*)$", text, re.MULTILINE)}
    # Uploads, of which the unit says nothing, lie where nginx's example looks for them and the nightly copy as well.
    uploads = read_environment(DEPLOY / "nginx/blog.env")["BLOG_MEDIA"]
    assert f" -C {uploads} ." in (ROOT / "docs/deployment.md").read_text()
    for folder in named | {Path(uploads)}:
        assert any(folder.is_relative_to(parent) for parent in allowed), folder
    # Folders that a unit needs are made when its host starts.
    made = re.findall(r"^D (\S+)", (DEPLOY / "systemd/blog.tmpfiles.conf").read_text(), re.MULTILINE)
    assert {str(folder) for folder in allowed} <= {"/srv/blog_xtg/var", *made}


def test_what_answers_readers_has_started_when_it_answers_and_holds_many_of_them() -> None:
    for name in ("web", "live"):
        text = (DEPLOY / f"systemd/blog-{name}@.service").read_text()
        assert "\nExecStartPost=/srv/blog_xtg/deploy/run alive %i\n" in text
        assert "\nLimitNOFILE=65536\n" in text


def test_a_unit_is_started_again_whatever_ended_it() -> None:
    for unit in UNITS:
        text = unit.read_text()
        for line in ("Restart=always", "RestartSec=1", "StartLimitIntervalSec=0", "User=blog", "PartOf=blog.target"):
            assert f"\n{line}\n" in text, f"{unit.name}: {line}"


# -- Containers ---------------------------------------------------------------------------------------------------------


def compose() -> dict:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


@pytest.mark.compose_schema
def test_compose_follows_the_specification() -> None:
    done = run(program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_holds_together() -> None:
    file = compose()
    services, volumes = file["services"], file["volumes"]
    assert {"mariadb", "redis", "nginx", "web-1", "web-2", "live", "worker", "beat"} <= set(services)
    for name, service in services.items():
        for other, condition in service.get("depends_on", {}).items():
            wanted = condition["condition"]
            assert (wanted == "service_healthy") is not services[other].get("healthcheck", {}).get("disable", False)
            assert wanted == "service_healthy" or services[other]["restart"] == "no", f"{name} waits for {other}"
        for volume in service.get("volumes", []):
            assert volume.split(":")[0] in volumes
        for config in service.get("configs", []):
            assert (DEPLOY / file["configs"][config["source"]]["file"]).is_file()
        assert service["restart"] == ("no" if name in {"secrets", "prepare"} else "always")
    # A password stands in no file of the repository, and no variable that `docker inspect` would show holds one.
    shown = " ".join(str(service.get("environment", "")) for service in services.values())
    assert not re.search(r"(PASSWORD|SECRET_KEY|_URL)'?: '?[^/$,}]*:[^/]", shown.replace("PASSWORD_FILE", ""))


@pytest.mark.hadolint
def test_the_dockerfile_is_clean() -> None:
    done = run(program("hadolint"), DEPLOY / "Dockerfile")
    assert done.returncode == 0, done.stdout


def test_the_images_run_without_root_and_tell_their_health() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    app, nginx = (text.partition(f"AS {name}\n")[2].partition("\nFROM ")[0] for name in ("app", "nginx"))
    assert "\nUSER 10001\n" in app and "nginx-unprivileged" in text
    assert "HEALTHCHECK" in app and "HEALTHCHECK" in nginx
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert "*" in ignored  # and then what is wanted
    for wanted in (line[1:] for line in ignored if line.startswith("!")):
        assert (ROOT / wanted).exists()


# -- What starts the processes, everywhere the same --------------------------------------------------------------------


def test_everybody_starts_what_the_door_knows() -> None:
    known = set(RUN_AS.findall((DEPLOY / "run").read_text()))
    assert {"web", "live", "worker", "beat", "healthy", "alive", "workers", "manage", "celery"} == known
    callers = [*UNITS, DEPLOY / "Dockerfile", DEPLOY / "compose.yaml", DEPLOY / "fleet/table.toml"]
    for file in callers:
        asked = re.findall(r"deploy/run\W+(\w+)", file.read_text())
        assert asked and set(asked) <= known, file.name


@pytest.mark.gunicorn
@pytest.mark.mariadb
def test_who_waits_for_a_process_is_told_when_it_answers_though_the_database_be_away() -> None:
    app = GunicornServer(DATABASE_URL=f"mysql://blog:blog@127.0.0.1:{free_port()}/blog")
    waiting = subprocess.Popen([DEPLOY / "run", "alive", str(app.port)], cwd=ROOT, stderr=subprocess.PIPE)
    try:
        time.sleep(0.5)
        assert waiting.poll() is None
        with app:
            assert waiting.wait(30) == 0
            ready = run(DEPLOY / "run", "healthy", str(app.port))
            assert (ready.returncode, "503" in ready.stderr) == (1, True)
        assert "refused" in run(DEPLOY / "run", "healthy", str(app.port)).stderr
        assert run(DEPLOY / "run", "alive", str(app.port), MAINPID="999999999").returncode == 1
    finally:
        waiting.kill()
        waiting.communicate()


def test_the_door_says_what_it_knows() -> None:
    done = run(DEPLOY / "run", "nonsense")
    assert done.returncode == 2
    assert "deploy/run worker 1" in done.stderr


def test_every_setting_has_an_example() -> None:
    examples = set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    settings = (ROOT / "blog_xtg/settings.py").read_text()
    asked = set(re.findall(r"\benv(?:\.\w+)?\(\s*\"(\w+)\"", settings))
    asked |= set(re.findall(r"\$\{([A-Z_]+):-", (DEPLOY / "run").read_text()))
    assert asked and asked <= examples


def test_secrets_are_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    texts = []
    for _ in range(2):
        assert run(DEPLOY / "secrets.sh", folder, "mariadb:3306", "redis:6379").returncode == 0
        texts.append({file.name: file.read_text() for file in folder.iterdir()})
    assert texts[0] == texts[1] and set(texts[0]) == {"environment", "mariadb-password", "redis.conf"}
    assert not any(file.stat().st_mode & 0o077 for file in [folder, *folder.iterdir()])
    known, password = read_environment(folder / "environment"), texts[0]["mariadb-password"]
    redis_password = texts[0]["redis.conf"].split()[1]
    assert known["DATABASE_URL"] == f"mysql://blog:{password}@mariadb:3306/blog"
    assert known["REDIS_URL"] == f"redis://:{redis_password}@redis:6379/0"
    assert len({password, redis_password, known["SECRET_KEY"]}) == 3
    assert min(len(word) for word in (password, redis_password, known["SECRET_KEY"])) >= 48
    environ = {"PATH": os.environ["PATH"], "ENV_FILE": str(folder / "environment")}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
