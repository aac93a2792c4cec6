"""A small blog that changes at random, and what its pages may show at which moment.

All that changes carries a mark: title3v17x is the title of post 3 as change 17 left it.
"""

import math
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import transaction

from apps.components.models import Menu, MenuItem, Plugin
from apps.posts.models import Post
from tests.factories import make_category, make_comment, make_post

BOUND_SECONDS = 0.1
NGINX_BOUND_SECONDS = 1.2
TELLING_SECONDS = 0.02  # of the bound: one that hears nothing has the rest of it to ask by itself
POSTS = 6
MARK = re.compile(r"(title\d|body\d|said\d|box|menu)v(\d+)x")
COUNT = re.compile(r'href="/article/(\d+)/[^"]*#comments">(?:<span[^>]*>)?(\d+)')  # of comments, under a post's title


def sleep_until(moment: float) -> None:
    while (left := moment - time.monotonic()) > 0:
        time.sleep(left)


@dataclass
class Change:
    """Where to look first, and when it was to be seen."""

    name: str
    path: str = ""
    moves: bool = False  # other pages than its own have to tell it at once
    committed_at: float = math.inf
    told_at: float = math.inf

    @property
    def counts_from(self) -> float:
        """Its commit; later by as much as a busy machine has let the test wait before it told the others."""
        return max(self.committed_at, self.told_at - TELLING_SECONDS)

    def commits(self) -> None:
        self.committed_at = time.monotonic()

    def tells(self) -> None:
        self.told_at = time.monotonic()


@dataclass
class Facts:
    """The state of each of them, change after change: the number in its mark, None for what is shown nowhere."""

    _states: dict[str, list[tuple[int | None, Change]]] = field(default_factory=lambda: defaultdict(list))

    def note(self, fact: str, value: int | None, change: Change) -> None:
        """Say what it will be from this change on, which is about to be committed."""
        self._states[fact].append((value, change))

    def last_shown(self, fact: str) -> int:
        return next(value for value, _change in reversed(self._states[fact]) if value is not None)

    def may_be(self, fact: str, asked_at: float, bound_seconds: float) -> set[int | None]:
        """Return its state those seconds before somebody asked, and the states since."""
        possible: set[int | None] = set()
        for value, change in reversed(self._states[fact][:]):
            possible.add(value)
            if change.counts_from + bound_seconds <= asked_at:
                return possible
        return possible | {None}


