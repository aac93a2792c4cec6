"""The reports of a running fleet about itself: its log, its figures, whether it is well."""

import asyncio
import json
import os
import re
import signal
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from prometheus_client.parser import text_string_to_metric_families

from tests.factories import make_administrator, make_post
from tests.proxy import BlogNginx
from tests.services import BlogServer, CeleryProcess, GunicornServer, LiveServer, MariaDB, Redis, free_port, wait_until
from tests.smtp import SMTPServer
from tests.websocket import WebSocket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database("mariadb"), pytest.mark.gunicorn]
PATIENCE_SECONDS = 30


@dataclass
class Watched:
    pages: GunicornServer
    live: LiveServer
    worker: CeleryProcess
    nginx: BlogNginx
    redis: Redis
    smtp: SMTPServer
    folder: Path
    environ: dict[str, str]


@pytest.fixture(scope="module")
def watched(
    django_db_setup: None, mariadb_server: MariaDB, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Watched]:
    """Two page workers, a live server, a Celery worker and nginx, on the tests' database and a Redis of their own."""
    folder = tmp_path_factory.mktemp("figures")
    with ExitStack() as running:
        redis, smtp = running.enter_context(Redis()), running.enter_context(SMTPServer())
        environ = {
            "DATABASE_URL": mariadb_server.url.removesuffix("blog") + str(connection.settings_dict["NAME"]),
            "REDIS_URL": redis.url,
            "TRUSTED_PROXIES": "1",
            "SITE_URL": "http://127.0.0.1",  # nginx hands on its own name with its port
            "ALLOWED_HOSTS": "*",
            "BLOG_HOST": "first",
            "EMAIL_URL": smtp.url,
        }
        figures = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
        worker = running.enter_context(CeleryProcess("worker", **environ))
        pages = running.enter_context(GunicornServer(2, **environ, **figures))
        live = running.enter_context(LiveServer(**environ, **figures))
        nginx = running.enter_context(BlogNginx([pages.port], live.port, folder))
        yield Watched(pages, live, worker, nginx, redis, smtp, folder, environ)


def ask(url: str, data: dict[str, str] | None = None, **headers: str) -> Any:
    """The answer, whatever its status; `.headers`, `.status`, `.read()`."""
    body = urllib.parse.urlencode(data).encode() if data is not None else None
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        return urllib.request.urlopen(urllib.request.Request(url, body, named), timeout=20)
    except urllib.error.HTTPError as error:
        return error


def lines(server: BlogServer) -> list[dict[str, Any]]:
    """The records of its log by time; each worker writes some at once. All must be one, but for Celery's greeting."""
    text = server.log
    if isinstance(server, CeleryProcess):
        text = "\n".join(line for line in text.splitlines() if line.startswith("{"))
    return sorted((json.loads(line) for line in text.splitlines()), key=lambda line: str(line["time"]))


