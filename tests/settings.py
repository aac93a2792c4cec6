"""The site's own settings on throwaway data: no developer's `.env`, shell variable or `var/` reaches the tests."""

import os
import re
import secrets
import tempfile
from pathlib import Path

from apps.core import environment

# Named here, made and removed by conftest.py: mypy and manage.py load these settings too and leave nothing behind.
TEST_DIR = Path(tempfile.gettempdir()) / f"blog-xtg-tests-{secrets.token_hex(8)}"

environment.ENV_FILE = TEST_DIR / "no.env"
_source = (environment.BASE_DIR / "blog_xtg/settings.py").read_text(encoding="utf-8")
for _name in re.findall(r'\benv(?:\.\w+)?\(\s*"(\w+)"', _source):
    os.environ.pop(_name, None)
os.environ.update(
    SECRET_KEY="only-for-tests-only-for-tests-only-for-tests-0123456789",
    DATABASE_URL="sqlite://:memory:",
    SITE_URL="http://testserver",  # as the test client calls it
    MEDIA_ROOT=str(TEST_DIR / "media"),
)

from blog_xtg.settings import *  # noqa: E402, F403
from blog_xtg.settings import DATABASES  # noqa: E402

# A file, not memory: threads open connections of their own.
DATABASES["default"]["TEST"] = {"NAME": str(TEST_DIR / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Static files collected in this checkout change nothing here.
STATIC_ROOT = TEST_DIR / "static"
