"""The measurements as one table, and as JSON with the ratios that count."""

import datetime
import json
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.bench.measure import Run, median

Runs = dict[str, list[Run]]
LARGE = 100_000

# Ratio -> the measurements it is made of; of requests a second, so that 1 is as fast.
RATES = {
    "nginx_home_to_static": ("nginx: home", "nginx: static file as long as home"),
    "nginx_post_to_static": ("nginx: post", "nginx: static file as long as post"),
    "cold_home_to_one_line_view": ("cold: home", "cold: one-line view"),
    "cold_post_to_one_line_view": ("cold: post", "cold: one-line view"),
    "page_cache_to_one_line_view": ("page cache: home", "page cache: one-line view"),
    "beacon_to_one_line_view": ("page cache: beacon", "page cache: one-line view"),
}
# Of processor time, workers and database, so that 1 costs the same and 2 twice as much; with 100,000 posts alone.
COSTS = {
    "home_100k_to_1k": ("large: home", "small: home"),
    "category_100k_to_1k": ("large: category", "small: category"),
    "post_100k_to_1k": ("large: post", "small: post"),
    "page_10000_to_page_1": ("large: last page", "large: home"),
}


def _ratio(runs: Runs, names: tuple[str, str], figure: Callable[[Run], float]) -> float | None:
    """The median of the rounds' ratios: what disturbed a round disturbed both."""
    one, other = (runs.get(name) for name in names)
    if not one or not other:
        return None
    pairs = [figure(a) / figure(b) for a, b in zip(one, other, strict=True) if figure(b)]
    return round(median(pairs), 4) if pairs else None


def ratios(runs: Runs, large_posts: int) -> dict[str, float]:
    found = {name: _ratio(runs, pair, lambda run: run.requests_per_second) for name, pair in RATES.items()}
    if large_posts == LARGE:
        found |= {name: _ratio(runs, pair, lambda run: run.cost) for name, pair in COSTS.items()}
    return {name: ratio for name, ratio in found.items() if ratio is not None}


def cpu_ratios(runs: Runs) -> dict[str, float]:
    """RATES again as processor time, which other work on the machine disturbs less: 2 costs twice as much."""
    found = {name: _ratio(runs, pair, lambda run: run.cost) for name, pair in RATES.items()}
    return {name: ratio for name, ratio in found.items() if ratio is not None}


def figures(runs: Runs) -> dict[str, dict[str, Any]]:
    """Medians of the rounds."""
    return {
        name: {
            "requests_per_second": round(median([run.requests_per_second for run in of]), 1),
            "p50_ms": round(median([run.p50_ms for run in of]), 2),
            "p99_ms": round(median([run.p99_ms for run in of]), 2),
            "cpu_us": {service: round(median([run.cpu[service] for run in of]), 1) for service in of[0].cpu},
        }
        for name, of in runs.items()
    }


def machine() -> dict[str, str]:
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
    cores = sum(line.startswith("processor") for line in Path("/proc/cpuinfo").read_text().splitlines())
    return {
        "processor": f"{cores} × {model}",
        "python": platform.python_version(),
        "django": version("django"),
        "gunicorn": version("gunicorn"),
    }


def write(path: Path, told: dict[str, Any]) -> None:
    """Write the JSON. Ratios that this run didn't measure stay from the file before, under the date of their own run."""
    dates = dict.fromkeys(told["ratios"], told["measured_at"])
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        before = {}
    for name, date in before.get("ratios_measured_at", {}).items():
        if name not in dates and name in before.get("ratios", {}):
            told["ratios"][name], dates[name] = before["ratios"][name], date
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps({**told, "ratios_measured_at": dates}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def table(told: dict[str, Any]) -> str:
    lines = [f"{' · '.join(told['machine'].values())} · {told['posts']} posts · {told['measured_at']}", ""]
    services = sorted({service for figure in told["figures"].values() for service in figure["cpu_us"]})
    head = f"{'':38}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}   processor µs a request: "
    lines.append(head + "".join(f"{service:>10}" for service in services))
    group = ""
    for name, figure in told["figures"].items():
        before, group = group, name.partition(":")[0]
        if before and group != before and {before, group} != {"small", "large"}:  # which stand in pairs
            lines.append("")
        cpu = "".join(
            f"{figure['cpu_us'][service]:>10.0f}" if service in figure["cpu_us"] else f"{'':10}" for service in services
        )
        rates = f"{figure['requests_per_second']:>11.0f}{figure['p50_ms']:>9.2f}{figure['p99_ms']:>9.2f}"
        lines.append(f"{name:38}{rates}{'':28}{cpu}")
    lines.append("")
    lines.append(f"{'a request':24}{'queries':>10}{'Redis round trips':>20}{'bytes':>10}")
    for state, counts in told["counts"].items():
        for page, count in counts.items():
            lines.append(f"{f'{state}: {page}':24}{count['queries']:>10}{count['round_trips']:>20}{count['bytes']:>10}")
    lines.append("")
    for name, sizes in told["memory_bytes"].items():
        lines.append(f"memory, {name:40}{' '.join(f'{size / 2**20:.0f} MB' for size in sizes)}")
    lines.append("")
    for name, ratio in told["ratios"].items():
        cpu = told["cpu_ratios"].get(name)
        lines.append(f"{name:34}{ratio:>9.3f}{f'   processor time: {cpu:.3f}' if cpu else ''}")
    return "\n".join(lines)
