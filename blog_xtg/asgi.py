"""The ASGI application: pages by Django, websockets by channels."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_xtg.settings")
os.environ["CONN_MAX_AGE"] = "0"  # threads come and go here, and each would leave one behind
django_application = get_asgi_application()  # before anything that imports models

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from .origins import OwnOrigin  # noqa: E402
from .routing import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": OwnOrigin(URLRouter(websocket_urlpatterns)),
    }
)
