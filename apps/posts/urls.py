from django.urls import path, re_path

from .addresses import TAKEN_SLUGS
from .media import share_images
from .pages import feeds, old_addresses, sitemaps, views

app_name = "posts"

ID = r"(?P<pk>[0-9]{1,18})"
SLUG = rf"(?P<slug>(?!(?:{'|'.join(TAKEN_SLUGS)})/$)[^/]*)"

_feeds = [("", feeds.RssFeed, "feed"), ("atom/", feeds.AtomFeed, "feed-atom"), ("json/", feeds.JsonFeed, "feed-json")]

urlpatterns = [
    path("", views.home, name="home"),
    re_path(rf"^article/{ID}/{SLUG}/$", views.detail, name="detail"),
    re_path(rf"^article/{ID}/card\.png$", share_images.share_image, name="share-image"),
    re_path(rf"^article/{ID}/?$", old_addresses.article),
    re_path(rf"^category/{ID}/(?P<slug>[^/]+)/$", views.category, name="category"),
    re_path(rf"^category/{ID}/?$", old_addresses.category),
    re_path(rf"^type/{ID}/articles/?$", old_addresses.category),
    re_path(rf"^source/{ID}/$", views.source, name="source"),
    re_path(rf"^source/{ID}(?:/articles/?)?$", old_addresses.source),
    path("tags/", views.tags, name="tags"),
    path("tag/<str:slug>/", views.tag, name="tag"),
    path("archive/", views.archive, name="archive"),
    re_path(r"^archive/(?P<year>[0-9]{4})/$", views.archive, name="archive"),
    re_path(r"^archive/(?P<year>[0-9]{4})/(?P<month>0[1-9]|1[0-2])/$", views.archive, name="archive"),
    path("search/", views.search, name="search"),
    path("search/suggest/", views.suggest, name="suggest"),
    path("super/init", old_addresses.setup),
    path("super/init/", old_addresses.setup),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    re_path(r"^sitemap-posts-(?P<number>[0-9]{1,12})\.xml$", sitemaps.posts, name="sitemap-posts"),
    re_path(r"^sitemap-lists-(?P<number>[0-9]{1,12})\.xml$", sitemaps.lists, name="sitemap-lists"),
    *(path(f"feed/{end}", feed(), name=name) for end, feed, name in _feeds),
    *(
        re_path(rf"^category/{ID}/(?P<slug>[^/]+)/feed/{end}$", feed(), name=f"category-{name}")
        for end, feed, name in _feeds
    ),
    *(path(f"tag/<str:tag>/feed/{end}", feed(), name=f"tag-{name}") for end, feed, name in _feeds),
]
