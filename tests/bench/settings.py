"""The site's own settings, with static files and uploads in a throwaway folder (BENCH_VAR) as a deployment has them."""

import os
from pathlib import Path

from blog_xtg.settings import *  # noqa: F403

STATIC_ROOT = Path(os.environ["BENCH_VAR"]) / "static"
MEDIA_ROOT = Path(os.environ["BENCH_VAR"]) / "media"
