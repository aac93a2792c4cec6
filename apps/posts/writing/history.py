"""The history of a post in the admin: its versions, what changed between two of them, and a way back."""

from collections.abc import Container
from typing import Any, cast

from django.contrib import messages
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from apps.core.admin.editing import EditingAdmin

from ..models import Post, Revision
from ..models.revision import State, state_of, version_of
from ..people import display_name
from . import revisions
from .changes import changes, labels

PER_PAGE = 50


class HistoryAdmin(EditingAdmin):
    """An admin of posts that records each save, merges what two forms changed, and shows the versions."""

    def _version(self, request: HttpRequest, obj: models.Model, names: Container[str]) -> str:
        """The digest of the whole state, whichever of its fields the form shows: revisions are found by it."""
        return version_of(state_of(cast(Post, obj)))

    def get_form(
        self, request: HttpRequest, obj: models.Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        if isinstance(obj, Post) and form.seen_version != form.stored_version:
            base = Revision.objects.of_version(obj.pk, form.seen_version)
            form.base, form.stored = (base.state, state_of(obj)) if base else (None, None)
        return form

    def save_model(self, request: HttpRequest, obj: Post, form: ModelForm, change: bool) -> None:
        if change:
            revisions.record_stored(obj.pk)
            if taken := getattr(form, "taken", ()):
                self.message_user(request, _merged(obj, list(taken)), messages.INFO)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        revisions.record(Post.objects.get(pk=form.instance.pk), request.user)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.revision_view)
        own = path("<int:post_id>/history/<int:revision_id>/", view, name="posts_post_revision")
        return [own, *super().get_urls()]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The versions of a post, newest first. 3 queries beside those that let the person in."""
        post = self._changeable(request, object_id)
        pages = Paginator(Revision.objects.of(post.pk).shown().for_list(), PER_PAGE)
        page = pages.get_page(request.GET.get(PAGE_VAR))
        context = self._context(request, post, _("History"))
        context |= {"page": page, "page_range": pages.get_elided_page_range(page.number), "page_var": PAGE_VAR}
        return TemplateResponse(request, "admin/posts/post/history.html", context | (extra_context or {}))

    def revision_view(self, request: HttpRequest, post_id: int, revision_id: int) -> HttpResponse:
        """The changes made by a version, or with `?with=now` those made since; POST puts the version back."""
        post = self._changeable(request, str(post_id))
        revision = Revision.objects.one(post.pk, revision_id)
        if revision is None:
            raise Http404
        if request.method == "POST":
            return self._restore(request, post, revision)
        older, now = Revision.objects.before(revision), state_of(post)
        since = request.GET.get("with") == "now"
        old: State = revision.state if since else older.state if older else {}
        context = self._context(request, post, _("Version of %(time)s") % {"time": _time(revision)}) | {
            "revision": revision,
            "older": older,
            "newer": Revision.objects.after(revision),
            "since": since,
            "is_present": revision.version == version_of(now),
            "changes": changes(old, now if since else revision.state),
        }
        return TemplateResponse(request, "admin/posts/post/revision.html", context)

    def _restore(self, request: HttpRequest, post: Post, revision: Revision) -> HttpResponse:
        missing = revisions.restore(post, revision.state, request.user)
        said = _("The version of %(time)s is back. What stood here before is in the history.")
        said = said % {"time": _time(revision)}
        self.log_change(request, post, said)
        self.message_user(request, said, messages.SUCCESS)
        if missing:
            text = _("It no longer exists, so it stayed as it is now: %(fields)s") % {"fields": labels(missing)}
            self.message_user(request, text, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:posts_post_change", args=[post.pk]))

    def _changeable(self, request: HttpRequest, object_id: str) -> Post:
        """Return the post, for those who may change it: an earlier version may be one that nobody was meant to see."""
        post = self.get_object(request, object_id)
        if not self.has_change_permission(request, post):
            raise PermissionDenied
        if not isinstance(post, Post):
            raise Http404
        return post

    def _context(self, request: HttpRequest, post: Post, title: str) -> dict[str, Any]:
        own = {"title": title, "subtitle": str(post), "object": post, "opts": self.opts}
        return self.admin_site.each_context(request) | own


def _merged(post: Post, taken: list[str]) -> str:
    """Say which changes of somebody else a form was saved with (1 query)."""
    newest = Revision.objects.newest(post.pk)
    author = display_name(newest.author) if newest and newest.author else _("somebody")
    said = _("Changes that %(author)s saved on %(time)s are merged in: %(fields)s.")
    return said % {"author": author, "time": _time(newest) if newest else "", "fields": labels(taken)}


def _time(revision: Revision) -> str:
    return date_format(localtime(revision.created_at), "DATETIME_FORMAT")
