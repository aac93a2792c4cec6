"""The house rules that a program can check: who imports whom, where queries stand, what templates may hold."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# App -> the apps it may import. core is the ground: it imports none. blog_xtg is the roof: no app imports it.
ARROWS = {
    "core": set(),
    "posts": {"core"},
    "comments": {"core", "posts"},
    "stats": {"core", "posts"},
    "components": {"core", "posts", "comments", "stats"},
    "exchange": {"core", "posts", "comments", "stats", "components"},
}
# The parts of the roof that may import any app; the others name apps by string or include(), so that settings load first.
COMMANDS = {"management", "preparing"}
# Doors call the rooms behind them; a room never opens its own door.
DOORS = {"views", "urls", "admin", "consumers", "tasks", "forms", "feeds", "sitemaps", "services"}
ROOMS = {"models", "querysets", "rendering", "visibility"}
# Where a page, a form or a job is answered, or a template calls, questions are asked by the name they have on the
# queryset. core is not meant: its admin knows no model.
NAMED_QUESTIONS_ONLY = DOORS - {"services", "urls"} | {"pages", "beacon", "references", "fragments", "parts", "items"}
QUESTIONS = {"filter", "exclude", "annotate"}
# Columns that say who may see a post; exchange stores them, and has columns of these names besides.
VISIBILITY = {"status", "password"}
DECIDES_VISIBILITY = "apps.posts.visibility"


def modules(root: Path) -> Iterator[tuple[str, Path]]:
    for package in ("apps", "blog_xtg"):
        for path in sorted((root / package).rglob("*.py")):
            if "migrations" not in path.parts:
                parts = path.relative_to(root).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(module: str, path: Path) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of everything imported, `from a import b` as a.b."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *([base] if base else [])])
            yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)


def forbidden_import(module: str, target: str) -> str:
    """Why `module` may not import `target`, or an empty string."""
    own, asked = module.split("."), target.split(".")
    if asked[0] not in {"apps", "blog_xtg"}:
        return ""
    in_same_app = own[:2] == asked[:2]
    if "views" in asked[2:] and not (own[-1] == "urls" and (in_same_app or own[0] == "blog_xtg")):
        return "views are imported by the urls of their app alone"
    if own[0] == "blog_xtg":
        if asked[0] == "apps" and asked[1:2] != ["core"] and not COMMANDS & set(own):
            return "blog_xtg names apps by string or include()"
        return ""
    if asked[0] == "blog_xtg":
        return "apps don't import blog_xtg"
    if not in_same_app and len(asked) > 1 and asked[1] not in ARROWS.get(own[1], set()):
        return f"no arrow leads from {asked[1]} to {own[1]}"
    if in_same_app and (rooms := ROOMS & set(own[2:])) and (doors := DOORS & set(asked[2:])):
        return f"{min(rooms)} stand below {min(doors)}"
    return ""


def import_faults(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}:{line}: {target}: {why}"
        for module, path in modules(root)
        for line, target in imports(module, path)
        if (why := forbidden_import(module, target))
    ]


def query_faults(root: Path) -> list[str]:
    faults = []
    for module, path in modules(root):
        if module.startswith("apps.core.") or not NAMED_QUESTIONS_ONLY & set(module.split(".")):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr in QUESTIONS:
                faults.append(f"{path.relative_to(root)}:{node.lineno}: .{node.func.attr}() belongs on the queryset")
    return faults


def visibility_faults(root: Path) -> list[str]:
    """Where a question names a column that visibility.py alone decides by."""
    faults = []
    for module, path in modules(root):
        if module == DECIDES_VISIBILITY or module.startswith("apps.exchange."):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            named = {part for keyword in node.keywords for part in (keyword.arg or "").split("__")}
            if called in {*QUESTIONS, "Q", "get"} and (columns := VISIBILITY & named):
                faults.append(f"{path.relative_to(root)}:{node.lineno}: {min(columns)} is decided on in visibility.py")
    return faults


def test_imports_follow_the_arrows() -> None:
    assert import_faults(ROOT) == []


def test_questions_are_named_on_the_queryset() -> None:
    assert query_faults(ROOT) == []


def test_who_may_see_a_post_is_decided_in_one_module() -> None:
    assert visibility_faults(ROOT) == []


def test_no_module_is_called_utils() -> None:
    assert [str(path) for _, path in modules(ROOT) if path.stem in {"utils", "helpers", "misc"}] == []


def test_every_app_has_its_arrows() -> None:
    apps = {path.parent.name for path in (ROOT / "apps").glob("*/__init__.py")}
    assert apps == set(ARROWS)


@pytest.mark.parametrize(
    ("file", "source", "fault"),
    [
        ("apps/posts/models.py", "from apps.comments.models import Comment", "no arrow leads from comments to posts"),
        ("apps/posts/models.py", "from apps import stats", "no arrow leads from stats to posts"),
        ("apps/posts/models.py", "from ..comments import models", "no arrow leads from comments to posts"),
        ("apps/posts/models.py", "def late():\n    import apps.stats.services", "no arrow leads from stats to posts"),
        ("apps/posts/models.py", "from .services import publish", "models stand below services"),
        ("apps/posts/models.py", "from . import tasks", "models stand below tasks"),
        ("apps/posts/part/models.py", "from .services import publish", "models stand below services"),
        ("apps/posts/models.py", "from .part.services import publish", "models stand below services"),
        (
            "apps/stats/admin.py",
            "from apps.components.models import Plugin",
            "no arrow leads from components to stats",
        ),
        ("apps/components/x.py", "import apps.exchange", "no arrow leads from exchange to components"),
        ("apps/components/x.py", "from apps.posts import views", "views are imported by the urls of their app alone"),
        ("apps/posts/admin.py", "from .views import page", "views are imported by the urls of their app alone"),
        ("apps/posts/apps.py", "from blog_xtg.settings import DEBUG", "apps don't import blog_xtg"),
        ("apps/core/jobs.py", "from blog_xtg import settings", "apps don't import blog_xtg"),
        ("apps/core/jobs.py", "from apps.posts.models import Post", "no arrow leads from posts to core"),
        ("blog_xtg/checks.py", "from apps.posts.models import Post", "blog_xtg names apps by string or include()"),
        ("blog_xtg/urls.py", "from apps.posts import urls", "blog_xtg names apps by string or include()"),
        (
            "apps/posts/pages/views.py",
            "def page():\n    return Post.objects.filter(pk=1)",
            ".filter() belongs on the queryset",
        ),
        ("apps/comments/parts.py", "posts.exclude(pk=1)", ".exclude() belongs on the queryset"),
        ("apps/posts/pages/head.py", "posts.filter(pk=1)", ".filter() belongs on the queryset"),
        ("apps/posts/admin.py", "posts.annotate(n=1)", ".annotate() belongs on the queryset"),
        ("apps/comments/feeds.py", "posts.filter(pk=1)", ".filter() belongs on the queryset"),
        ("apps/posts/models/post.py", "from ..services import publish", "models stand below services"),
        ("apps/posts/querysets/posts.py", "from ..pages.feeds import PostFeed", "querysets stand below feeds"),
        ("apps/comments/querysets.py", 'posts.filter(status="published")', "status is decided on in visibility.py"),
        ("apps/stats/querysets.py", 'Q(post__password="")', "password is decided on in visibility.py"),
    ],
)
def test_the_checker_sees(tmp_path: Path, file: str, source: str, fault: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(source)
    (found,) = import_faults(tmp_path) + query_faults(tmp_path) + visibility_faults(tmp_path)
    assert fault in found


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("apps/comments/models.py", "from apps.posts.models import Post"),
        ("apps/exchange/x.py", "from apps.components import services"),
        ("apps/posts/urls.py", "from . import views\nfrom .views import page"),
        ("apps/posts/models.py", "from .markdown import render\nfrom .querysets import PostQuerySet"),
        ("apps/stats/counters.py", "from apps.core.redis.clients import client"),
        ("apps/posts/querysets/posts.py", "Post.objects.filter(pk=1)"),
        ("apps/posts/visibility.py", 'Q(status="published")'),
        ("apps/core/admin/editing.py", "rows.filter(pk=1)"),
        ("blog_xtg/urls.py", "from apps.core.static import views"),
    ],
)
def test_the_checker_lets_pass(tmp_path: Path, file: str, source: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text(source)
    assert import_faults(tmp_path) + query_faults(tmp_path) + visibility_faults(tmp_path) == []


# -- Text: nothing of one machine, nothing from another host, no inline script -------------------------------------

MACHINE_PATH = re.compile(r"(?<![\w.$}>~-])/(?:root|work|home|Users)/[\w.]+|\b[A-Z]:\\Users\\")
FROM_ELSEWHERE = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc\s*=\s*["']?(?:https?:)?//"""
    r"""|<link\b(?=[^>]*\brel\s*=\s*["']?(?:stylesheet|preload|preconnect|dns-prefetch|modulepreload|icon))[^>]*\bhref\s*=\s*["']?(?:https?:)?//"""
    r"""|(?:https?:)?//[\w./-]+\.(?:css|m?js)\b|url\(\s*["']?(?:https?:)?//""",
    re.IGNORECASE,
)
INLINE_SCRIPT = re.compile(r"<script\b(?P<attributes>[^>]*)>(?P<body>.*?)</script>", re.IGNORECASE | re.DOTALL)
DATA_BLOCK = re.compile(r"""\btype\s*=\s*["']?application/(?:ld\+)?json["']?""", re.IGNORECASE)
HANDLER = re.compile(r"""<[a-z][^<>]*\son[a-z]+\s*=|=\s*["']?\s*javascript:""", re.IGNORECASE)


