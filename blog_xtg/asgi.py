"""The ASGI application: pages by Django, websockets by channels."""

import os

from django.core.asgi import get_asgi_application

from .environment import one_sentence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_xtg.settings")
os.environ["CONN_MAX_AGE"] = "0"  # threads come and go here, and each would leave one behind
with one_sentence():
    django_application = get_asgi_application()  # before anything that imports models

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from .routing import websocket_urlpatterns

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": AllowedHostsOriginValidator(URLRouter(websocket_urlpatterns)),
    }
)