def line_of(server: BlogServer, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The one record that is wanted, once it is there."""
    wait_until(lambda: any(wanted(line) for line in lines(server)), PATIENCE_SECONDS, lambda: server.log[-4000:])
    (found,) = [line for line in lines(server) if wanted(line)]
    return found


Figures = dict[str, list[tuple[dict[str, str], float]]]


def figures(server: BlogServer) -> Figures:
    text = ask(f"{server.url}/metrics").read().decode()
    found: Figures = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def figure(told: Figures, name: str, **labels: str) -> float:
    return sum(value for found, value in told.get(name, []) if labels.items() <= found.items())


# -- The log ------------------------------------------------------------------------------------------------------------


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


def comment(watched: Watched, post_path: str) -> Any:
    """Send one by the form, through nginx; return the answer."""
    opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()), Stay())
    address = f"{watched.nginx.url}{post_path}comment/"
    form = opener.open(f"{address}?part", timeout=20).read().decode()
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    said = {"author_name": "Ada", "author_email": "ada@example.com", "body": "A thought."}
    request = urllib.request.Request(address, urllib.parse.urlencode({**hidden, **said}).encode(), {"Referer": address})

    try:
        return opener.open(request, timeout=20)
    except urllib.error.HTTPError as error:
        return error


def test_a_request_has_one_id_from_nginx_to_the_worker(watched: Watched) -> None:
    post = make_post(author=make_administrator(email="writer@example.com"))
    answer = comment(watched, f"/article/{post.pk}/")
    assert answer.status in {201, 302}, answer.read()
    (request_id,) = answer.headers.get_all("X-Request-Id")
    wait_until(lambda: request_id in {line["request_id"] for line in watched.nginx.requests()}, PATIENCE_SECONDS)
    access = line_of(watched.pages, lambda line: line.get("request_id") == request_id and line["logger"] == "access")
    assert access["method"] == "POST" and access["path"] == f"/article/{post.pk}/comment/"
    assert access["status"] == answer.status and access["duration_ms"] > 0 and access["queries"] > 3
    assert access["view"] == "comments:add" and access["host"] == "first"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", access["time"])
    done = line_of(
        watched.worker, lambda line: line.get("request_id") == request_id and line["logger"] == "celery.app.trace"
    )
    assert done["task"] == "apps.comments.mail.tasks.deliver_mail" and done["host"] == "first"
    assert done["level"] == "info" and "succeeded" in done["message"]
    wait_until(lambda: len(watched.smtp.letters) == 1, PATIENCE_SECONDS)


def test_every_line_is_a_record_and_none_holds_a_secret(watched: Watched) -> None:
    for server in (watched.pages, watched.live):
        for path in ("/comments/mail/stop/t0psecret/", "/comments/mail/confirm/t0psecret/", "/setup/?token=t0psecret"):
            ask(f"{server.url}{path}")
        ask(f"{server.url}/search/?q=t0psecret")
        ask(f"{server.url}/", X_Request_Id='", "level": "' + "x" * 20)
    asked = ["/comments/mail/…", "/comments/mail/…", "/setup/", "/search/", "/"]

    def paths(server: BlogServer) -> list[str]:
        return [line["path"] for line in lines(server) if line["logger"] == "access"]

    for server in (watched.pages, watched.live):
        # Threads write them, in any order.
        wait_until(lambda server=server: sorted(paths(server)[-5:]) == sorted(asked), PATIENCE_SECONDS)
        assert not {"/healthz", "/metrics"} & set(paths(server))
    for server in (watched.pages, watched.live, watched.worker):
        assert len(lines(server)) > 3
        assert "t0psecret" not in server.log
        for line in lines(server):
            assert {"time", "level", "logger", "host", "process"} <= set(line)
            assert line["level"] in {"info", "warning"}, line
    assert {line["process"] for line in lines(watched.pages) if line["logger"] == "gunicorn.error"}


def test_nobody_is_shown_the_id_of_another_request(watched: Watched) -> None:
    """A page is kept, by the app and by nginx; its answer's id is not."""
    post = make_post()
    seen = set()
    for url in [watched.nginx.url] * 3 + [watched.pages.url] * 3:
        answer = ask(f"{url}{post.get_absolute_url()}", X_Request_Id="0" * 32 if url == watched.nginx.url else "1" * 32)
        assert answer.status == 200
        (request_id,) = answer.headers.get_all("X-Request-Id")
        seen.add(request_id)
    assert "1" * 32 in seen  # who asks the app itself is the proxy that is trusted
    assert "0" * 32 not in seen and len(seen) == 4


# -- The figures --------------------------------------------------------------------------------------------------------


def test_any_worker_tells_the_figures_of_all(watched: Watched) -> None:
    before, post = figures(watched.pages), make_post()
    page = f"{watched.pages.url}{post.get_absolute_url()}"
    for _ in range(20):
        assert ask(page).status == 200
    ask(f"{watched.live.url}/no/such/page/")
    for _ in range(3):  # whoever is asked
        told = figures(watched.pages)

        def more(name: str, told: Figures = told, **labels: str) -> float:
            return figure(told, name, **labels) - figure(before, name, **labels)

        rendered = more("blog_request_seconds_count", view="posts:detail", status="200")
        assert rendered in {1, 2, 3}  # by each worker once, and once more where the memory was not believed yet
        assert more("blog_request_seconds_count", view="kept page") == 20 - rendered
        assert more("blog_request_seconds_count", status="404") == 1
        assert more("blog_page_cache_misses_total") >= rendered
        assert more("blog_database_query_seconds_count") >= rendered
    assert {labels["level"] for labels, _value in told["blog_components_read_total"]} >= {"redis", "database"}
    assert figure(told, "blog_host_info", host="first") == 1
    assert {labels["part"]: value for labels, value in told["blog_part_up"]} == {
        "database": 1,
        "migrations": 1,
        "redis": 1,
    }
    assert abs(figure(told, "blog_clock_ahead_seconds")) < 1
    assert figure(told, "blog_queue_jobs") == 0


def test_a_killed_process_is_no_longer_present(watched: Watched) -> None:
    def alive() -> set[str]:
        return {path.stem.rpartition("_")[2] for path in watched.folder.glob("gauge_livemin_*.db")}

    figures(watched.pages)
    before = alive()
    (pid, *_rest) = {line["process"] for line in lines(watched.pages) if line["logger"] == "access"}
    assert str(pid) in before
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: str(pid) not in alive(), PATIENCE_SECONDS)
    requests = figure(figures(watched.pages), "blog_request_seconds_count")
    assert requests > 0  # what it had counted, counts