def listed() -> list[str]:
    """Return the files that git tracks or is about to; in an unpacked archive, those that are there."""
    try:
        names = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            timeout=30,
            check=True,
        ).stdout.decode()
    except (FileNotFoundError, subprocess.CalledProcessError):
        made = {".venv", "var", ".git", ".env", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}
        names = "\0".join(
            str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if not made & set(path.relative_to(ROOT).parts)
        )
    return [name for name in names.split("\0") if name]


def texts() -> Iterator[tuple[str, str]]:
    """Name and content of every text file of ours."""
    for name in listed():
        path = ROOT / name
        if name.startswith("static/vendor/") or not path.is_file():
            continue
        content = path.read_bytes()
        if b"\0" not in content:
            yield name, content.decode("utf-8", errors="replace")


def template_faults(text: str) -> list[str]:
    faults = [f"asks another host: {match[0]}" for match in FROM_ELSEWHERE.finditer(text)]
    faults += [
        f"inline script: {match[0][:80]}"
        for match in INLINE_SCRIPT.finditer(text)
        if match["body"].strip() and not DATA_BLOCK.search(match["attributes"])
    ]
    faults += [f"inline handler: {match[0][:80]}" for match in HANDLER.finditer(text)]
    return faults


def test_no_file_names_a_path_of_one_machine() -> None:
    faults = [f"{name}: {match[0]}" for name, text in texts() for match in MACHINE_PATH.finditer(text)]
    faults = [fault for fault in faults if not fault.startswith("tests/test_architecture.py")]
    assert faults == []