class Blog:
    """Some posts, a menu and a box."""

    def __init__(self) -> None:
        self.random = random.Random(20261123)
        self.number = 0
        self.facts = Facts()
        self.changing = Change("beginning", committed_at=-math.inf, told_at=-math.inf)
        self.category = make_category("Shelf")
        self.menu = Menu.objects.create(name=self._mark("menu"))
        MenuItem.objects.create(menu=self.menu, category=self.category)
        self.plugin = Plugin.objects.create(title="Box", content=self._mark("box"))
        self.posts = [
            make_post(
                category=self.category, slug=f"slug-{at}", title=self._mark(f"title{at}"), body=self._mark(f"body{at}")
            )
            for at in range(POSTS)
        ]
        for at in range(POSTS):
            self.facts.note(f"count{at}", 0, self.changing)

    # -- Changes ---------------------------------------------------------------------------------------------------

    def change(self, before_commit: Callable[[], None] = lambda: None) -> Change:
        """Make one at random, with `before_commit` as the last that happens before its commit."""
        self.number += 1
        of_posts = [self.edit, self.edit, self.retitle, self.turn, self.turn, self.comment]
        kind = self.random.choice([*of_posts, self.box, self.rename])
        self.changing = Change(kind.__name__)
        with transaction.atomic():
            transaction.on_commit(self.changing.commits)  # the first of all: no word is out yet
            self.changing.path = kind()
            before_commit()
        self.changing.tells()
        return self.changing

    def edit(self) -> str:
        at, post = self._post()
        post.status, post.body = "published", f"The text: {self._mark(f'body{at}')}."
        post.save()
        self._appears(at)
        return post.get_absolute_url()

    def retitle(self) -> str:
        at, post = self._post()
        post.status, post.title, post.slug = "published", f"Title {self._mark(f'title{at}')}", f"{post.pk}"
        post.save()
        self._appears(at)
        self.changing.moves = True
        return "/"

    def turn(self) -> str:
        at, post = self._post()
        self.changing.moves = True
        if post.status == "published":
            post.unpublish()
            for fact in self._of_post(at):
                self.facts.note(fact, None, self.changing)
        else:
            post.publish()
            self._appears(at)
        return post.get_absolute_url()

    def comment(self) -> str:
        at, post = self._post()
        if post.last_floor == Post.FLOORS_PER_PAGE:  # they stay on the first page
            return self.edit()
        if post.status != "published":
            post.publish()
            self._appears(at)
        make_comment(post, f"I say {self._mark(f'said{at}')}")
        self.facts.note(f"count{at}", post.last_floor + 1, self.changing)
        self.changing.moves = True
        return post.get_absolute_url()

    def box(self) -> str:
        self.plugin.disabled = self.random.random() < 0.3
        self.plugin.content = f"Boxed {self._mark('box')}"
        if self.plugin.disabled:
            self.facts.note("box", None, self.changing)
        self.plugin.save()
        return self.random.choice(["/", "/archive/", "/tags/"])

    def rename(self) -> str:
        self.menu.name = f"Menu {self._mark('menu')}"
        self.menu.save()
        return self.random.choice(["/", self.category.get_absolute_url()])

    def _post(self) -> tuple[int, Post]:
        at = self.random.randrange(POSTS)
        self.posts[at].refresh_from_db()
        return at, self.posts[at]

    def _mark(self, fact: str) -> str:
        self.facts.note(fact, self.number, self.changing)
        return f"{fact}v{self.number}x"

    def _appears(self, at: int) -> None:
        """Note again what unpublishing may have taken away."""
        for fact in self._of_post(at):
            self.facts.note(fact, self.facts.last_shown(fact), self.changing)

    def _of_post(self, at: int) -> list[str]:
        commented = [f"said{at}"] if self.posts[at].last_floor else []
        return [f"title{at}", f"body{at}", f"count{at}", *commented]

    # -- Pages -----------------------------------------------------------------------------------------------------

    def paths(self) -> list[str]:
        return [*self._lists(), "/tags/", *(post.get_absolute_url() for post in self.posts)]

    def where_to_look(self, change: Change) -> list[str]:
        """Its own page; then the lists, and of the posts beside which it may stand two."""
        beside = [post.get_absolute_url() for post in self.random.sample(self.posts, 2)]
        return [change.path, *([*self._lists(), *beside] if change.moves else [])]

    def wrong(self, path: str, status: int, text: str, asked_at: float, bound_seconds: float) -> list[str]:
        """Return the faults of the page, asked for then: it shows what had changed before those seconds, or lacks it."""
        if status == 301:
            return []
        shown = defaultdict[str, set[int | None]](set)
        for fact, number in MARK.findall(text):
            shown[fact].add(int(number))
        places = {post.pk: at for at, post in enumerate(self.posts)}
        for pk, number in COUNT.findall(text):
            shown[f"count{places[int(pk)]}"].add(int(number))
        for fact in shown:
            if fact.startswith("said"):  # the older ones stay
                shown[fact] = {max(number for number in shown[fact] if number is not None)}
        complaints = []
        for fact in {*shown, *self._shown_on(path)}:
            may_be = self.facts.may_be(fact, asked_at, bound_seconds)
            if late := (shown.get(fact) or {None}) - may_be:
                latest = f"{self.number} ({self.changing.name})"
                complaints.append(f"{path} ({status}), change {latest}: {fact} {late}, not one of {may_be}")
        return complaints

    def _lists(self) -> list[str]:
        return ["/", "/archive/", "/feed/", self.category.get_absolute_url()]

    def _with_counts(self) -> list[str]:
        return ["/", self.category.get_absolute_url()]

    def _shown_on(self, path: str) -> Iterable[str]:
        if path != "/feed/":
            yield from ["menu", "box"]
        for at in range(POSTS):
            if path in self._lists():
                yield from [f"title{at}", f"body{at}", *([f"count{at}"] if path in self._with_counts() else [])]
            elif path.startswith(f"/article/{self.posts[at].pk}/"):
                yield from [f"title{at}", f"body{at}", f"count{at}", f"said{at}"]
