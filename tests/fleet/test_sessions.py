"""One reader, several hosts: who signs in on one writes on another, and nothing hangs on any one part."""

import json
import re
import signal
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from http.cookiejar import CookieJar

import pytest
from django.conf import global_settings
from django.contrib.auth import get_user_model
from django.db import connection

from apps.core.pages.coherence import LISTS_STAMP, STAMP
from apps.posts.models import Post
from apps.stats.redis_counter import PENDING
from tests.factories import make_post
from tests.services import BROWSER, GunicornServer, MariaDB, Redis

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.one_database("mariadb"), pytest.mark.gunicorn]


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: object) -> None:
        return None


class Person:
    """A browser without scripts; it takes its cookies along to every host, as under one address."""

    def __init__(self) -> None:
        self.opener = urllib.request.build_opener(StayHere, urllib.request.HTTPCookieProcessor(CookieJar()))
        self.opener.addheaders = [("User-Agent", BROWSER)]

    def get(self, address: str) -> str:
        return str(self.opener.open(address, timeout=20).read().decode())

    def send(self, form: str, to: str = "", **fields: str) -> None:
        """Fill in the form and send it, to another host if one is given, which leads elsewhere with a 302."""
        hidden = dict(re.findall(r'<input type="hidden" name="([\w-]+)" value="([^"]*)"', self.get(form)))
        data = urllib.parse.urlencode({**hidden, **fields}).encode()
        with pytest.raises(urllib.error.HTTPError, match="302"):
            self.opener.open(to or form, data, timeout=20)

    def tell(self, address: str, **message: object) -> None:
        request = urllib.request.Request(address, json.dumps(message).encode(), {"Content-Type": "application/json"})
        self.opener.open(request, timeout=20).close()


@pytest.fixture
def hosts(
    own_redis: Redis, mariadb_server: MariaDB, transactional_db: None
) -> Iterator[tuple[GunicornServer, GunicornServer]]:
    environ = {
        "DATABASE_URL": mariadb_server.url.removesuffix("blog") + str(connection.settings_dict["NAME"]),
        "REDIS_URL": own_redis.url,
        "COMMENTS_PER_ADDRESS_PER_DAY": "100",
        "COMMENTS_PER_POST_PER_MINUTE": "100",
    }
    with GunicornServer(**environ) as one, GunicornServer(**environ) as other:
        yield one, other


def test_a_writer_goes_from_host_to_host(
    hosts: tuple[GunicornServer, GunicornServer], own_redis: Redis, settings
) -> None:
    one, other = hosts
    settings.PASSWORD_HASHERS = global_settings.PASSWORD_HASHERS
    get_user_model().objects.create_superuser("owner", "o@example.com", "a-long-password-of-tests")
    owner = Person()
    owner.send(f"{one.url}/admin/login/", username="owner", password="a-long-password-of-tests")
    # The form comes from one host, another one takes it, and the first one says what has become of it.
    add, tags = "/admin/posts/tag/add/", "/admin/posts/tag/"
    owner.send(f"{one.url}{add}", f"{other.url}{add}", name="From host to host", slug="hosts")
    assert "成功添加了" in owner.get(one.url + tags)
    # A Redis that is away and comes back empty signs nobody out, nor does a host that dies.
    own_redis.stop()
    assert "From host to host" in owner.get(other.url + tags)
    own_redis.start()
    owner.send(f"{one.url}{add}", name="Without Redis", slug="without")
    one.stop(signal.SIGKILL)
    page = owner.get(other.url + tags)
    assert "成功添加了" in page and "Without Redis" in page


def test_what_stays_in_redis_for_ever_is_counted(
    hosts: tuple[GunicornServer, GunicornServer], own_redis: Redis
) -> None:
    """Two stamps, and the views that wait to be flushed; whatever else readers and writers leave there ends."""
    post, reader = make_post(title="Words to be found"), Person()
    Post.objects.bulk_create(
        Post(title=f"Post {n}", slug=f"p{n}", status="published", published_at=post.published_at) for n in range(150)
    )
    form = f"/article/{post.pk}/comment/"
    for host in hosts:
        for path in ("/", "/?page=13", post.get_absolute_url(), "/feed/", "/search/?q=words", form):
            reader.get(host.url + path)
        reader.tell(f"{host.url}/stats/view", post=post.pk, referrer="https://www.google.com/")
        reader.tell(
            f"{host.url}/article/{post.pk}/reactions/", visitor="", floors=[0, 0], kind="like", floor=0, on=True
        )
        reader.send(host.url + form, author_name="Ada", author_email="ada@example.com", body=f"Read at {host.port}.")
    for_ever, kept = set(), set()
    for database in range(3):
        with own_redis.client() as client:
            client.select(database)
            for key in client.scan_iter():
                (kept if client.ttl(key) > 0 else for_ever).add(key)
    assert for_ever == {PENDING, STAMP, LISTS_STAMP}
    assert len(kept) > 10
    # One thing the program keeps is of each kind.
    print(sorted(re.sub(r"[0-9a-f]{12,}|[\d-]{2,}", "…", key) for key in kept))
