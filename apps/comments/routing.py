from django.urls import re_path

from apps.posts.addresses import REFERENCE

from .live.consumers import PostConsumer

websocket_urlpatterns = [re_path(rf"^ws/article/{REFERENCE}/$", PostConsumer.as_asgi())]
