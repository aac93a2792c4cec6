"""RSS and Atom of what readers answer: on the whole site, or to one post."""

import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.core.http.hosts import absolute
from apps.posts.models import Post
from apps.posts.pages.feed_formats import AtomFormat, RssFormat, with_absolute_links
from apps.posts.pages.feeds import SiteFeed
from apps.posts.rendering.plaintext import excerpt, plain_text

from .models import Comment

COMMENTS_PER_FEED = 20
_POST_FIELDS = ("post__id", "post__title", "post__slug")


class CommentFeed(SiteFeed):
    """The newest 20 visible comments on public posts without a password (1 query; 2 of one post's).

    The site's is made anew each time: a change of comments drops the kept pages of their posts alone, and one on a post
    that isn't in it yet is news to it, too.
    """

    kept = "public, no-cache"
    post: Post | None = None

    def find(self, pk: str = "") -> HttpResponse | None:
        if pk:
            self.kept = SiteFeed.kept
            self.post = Post.objects.public().titles().with_id(int(pk)).first()
            if self.post is None:
                raise Http404("No such feed.")
        return None

    # -- The feed --------------------------------------------------------------------------------------------------

    def get_object(self, request: Any) -> Post | None:
        return self.post

    def title(self, post: Post | None) -> str:
        if post:
            return _("Comments on “%(title)s”") % {"title": post.title}
        return _("Comments · %(site)s") % {"site": self.request.site.title}

    description = subtitle = title

    def link(self, post: Post | None) -> str:
        return absolute(f"{post.get_absolute_url()}#comments" if post else "/")

    def own_path(self) -> str:
        return f"/article/{self.post.pk}/comments/feed/{self.end}" if self.post else f"/comments/feed/{self.end}"

    def feed_guid(self, post: Post | None) -> str:
        return absolute(f"/article/{post.pk}#comments" if post else "/comments/feed/")

    # -- Its items -------------------------------------------------------------------------------------------------

    def items(self, post: Post | None) -> QuerySet[Comment]:
        comments = Comment.objects.newest_of(post) if post else Comment.objects.newest(timezone.now())
        fields = ("floor", "author_name", "html", "created_at", "edited_at", "post_id")
        if post:
            return comments.only(*fields)[:COMMENTS_PER_FEED]
        return comments.select_related("post").only(*fields, *_POST_FIELDS)[:COMMENTS_PER_FEED]

    def item_title(self, comment: Comment) -> str:
        words = {"name": comment.author_name, "title": self._post(comment).title, "floor": comment.floor}
        if self.post:
            return _("%(name)s · #%(floor)d") % words
        return _("%(name)s on “%(title)s”") % words

    def item_description(self, comment: Comment) -> str:
        return excerpt(plain_text(comment.html))

    def item_link(self, comment: Comment) -> str:
        return absolute(self._post(comment).floor_url(comment.floor))

    def item_guid(self, comment: Comment) -> str:
        # As with the posts, a new title is the same comment.
        return absolute(f"/article/{comment.post_id}#floor-{comment.floor}")

    item_guid_is_permalink = False

    def item_pubdate(self, comment: Comment) -> datetime.datetime:
        return comment.created_at

    def item_updateddate(self, comment: Comment) -> datetime.datetime:
        return comment.edited_at or comment.created_at

    def item_author_name(self, comment: Comment) -> str:
        return comment.author_name

    def item_extra_kwargs(self, comment: Comment) -> dict[str, Any]:
        base = absolute(self._post(comment).get_absolute_url())
        return {"content_html": with_absolute_links(comment.html, base), "language": ""}

    def _post(self, comment: Comment) -> Post:
        return self.post or comment.post


class RssFeed(CommentFeed):
    feed_type = RssFormat


class AtomFeed(CommentFeed):
    end = "atom/"
    feed_type = AtomFormat