def test_templates_ask_no_other_host_and_hold_no_script() -> None:
    faults = [
        f"{name}: {fault}"
        for name, text in texts()
        if "templates/" in name and name.endswith((".html", ".svg"))
        for fault in template_faults(text)
    ]
    assert faults == []


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example.com/x.js"></script>',
        "<link rel=stylesheet href=//cdn.example.com/x>",
        "<script>alert(1)</script>",
        '<script type="module">\nimport "x"\n</script>',
        '<button class="a" onclick="go()">',
        '<a href="javascript:go()">',
        "<div style=\"background: url('http://example.com/a.png')\">",
    ],
)
def test_the_template_check_sees(text: str) -> None:
    assert template_faults(text)


@pytest.mark.parametrize(
    "text",
    [
        '<script type="module" src="{% static "js/x.js" %}"></script>',
        '<script id="a" type="application/ld+json">{"a": 1}</script>',
        '<a href="https://example.com/">out</a>',
        '<link rel="canonical" href="https://{{ host }}/">',
        "{% if a %}<p>once = only</p>{% endif %}",
    ],
)
def test_the_template_check_lets_pass(text: str) -> None:
    assert template_faults(text) == []


@pytest.mark.parametrize("text", ["cd /home/me/blog", "'/Users/me/x'", "file:///home/me/x", r"C:\Users\me"])
def test_the_path_check_sees(text: str) -> None:
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize("text", ["https://example.com/home/x", "{{ root }}/home/x", "/srv/blog"])
def test_the_path_check_lets_pass(text: str) -> None:
    assert not MACHINE_PATH.search(text)


def test_a_worker_loads_neither_another_server_nor_dictionaries() -> None:
    code = "import sys, blog_xtg.wsgi; from django.urls import resolve; resolve('/'); print(*sys.modules)"
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, check=True, capture_output=True)
    assert not {"twisted", "autobahn", "pypinyin"} & {*done.stdout.decode().split()}
