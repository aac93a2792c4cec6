"""The fleet of `make fleet`: what its commands promise, upgrades during requests, and people who go from host to host."""

import os
import re
import signal
import time
from io import BytesIO
from urllib.parse import urlencode

import pytest
from PIL import Image

from deploy.fleet import control
from deploy.fleet.files import Fleet
from deploy.fleet.processes import Trouble
from tests.fleet.pressing import Wrk
from tests.fleet.whole import Load, WholeFleet, ask
from tests.posts.test_admin import FORM
from tests.services import wait_until

pytestmark = [pytest.mark.mariadb, pytest.mark.redis, pytest.mark.nginx, pytest.mark.gunicorn]

FORM_TYPE = "application/x-www-form-urlencoded"


def test_it_says_what_runs_and_how_to_become_administrator(whole_fleet: WholeFleet) -> None:
    assert f"http://127.0.0.1:{whole_fleet.port}/setup/?token=" in whole_fleet.said
    status = whole_fleet.command("status")
    assert status.returncode == 0, status.stdout
    lines = {line[2:16].strip(): line for line in status.stdout.splitlines()[:-1]}
    assert set(lines) == {part.name for part in whole_fleet.fleet.parts}
    assert all(" answers " in line for line in lines.values())
    # The output of each goes to a file of its own.
    assert all(whole_fleet.fleet.log(part).exists() for part in whole_fleet.fleet.parts)


def test_what_does_not_answer_is_named_with_the_end_of_its_log(
    whole_fleet: WholeFleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "host1 live"
    monkeypatch.setattr(control, "ALL_WELL_SECONDS", 1)
    starts = {part.name: whole_fleet.started(part.name) for part in whole_fleet.fleet.parts}
    with whole_fleet.held_down(name):
        time.sleep(0.5)
        with pytest.raises(Trouble, match="host1 live is not running: killed by SIGKILL at") as told:
            control.wait(whole_fleet.fleet, whole_fleet.fleet.parts, 1)
        assert re.findall(r"^(\w+ \w+) (?:runs|is not running)", str(told.value), re.MULTILINE) == [name]
        last_line = whole_fleet.fleet.log(whole_fleet.part(name)).read_text().splitlines()[-1]
        assert last_line[:200] in str(told.value)
        assert whole_fleet.command("status").returncode == 1
        # No host is restarted while another one is in trouble.
        with pytest.raises(Trouble, match=r"^host1 live is not running"):
            control.reload(whole_fleet.fleet)
        assert {part.name: whole_fleet.started(part.name) for part in whole_fleet.fleet.parts} == starts
    control.wait(whole_fleet.fleet, [whole_fleet.part(name)], 30)


def test_commands_reach_the_fleet(whole_fleet: WholeFleet) -> None:
    told = whole_fleet.command("manage", "doctor")
    assert told.stdout.startswith(f"ok       http://127.0.0.1:{whole_fleet.port} is a fleet."), told.stdout
    again = whole_fleet.command("start")
    assert (again.returncode, "token=" in again.stdout) == (0, False)  # the link printed first is still good


def test_a_running_fleet_takes_no_other_hosts(whole_fleet: WholeFleet) -> None:
    with pytest.raises(Trouble, match=", with 2 hosts: make fleet-stop"):
        control.start(Fleet(whole_fleet.fleet.folder, str(whole_fleet.port), "3"))


def test_beats_of_which_none_works_are_named(whole_fleet: WholeFleet) -> None:
    beats = [part for part in whole_fleet.fleet.parts if part.name.endswith(" beat")]
    pids = [whole_fleet.fleet.pid(part) for part in beats]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: control.silent_parts(whole_fleet.fleet, whole_fleet.fleet.parts) == beats, 20)
        with pytest.raises(Trouble, match=r"host1 beat runs \(pid \d+\) and nobody holds redbeat::lock"):
            control.wait(whole_fleet.fleet, beats, 0)
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    wait_until(whole_fleet.is_well, 60)