def test_the_queue_the_jobs_and_the_beat_are_told(watched: Watched) -> None:
    told = figures(watched.pages)
    deliver = "apps.comments.mail.tasks.deliver_mail"
    with watched.redis.client() as client:
        client.select(3)
        assert figure(told, "blog_beat_locked") == client.exists("redbeat::lock")
    done = figure(told, "blog_task_runs_total", task=deliver, outcome="ok")
    watched.worker.stop()
    try:
        # A command sends the job that a web process would have sent.
        watched.pages.manage(
            *("shell", "--verbosity=0", "-c"),
            "from apps.comments.tasks import *; from apps.stats.tasks import *; deliver_mail.delay(); flush_views.delay()",
        )
        wait_until(lambda: figure(figures(watched.pages), "blog_queue_oldest_seconds") > 1, PATIENCE_SECONDS)
        assert figure(figures(watched.pages), "blog_queue_jobs") == 2
    finally:
        watched.worker.start()
    wait_until(
        lambda: figure(figures(watched.pages), "blog_task_runs_total", task=deliver, outcome="ok") == done + 1,
        PATIENCE_SECONDS,
    )
    told = figures(watched.pages)
    assert figure(told, "blog_queue_jobs") == 0
    # A first failure is an increase only where none was told before.
    never_ran = {"task": "apps.stats.tasks.keep_bounded"}
    outcomes = {
        found["outcome"]: value for found, value in told["blog_task_runs_total"] if never_ran.items() <= found.items()
    }
    assert outcomes == {"ok": 0, "failed": 0, "retried": 0}
    assert figure(told, "blog_job_interval_seconds", task="apps.stats.tasks.flush_views") == 60
    assert figure(told, "blog_job_interval_seconds", task="apps.stats.tasks.reconcile_views") == 3600
    assert figure(told, "blog_job_interval_seconds", task="apps.stats.tasks.keep_bounded") == 86400
    times = {labels["task"]: at for labels, at in told["blog_job_success_timestamp_seconds"]}
    assert times[deliver] > times["apps.stats.tasks.keep_bounded"] > 0


def test_a_run_that_is_left_out_counts_for_nothing(watched: Watched) -> None:
    flush = "apps.stats.tasks.flush_views"

    def runs() -> dict[str, float]:
        return {
            labels["outcome"]: value
            for labels, value in figures(watched.pages)["blog_task_runs_total"]
            if labels["task"] == flush
        }

    def done_at() -> float:
        return figure(figures(watched.pages), "blog_job_success_timestamp_seconds", task=flush)

    def send() -> None:
        watched.pages.manage(
            "shell", "--verbosity=0", "-c", "from apps.stats.tasks import flush_views; flush_views.delay()"
        )

    before = runs(), done_at()
    with watched.redis.client() as client, client.lock(f"blog:job:{flush}", timeout=60):
        send()
        line_of(watched.worker, lambda line: f"{flush}[" in line["message"] and line["message"].endswith("ignored"))
    wait_until(lambda: figure(figures(watched.pages), "blog_queue_taken_jobs") == 0, PATIENCE_SECONDS)
    assert (runs(), done_at()) == before
    send()
    wait_until(lambda: runs().get("ok", 0) == before[0].get("ok", 0) + 1, PATIENCE_SECONDS)
    assert done_at() > before[1]


