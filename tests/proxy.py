"""nginx with the very files of deploy/nginx, in front of servers that the tests started."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.services import ROOT, Nginx

SITE = ROOT / "deploy/nginx"
# What Debian's nginx.conf says around a site file. Its `tcp_nopush on` is left out: over loopback, whose packets are huge,
# it makes pages above 60 kB wait for acknowledgements (370 requests/s).
AROUND = "include /etc/nginx/mime.types; default_type application/octet-stream; sendfile on;"


class BlogNginx(Nginx):
    """deploy/nginx/blog.conf on a free port; only addresses and folders are exchanged.

    `pages` and `live` are ports; `var` is the folder that holds static/ and media/.
    """

    def __init__(self, pages: Sequence[int], live: int, var: Path, workers: int = 1) -> None:
        site = (SITE / "blog.conf").read_text(encoding="utf-8")
        servers = "\n".join(f"server 127.0.0.1:{port} max_fails=3 fail_timeout=5s;" for port in pages)
        for written, meant in [
            ("server 127.0.0.1:8000 max_fails=3 fail_timeout=5s;", servers),
            ("server 127.0.0.1:8001 ", f"server 127.0.0.1:{live} "),
            ("listen 80;", "listen 127.0.0.1:PORT;"),
            ("listen [::]:80;", ""),
            ("/srv/blog_xtg/var", str(var)),
            ("/srv/blog_xtg/deploy/nginx", str(SITE)),
            ("/var/lib/nginx/blog", "FOLDER/cache"),
            ("/var/log/nginx/blog.access.log", "FOLDER/access.log"),
        ]:
            assert written in site, f"deploy/nginx/blog.conf no longer says {written}"
            site = site.replace(written, meant)
        super().__init__(f"{AROUND}\n{site}", workers)
        shutil.copytree(SITE / "snippets", self.folder / "snippets")

    def requests(self) -> list[dict[str, Any]]:
        """The lines of the access log."""
        lines = (self.folder / "access.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]
