from django.urls import re_path

from .live.consumers import PostConsumer

websocket_urlpatterns = [re_path(r"^ws/article/(?P<pk>[0-9]{1,18})/$", PostConsumer.as_asgi())]
