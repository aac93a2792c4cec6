from django.urls import path, re_path

from apps.posts.addresses import REFERENCE

from . import feeds, views
from .live.views import floors
from .mail import views as mail_views
from .moderation import views as moderation_views
from .reactions.views import reacted

app_name = "comments"

_FORM = rf"^article/{REFERENCE}/comment/"
_OWN = rf"{_FORM}(?P<floor>[1-9][0-9]{{0,8}})/"
_feeds = [("", feeds.RssFeed, "feed"), ("atom/", feeds.AtomFeed, "feed-atom")]

urlpatterns = [
    re_path(rf"{_FORM}$", views.comment, name="add"),
    re_path(rf"{_FORM}preview/$", views.preview, name="preview"),
    re_path(rf"{_FORM}floors/$", floors, name="floors"),
    re_path(rf"{_OWN}edit/$", views.edit, name="edit"),
    re_path(rf"{_OWN}delete/$", views.delete, name="delete"),
    re_path(rf"{_FORM}held/$", moderation_views.held, name="held"),
    re_path(rf"{_OWN}moderate/$", moderation_views.moderate, name="moderate"),
    path("comments/undo/", moderation_views.take_back, name="undo"),
    re_path(rf"^article/{REFERENCE}/reactions/$", reacted, name="reactions"),
    path("comments/mine/", views.mine, name="mine"),
    *(path(f"comments/feed/{end}", feed(), name=name) for end, feed, name in _feeds),
    *(
        re_path(rf"^article/(?P<pk>[0-9]{{1,18}})/comments/feed/{end}$", feed(), name=f"post-{name}")
        for end, feed, name in _feeds
    ),
    path("comments/mail/confirm/<str:token>/", mail_views.confirm, name="mail-confirm"),
    path("comments/mail/stop/<str:token>/", mail_views.stop, name="mail-stop"),
]
