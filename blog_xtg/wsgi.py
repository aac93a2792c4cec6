"""The WSGI application, for gunicorn's threads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_xtg.settings")
application = get_wsgi_application()
