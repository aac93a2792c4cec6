"""No header and no address costs nginx more than the reading of it, without PCRE's just-in-time compiler, too."""

import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import need
from tests.proxy import SITE, BlogNginx
from tests.services import GunicornServer, free_port

pytestmark = [pytest.mark.nginx, pytest.mark.gunicorn]

BYTES, MOST_SECONDS = 500, 0.002
SOURCES = {
    "$request_uri": "path",
    "$blog_path": "path",
    "$uri": "path",
    "$args": "query",
    "$http_cookie": "Cookie",
    "$http_accept_encoding": "Accept-Encoding",
    "$http_upgrade": "Upgrade",
    "$http_referer": "Referer",
    "$host": "Host",
}
# Read from a connection, or made by nginx of what is short.
BOUNDED = {"$binary_remote_addr", "$request_method", "$upstream_status", "$upstream_cache_status", "$scheme", '""'}
FLAGS = {"$blog_session", "$blog_odd_path", "$blog_odd_language", "$blog_passes_by", "$blog_has_commented"}
ANY_TEXT = "$http_authorization"  # compared with no pattern


def maps() -> dict[str, tuple[str, list[str]]]:
    """Return the mapped values and their patterns, by the name of the variable."""
    text = (SITE / "snippets/blog-maps.conf").read_text() + (SITE / "blog.conf").read_text().partition("\nserver {")[0]
    text = re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)
    blocks = re.findall(r'^map ("[^"]*"|\S+) (\$\w+) \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL)
    assert len(blocks) == len(re.findall(r"^map ", text, re.MULTILINE)) > 15
    return {name: (source, re.findall(r'^    "~\*?(.*?)" ', body, re.MULTILINE)) for source, name, body in blocks}


def words_of(pattern: str) -> list[str]:
    """Return the parts of the pattern itself: its literal words, and the characters that its repetitions take."""
    plain = re.sub(r"\(\?<\w+>|\(\?[:!=>s]+|\\[bdwsWk]|\[\^?|\\x..|\{[\d,]+\}", " ", pattern)
    return sorted({word for word in re.findall(r"[\w./;=, -]+", plain.replace("\\", "")) if word.strip()}, key=len)


def worst(pattern: str) -> list[str]:
    """Texts of 500 bytes that nearly match it in as many ways as can be."""
    words = words_of(pattern) or ["a"]
    listed = [
        foreign + between
        for foreign in ("fr", "0", "%E4")
        for between in (", ", ",", "; ", "=", "&", "/", ".", " ", "")
    ]
    repeated = [*words, *(one + other for one in words[-3:] for other in words[-3:]), *listed]
    # Each letter that a match must have stands in the end: else PCRE gives up before it tries.
    letters = ", ".join(f"x{letter}" for letter in dict.fromkeys("".join(words)) if letter.isalnum())
    texts = [(one * BYTES)[: BYTES - len(letters)] + end for one in repeated for end in (letters, "!" * len(letters))]
    return list(dict.fromkeys(texts))


def sent(source: str, text: str) -> tuple[str, dict[str, str]]:
    """The address and headers by which such a text reaches the map."""
    part = SOURCES[source]
    clean = re.sub(r"[^!-~]", "", text)
    if part == "path":
        return "/" + re.sub(r"[?#]", "", clean).lstrip("/"), {}
    if part == "query":
        return f"/?{clean.replace('#', '')}", {}
    return "/", {part: text.strip().replace("\x7f", "!")}


@pytest.fixture(scope="module")
def slow_nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BlogNginx]:
    need("nginx")
    need("gunicorn")
    var: Path = tmp_path_factory.mktemp("patterns")
    # It answers by itself whatever the path is: what is measured is nginx.
    with GunicornServer(application="tests.nginx.echo:application") as app:
        server = BlogNginx([app.port], free_port(), var)
        config = server.folder / "nginx.conf"
        text = config.read_text().replace("pcre_jit on;", "pcre_jit off;")
        # Every map is read for every request, and none reaches the app.
        everything = " ".join(maps())
        text = text.replace(
            "    location / {\n        include",
            f'    location / {{\n        set $read "{everything}"; return 204;\n        include',
        )
        text = re.sub(r"limit_req .*?;", "", text)
        config.write_text(text)
        with server:
            yield server


def processor_seconds(nginx: BlogNginx) -> float:
    """Return the processor time of its worker so far."""
    assert nginx.process
    children = Path(f"/proc/{nginx.process.pid}/task/{nginx.process.pid}/children").read_text().split()
    return sum(int(Path(f"/proc/{child}/schedstat").read_text().split()[0]) for child in children) / 1e9


def test_every_source_of_a_map_is_known() -> None:
    for source, patterns in maps().values():
        variables = set(re.findall(r"\$\w+", source)) or {source}
        if patterns:
            assert variables <= SOURCES.keys() | BOUNDED | FLAGS | set(maps()), source


@pytest.mark.parametrize("name", sorted(name for name, (_source, patterns) in maps().items() if patterns))
def test_a_pattern_reads_500_bytes_of_its_worst_words_in_no_time(slow_nginx: BlogNginx, name: str) -> None:
    source, patterns = maps()[name]
    reachable = [variable for variable in re.findall(r"\$\w+", source) if variable in SOURCES]
    texts = [text for pattern in patterns for text in worst(pattern)]
    asked = list(
        dict.fromkeys((path, tuple(some.items())) for one in reachable for path, some in (sent(one, t) for t in texts))
    )
    if not asked:
        assert set(re.findall(r"\$\w+", source)) <= BOUNDED | FLAGS | set(maps())
        return
    connection = http.client.HTTPConnection("127.0.0.1", slow_nginx.port, timeout=20)
    for path, headers in asked:
        took = []
        for _time in range(3):
            before = processor_seconds(slow_nginx)
            connection.request("GET", path, headers=dict(headers))
            connection.getresponse().read()
            took.append(processor_seconds(slow_nginx) - before)
            if took[-1] < MOST_SECONDS:
                break
        assert min(took) < MOST_SECONDS, f"{min(took) * 1000:.2f} ms for {path} {headers}"
    connection.close()
    assert "pcre2_match() failed" not in slow_nginx.log