def test_a_task_whose_process_is_killed_has_failed_once(watched: Watched) -> None:
    ends = ("raises", "is_killed", "exits", "takes_too_long")

    def failed() -> dict[str, float]:
        told = figures(watched.pages)
        return {end: figure(told, "blog_task_runs_total", task=f"tests.{end}") for end in ends}

    watched.worker.stop()
    try:
        with CeleryProcess("worker", "tests.fleet.killed", **watched.environ) as worker:
            watched.pages.manage(
                *("shell", "--verbosity=0", "-c"),
                f"from tests.fleet import killed; [getattr(killed, end).delay() for end in {(*ends, 'raises')}]",
            )
            # The last one comes when all has been said of those before.
            wait_until(lambda: failed()["raises"] == 2, 2 * PATIENCE_SECONDS, lambda: worker.log[-4000:])
    finally:
        watched.worker.start()
    assert failed() == {"raises": 2, "is_killed": 1, "exits": 1, "takes_too_long": 1}
    told = figures(watched.pages)
    assert figure(told, "blog_task_runs_total", task="tests.takes_too_long", outcome="failed") == 1
    assert figure(told, "blog_queue_jobs") == figure(told, "blog_queue_taken_jobs") == 0


def test_the_beat_says_on_which_host_it_runs(watched: Watched) -> None:
    with CeleryProcess("beat", "tests.fleet.beating", **{**watched.environ, "BLOG_HOST": "second"}):
        # Threads write them, in any order.
        wait_until(
            lambda: figure(figures(watched.pages), "blog_beat_sent_timestamp_seconds", host="second") > 0,
            PATIENCE_SECONDS,
        )
        assert figure(figures(watched.pages), "blog_beat_locked") == 1


def test_open_pages_are_counted_for_all_processes(watched: Watched) -> None:
    post = make_post()

    async def read() -> None:
        pages = [await WebSocket.open(watched.live.port, f"/ws/article/{post.pk}/") for _ in range(3)]
        for page in pages:
            await page.hear()
        assert figure(await asyncio.to_thread(figures, watched.pages), "blog_websockets") == 3
        for page in pages:
            page.close()

    asyncio.run(read())
    wait_until(lambda: figure(figures(watched.pages), "blog_websockets") == 0, PATIENCE_SECONDS)


# -- Whether it is well -------------------------------------------------------------------------------------------------


def ready(server: BlogServer) -> tuple[int, dict[str, Any]]:
    answer = ask(f"{server.url}/readyz")
    return answer.status, json.loads(answer.read())


def test_without_redis_the_blog_is_ready_and_says_what_is_missing(watched: Watched) -> None:
    assert ready(watched.pages) == (
        200,
        {"status": "ready", "missing": [], "database": "ok", "migrations": "ok", "redis": "ok"},
    )
    watched.redis.stop()
    try:
        found: list[tuple[int, dict[str, Any]]] = []

        def is_degraded() -> bool:
            found.append(ready(watched.pages))
            return found[-1][1]["status"] == "degraded"

        wait_until(is_degraded, PATIENCE_SECONDS)
        assert {status for status, _told in found} == {200} and found[-1][1]["missing"] == ["redis"]
        wait_until(lambda: figure(figures(watched.pages), "blog_part_up", part="redis") == 0, PATIENCE_SECONDS)
        seen = figures(watched.pages)
        assert figure(seen, "blog_part_up", part="database") == 1
        assert figure(seen, "blog_request_seconds_count") > 0 and "blog_queue_jobs" not in seen
        for view in range(2):  # views wait in the process
            ask(f"{watched.pages.url}/stats/view", {}, User_Agent=f"Mozilla/5.0 ({view})")
        assert "blog_beacon_backlog_views" in figures(watched.pages)
    finally:
        watched.redis.start()
    wait_until(lambda: ready(watched.pages)[1]["status"] == "ready", PATIENCE_SECONDS)


@pytest.mark.parametrize("hangs", [False, True])
def test_without_a_database_it_is_not_ready_and_says_so_at_once(watched: Watched, hangs: bool) -> None:
    with socket.socket() as mute:
        port = free_port()
        if hangs:
            mute.bind(("127.0.0.1", port))
            mute.listen()
        away = {"DATABASE_URL": f"mysql://blog:blog@127.0.0.1:{port}/blog"}
        with GunicornServer(**{**watched.environ, **away}) as server:
            for _ in range(3):
                asked_at = time.monotonic()
                status, told = ready(server)
                assert status == 503 and told["status"] == "not ready" and told["missing"] == ["database"]
                assert told["database"] == ("no answer" if hangs else "unreachable")
                assert time.monotonic() - asked_at < 5  # the driver would wait for 15
            assert ask(f"{server.url}/healthz").status == 200
            assert figure(figures(server), "blog_part_up", part="database") == 0
            ask(f"{server.url}/static/last.js")
            server.stop()  # in order: nothing of the log is lost
            assert [line["path"] for line in lines(server) if line["logger"] == "access"] == ["/static/last.js"]
