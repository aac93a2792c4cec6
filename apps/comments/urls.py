from django.urls import path, re_path

from . import feeds, floors, views, views_mail, views_mine, views_reactions

app_name = "comments"

_feeds = [("", feeds.RssFeed, "feed"), ("atom/", feeds.AtomFeed, "feed-atom")]

urlpatterns = [
    re_path(r"^article/(?P<pk>[0-9]{1,18})/comment/$", views.comment, name="add"),
    re_path(r"^article/(?P<pk>[0-9]{1,18})/comment/floors/$", floors.floors, name="floors"),
    re_path(r"^article/(?P<pk>[0-9]{1,18})/reactions/$", views_reactions.reacted, name="reactions"),
    path("comments/mine/", views_mine.mine, name="mine"),
    *(path(f"comments/feed/{end}", feed(), name=name) for end, feed, name in _feeds),
    *(
        re_path(rf"^article/(?P<pk>[0-9]{{1,18}})/comments/feed/{end}$", feed(), name=f"post-{name}")
        for end, feed, name in _feeds
    ),
    path("comments/mail/confirm/<str:token>/", views_mail.confirm, name="mail-confirm"),
    path("comments/mail/stop/<str:token>/", views_mail.stop, name="mail-stop"),
]
