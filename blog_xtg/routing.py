"""Websocket addresses, by app; named by string so that the site imports no app."""

from channels.routing import URLRouter
from django.urls import path
from django.utils.module_loading import import_string

websocket_urlpatterns = [path("", URLRouter(import_string("apps.comments.routing.websocket_urlpatterns")))]
