"""The alarms come when they should, and speak of figures that the blog gives and of sections that the runbook has."""

import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.metrics import MetricWrapperBase

from apps.core.observability import fleet_metrics, metrics
from apps.core.observability.task_reports import Queue, Reports
from tests.services import ROOT, program

MONITORING = ROOT / "deploy/monitoring"
RULES = (MONITORING / "blog.rules.yml").read_text(encoding="utf-8")
ALERTS = re.findall(r"^ +- alert: (\w+)$", RULES, re.MULTILINE)
RULES_TESTED = (MONITORING / "blog.rules.test.yml").read_text(encoding="utf-8")
DASHBOARD = json.loads((MONITORING / "grafana-dashboard.json").read_text(encoding="utf-8"))


def names_given() -> set[str]:
    """Every name under which the blog tells a figure."""
    given = {"up"}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            for family in metric.describe():
                endings = {
                    "counter": ["_total"],
                    "histogram": ["_bucket", "_count", "_sum"],
                    "summary": ["_count", "_sum"],
                }
                given |= {family.name + ending for ending in endings.get(family.type, [""])}
    told = Reports({("t", "ok"): 1}, {"t": 1.0}, {"t": 1.0}, "host", 1.0)
    for families in (
        fleet_metrics.FleetCollector({"database": "ok"}).collect(),
        fleet_metrics._of_jobs(told),
        fleet_metrics._of_queue(Queue(1, 1, 1.0)),
        [fleet_metrics._of_beat(True), fleet_metrics._of_backups(1.0), fleet_metrics._of_replicas({"replica0": 0.0})],
    ):
        given |= {sample.name for family in families for sample in family.samples}
    return given


def expressions() -> Iterator[str]:
    yield from re.findall(r"^ +expr: (?:\|\n)?((?:.+\n)+?) +(?:for|labels):", RULES, re.MULTILINE)
    for panel in DASHBOARD["panels"]:
        yield from (target["expr"] for target in panel["targets"])


def test_what_is_asked_for_is_given() -> None:
    asked = {name for expression in expressions() for name in re.findall(r"\b(?:blog_\w+|up)\b", expression)}
    assert len(asked) > 20
    assert asked - names_given() == set()


def test_every_figure_is_shown() -> None:
    shown = json.dumps(DASHBOARD)
    assert {name for name in names_given() if not name.endswith(("_sum", "_created")) and name not in shown} == {
        "blog_host_info"
    }


@pytest.mark.parametrize("alert", ALERTS)
def test_the_runbook_says_of_every_alert_what_to_do(alert: str) -> None:
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {alert}$(.*?)(?=^## |\Z)", runbook, re.MULTILINE | re.DOTALL)
    assert section
    for word in ("Means", "Look", "do"):
        assert re.search(rf"\*\*.*{word}", section[1], re.IGNORECASE), word
    assert RULES.count(f"runbook: docs/runbook.md#{alert.lower()}\n") == 1
    # It is tested to come, and not to come; one always comes.
    assert re.search(rf"alertname: {alert}\n +exp_alerts:\n", RULES_TESTED)
    assert (alert == "Watchdog") != bool(re.search(rf"alertname: {alert}, exp_alerts: \[\]", RULES_TESTED))


def test_the_links_of_the_runbook_lead_somewhere() -> None:
    runbook = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    sections = {title.lower() for title in re.findall(r"^## (\w+)$", runbook, re.MULTILINE)}
    assert set(re.findall(r"\]\(#(\w+)\)", runbook)) <= sections


def test_jobs_are_asked_for_by_the_names_they_are_scraped_under() -> None:
    asked = {name for names in re.findall(r'job=~?"([^"]+)"', " ".join(expressions())) for name in names.split("|")}
    assert asked == set(re.findall(r"job_name: (\w+)", (MONITORING / "prometheus.yml").read_text(encoding="utf-8")))


def test_the_newest_backup_is_the_newest_file_that_holds_something(tmp_path: Path, settings: Any) -> None:
    def told() -> list[float]:
        fleet_metrics._look_at_backups.cache_clear()
        return [
            sample.value
            for family in fleet_metrics.FleetCollector({}).collect()
            for sample in family.samples
            if sample.name == "blog_backup_last_timestamp_seconds"
        ]

    settings.REDIS_URL, settings.BACKUP_ROOT = "", ""
    assert told() == []
    settings.BACKUP_ROOT = str(tmp_path / "none")
    assert told() == [0]
    settings.BACKUP_ROOT = str(tmp_path)
    assert told() == [0]
    for name, at, content in [("old.gz", 1000, "all"), ("new.gz", 2000, "all"), ("failed.gz", 3000, "")]:
        (tmp_path / name).write_text(content)
        os.utime(tmp_path / name, (at, at))
    (tmp_path / "unfinished").mkdir()
    assert told() == [2000]


def test_a_folder_that_hangs_holds_up_no_figure(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    over = threading.Event()
    monkeypatch.setattr(fleet_metrics, "newest_backup_at", lambda folder: over.wait(20))
    fleet_metrics._look_at_backups.cache_clear()
    settings.REDIS_URL, settings.BACKUP_ROOT = "", "/srv/backup"
    begun_at = time.monotonic()
    try:
        families = {family.name: family for family in fleet_metrics.FleetCollector({}).collect()}
    finally:
        over.set()
        fleet_metrics._look_at_backups.cache_clear()
    assert time.monotonic() - begun_at < 5
    assert families["blog_backup_last_timestamp_seconds"].samples[0].value == 0


@pytest.mark.promtool
def test_prometheus_takes_the_rules_and_they_do_what_they_should(tmp_path: Path) -> None:
    for file in MONITORING.glob("*.yml"):
        shutil.copy(file, tmp_path)
    for arguments in (
        ["check", "config", "prometheus.yml"],
        ["check", "rules", "blog.rules.yml"],
        ["test", "rules", "blog.rules.test.yml"],
    ):
        done = subprocess.run(
            [program("promtool"), *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


def amtool(*arguments: str) -> str:
    done = subprocess.run(
        [program("amtool"), *arguments], cwd=MONITORING, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.amtool
def test_alertmanager_takes_its_configuration_and_every_alarm_goes_where_it_should() -> None:
    amtool("check-config", "alertmanager.yml")
    receivers = {"critical": "at-once", "warning": "daily", "none": "watchdog"}
    severities = re.findall(r"^ +labels: { severity: (\w+) }$", RULES, re.MULTILINE)
    assert len(severities) == len(ALERTS)
    for alert, severity in zip(ALERTS, severities, strict=True):
        labels = (f"alertname={alert}", f"severity={severity}")
        found = amtool("config", "routes", "test", "--config.file", "alertmanager.yml", *labels)
        assert found.strip() == receivers[severity], alert
