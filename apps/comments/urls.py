from django.urls import path, re_path

from . import floors, views, views_mail, views_reactions

app_name = "comments"

urlpatterns = [
    re_path(r"^article/(?P<pk>[0-9]{1,18})/comment/$", views.comment, name="add"),
    re_path(r"^article/(?P<pk>[0-9]{1,18})/comment/floors/$", floors.floors, name="floors"),
    re_path(r"^article/(?P<pk>[0-9]{1,18})/reactions/$", views_reactions.reacted, name="reactions"),
    path("comments/mail/confirm/<str:token>/", views_mail.confirm, name="mail-confirm"),
    path("comments/mail/stop/<str:token>/", views_mail.stop, name="mail-stop"),
]
