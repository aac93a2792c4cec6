"""The site's own settings with the static files that a deployment collects, in a throwaway folder (BENCH_VAR)."""

import os
from pathlib import Path

from blog_xtg.settings import *  # noqa: F403
from blog_xtg.settings import STORAGES

STATIC_ROOT = Path(os.environ["BENCH_VAR"]) / "static"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}