class Owner:
    """Signed in, on whichever host is asked."""

    def __init__(self, whole: WholeFleet) -> None:
        self.whole = whole
        self.cookies: dict[str, str] = {}

    def ask(self, host: str, path: str, fields: dict | None = None, body: bytes | None = None, kind: str = FORM_TYPE):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if fields is not None:
            body = urlencode({**fields, "csrfmiddlewaretoken": self.cookies["csrftoken"]}).encode()
        if body is not None:
            headers |= {"Content-Type": kind, "X-CSRFToken": self.cookies["csrftoken"]}
        part = self.whole.part("nginx" if host == "nginx" else f"{host} web")
        method = "GET" if body is None else "POST"
        status, answered, text = ask(part.port, path, headers, method=method, body=body, address=part.address)
        for cookie in answered.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return status, answered, text

    def sign_in(self, host: str) -> None:
        assert self.ask(host, "/admin/login/")[0] == 200
        status, _headers, text = self.ask(
            host, "/admin/login/?next=/admin/", {"username": "owner", "password": "a-long-password"}
        )
        assert status == 302, text

    def is_signed_in(self, host: str) -> bool:
        return bool(self.ask(host, "/admin/")[0] == 200)


@pytest.fixture(scope="module")
def owner(whole_fleet: WholeFleet) -> Owner:
    owner = Owner(whole_fleet)
    owner.sign_in("host1")
    return owner


@pytest.mark.wrk
def test_an_upgrade_fails_no_request_and_signs_nobody_out(whole_fleet: WholeFleet, owner: Owner) -> None:
    before = {part.name: whole_fleet.started(part.name) for part in whole_fleet.fleet.parts}
    page = f"{whole_fleet.fleet.url}{whole_fleet.discussed}"
    kept, made = Wrk(page, 8), Wrk(page, 8, Cookie="commented=1")
    anew = Wrk(page, 4, Connection="close")  # a connection for each request
    with Load(whole_fleet) as load, kept, made, anew:
        time.sleep(1)
        done = whole_fleet.command("reload")
        assert done.returncode == 0, done.stdout + done.stderr
        time.sleep(1)
    assert load.failed == []
    assert load.asked["read"] > 100 and len(load.acknowledged) > 10
    print(dict(load.asked), f"{len(load.acknowledged)} comments acknowledged, nothing failed")
    print(
        f"wrk: {kept.answered} from nginx's cache, {kept.broken}; {made.answered} past it, {made.broken};"
        f" {anew.answered} on connections of their own, {anew.broken}"
    )
    for wrk in (kept, made, anew):
        assert (wrk.refused, sum(wrk.broken.values())) == (0, 0) and wrk.answered > 100, wrk.said
    assert load.lost_and_doubled() == (0, 0)
    for part in whole_fleet.fleet.parts:
        assert whole_fleet.started(part.name) == before[part.name] + bool(part.host), part.name
    assert all(owner.is_signed_in(host) for host in ("host1", "host2", "nginx"))


def test_signed_in_on_one_host_who_writes_on_the_other_is_read_on_both(whole_fleet: WholeFleet, owner: Owner) -> None:
    assert owner.ask("host2", "/admin/posts/post/add/")[0] == 200
    status, _headers, text = owner.ask("host2", "/admin/posts/post/add/", {**FORM, "title": "From host to host"})
    assert status == 302, text
    for host in ("host1", "host2", "nginx"):
        assert "From host to host" in owner.ask(host, "/")[2]


def test_a_picture_uploaded_on_one_host_is_seen_on_both(owner: Owner) -> None:
    picture, edge = BytesIO(), "an-edge"
    Image.new("RGB", (8, 8), "red").save(picture, "PNG")
    head = (
        f'--{edge}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    )
    body = head.encode() + picture.getvalue() + f"\r\n--{edge}--\r\n".encode()
    kind = f"multipart/form-data; boundary={edge}"
    status, _headers, text = owner.ask("host1", "/admin/editor/upload/", body=body, kind=kind)
    assert status == 200, text
    address = re.search(r"/media/uploads/[\w/.]+", text)[0]
    answers = {host: owner.ask(host, address) for host in ("host1", "host2", "nginx")}
    assert {status for status, _headers, _text in answers.values()} == {200}
    assert len({text for _status, _headers, text in answers.values()}) == 1


def test_who_is_signed_in_stays_so_when_redis_restarts(whole_fleet: WholeFleet, owner: Owner) -> None:
    before = whole_fleet.started("redis")
    control.restart(whole_fleet.fleet, [whole_fleet.part("redis")])
    assert whole_fleet.started("redis") == before + 1
    assert all(owner.is_signed_in(host) for host in ("host1", "host2", "nginx"))
