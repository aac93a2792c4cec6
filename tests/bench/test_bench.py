"""That the benchmark works, keeps its promises and leaves nothing running; its figures are nobody's business here."""

import json
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from tests.bench import measure, scaling
from tests.bench.__main__ import arguments
from tests.bench.measure import Run, Target, Wrong, family
from tests.services import ROOT, GunicornServer, wait_until

pytestmark = [pytest.mark.mariadb, pytest.mark.redis, pytest.mark.nginx, pytest.mark.gunicorn, pytest.mark.wrk]
OLDER = {
    "ratios": {"home_100k_to_1k": 1.05, "nginx_home_to_static": 9.9, "undated": 1},
    "ratios_measured_at": {
        "home_100k_to_1k": "2026-01-02T03:04:05+00:00",
        "nginx_home_to_static": "2026-01-02T03:04:05+00:00",
    },
}


@pytest.fixture(scope="module")
def echo():
    with GunicornServer(application="tests.nginx.echo:application") as server:
        yield server


@pytest.fixture(scope="module")
def wavering():
    with GunicornServer(application="tests.bench.wavering:application") as server:
        yield server


def test_a_quick_run_measures_everything(wavering: GunicornServer, tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    output.write_text(json.dumps(OLDER))
    command = [
        sys.executable,
        "-m",
        "tests.bench",
        "--quick",
        "--peer",
        f"other={wavering.url}/a?b=1",
        "--output",
        str(output),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(output.read_text())
    measured = {
        *("nginx_home_to_static", "nginx_post_to_static", "cold_home_to_one_line_view", "cold_post_to_one_line_view"),
        *("page_cache_to_one_line_view", "beacon_to_one_line_view"),
    }
    assert set(told["ratios"]) == measured | {"home_100k_to_1k"}
    assert {told["ratios_measured_at"][name] for name in measured} == {told["measured_at"]}
    assert told["ratios_measured_at"]["home_100k_to_1k"] == "2026-01-02T03:04:05+00:00"
    assert all(ratio > 0 for ratio in told["ratios"].values())
    assert {"cold: post", "page cache: beacon", "nginx: home", "peer: other"} <= set(told["figures"])
    assert all(figure["requests_per_second"] > 0 for figure in told["figures"].values())
    assert told["counts"]["cold"]["home"] | {"queries": 1, "round_trips": 0} == told["counts"]["cold"]["home"]
    assert all(size > 2**20 for sizes in told["memory_bytes"].values() for size in sizes)
    for name in (*told["figures"], *measured):
        assert name in done.stdout


def test_an_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench", "--quick", "--output", str(tmp_path / "bench.json")]
    said = tmp_path / "said"
    with said.open("w") as file:
        # A shell that runs the tests in the background has them ignore it.
        heeding = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        bench = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file, preexec_fn=heeding)
    try:
        # It has MariaDB, Redis and a process that loads posts.
        wait_until(lambda: "loading" in said.read_text() and len(family(bench.pid)) >= 4, 60, said.read_text)
        processes = family(bench.pid)
        bench.send_signal(signal.SIGINT)
        assert bench.wait(60) == 130, said.read_text()
    finally:
        bench.kill()
        bench.wait()
    wait_until(
        lambda: not any(Path(f"/proc/{pid}").exists() for pid in processes), 5, lambda: f"one of {processes} lives"
    )
    assert not (tmp_path / "bench.json").exists()


@pytest.mark.parametrize("answer", ["{}", '{"status": 500}', '{"status": 302, "headers": {"Location": "/"}}'])
def test_a_wrong_answer_is_no_figure(echo: GunicornServer, answer: str) -> None:
    with pytest.raises(Wrong):
        measure.check(Target("wrong", f"{echo.url}/?answer={answer.replace(' ', '%20')}", "Title"))


@pytest.mark.parametrize("wrong", ["redirect", "empty", "other"])
def test_what_is_wrong_between_two_looks_is_no_figure(wavering: GunicornServer, wrong: str) -> None:
    with pytest.raises(Wrong, match="bytes on average"):
        measure.interleaved([measure.peer(wrong, f"{wavering.url}/?wrong={wrong}")], {}, seconds=1, rounds=1)


def test_a_peer_keeps_the_title_it_had(wavering: GunicornServer) -> None:
    target = measure.peer("other", f"{wavering.url}/")
    assert target.title == "Right"
    assert measure.interleaved([target], {}, seconds=1, rounds=1)["peer: other"][0].requests_per_second > 0
    with pytest.raises(Wrong, match="'Right'"):
        measure.check(replace(target, title="What it said before"))


def test_a_peer_is_an_address_with_or_without_a_name() -> None:
    bare, named = "http://127.0.0.1:2368/?p=1", "http://other.example.com/"
    assert arguments(["--peer", bare, "--peer", f"ghost={named}"]).peer == [
        ("127.0.0.1:2368", bare),
        ("ghost", named),
    ]


@pytest.mark.parametrize(
    "given", [["ghost"], ["ghost=2368"], ["https://127.0.0.1/"], ["http:///"], ["http://a/", "http://a/b"]]
)
def test_what_is_no_peer_is_refused(given: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments([part for url in given for part in ("--peer", url)])
    assert "--peer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ([], "bench.json"),
        (["--posts", "100000"], "bench.json"),
        (["--quick"], "bench-small.json"),
        (["--posts", "999"], "bench-small.json"),
        (["--quick", "--output", "mine.json"], "mine.json"),
    ],
)
def test_a_small_run_leaves_the_good_ratios_alone(given: list[str], name: str) -> None:
    assert arguments(given).output.name == name


@pytest.mark.parametrize(("double", "complaint"), [(180, ""), (179, "at least 1.8 times: home 1.79, post 1.79.")])
def test_a_second_core_must_be_worth_it(double: int, complaint: str) -> None:
    # One worker with the other core to help it says nothing, however little two are faster.
    speeds = {("workers", 1): 100, ("workers", 2): 110, ("machine", 1): 100, ("machine", 2): double}
    found = {
        (arrangement, page, cores): [Run(speed, 1, 2, {"worker": 3000.0})]
        for (arrangement, cores), speed in speeds.items()
        for page in ("home", "post")
    }
    lines, times = scaling.table(found)
    assert f"| all cores, for everything | post | 100 | {double} | {double / 100:.2f} | 3.00 | 3.00 |" in lines
    assert scaling.verdict(times).endswith(complaint)
    assert bool(scaling.verdict(times)) is bool(complaint)
