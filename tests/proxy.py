"""nginx with the very files of deploy/nginx, in front of servers that the tests started."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.fleet.files import fill
from tests.services import ROOT, Nginx

SITE = ROOT / "deploy/nginx"
# The text of Debian's nginx.conf around a site file. Its `tcp_nopush on` is left out: over loopback, whose packets are huge,
# it makes pages above 60 kB wait for acknowledgements (370 requests/s).
AROUND = "include /etc/nginx/mime.types; default_type application/octet-stream; sendfile on;"


class BlogNginx(Nginx):
    """deploy/nginx/blog.conf on a free port.

    `pages` and `live` are ports; `var` is the folder that holds static/ and media/; `optional` is a snippet more
    and `main` what it needs around everything.
    """

    def __init__(
        self, pages: Sequence[int], live: int, var: Path, workers: int = 1, optional: str = "", main: str = ""
    ) -> None:
        self.host_and_port = f"127.0.0.1:{pages[0]}"  # which the blog itself, started without nginx, calls its own
        values = {
            "BLOG_PAGES": " ".join(f"server 127.0.0.1:{port} max_fails=3 fail_timeout=3s;" for port in pages),
            "BLOG_LIVE": f"server 127.0.0.1:{live} max_fails=3 fail_timeout=3s;",
            "BLOG_LISTEN": "listen 127.0.0.1:PORT;",
            "BLOG_SERVER_NAME": "127.0.0.1 alias.example.com",
            "BLOG_HOST_AND_PORT": self.host_and_port,
            "BLOG_STATIC": f"{var}/static",
            "BLOG_MEDIA": f"{var}/media",
            "BLOG_ERROR_PAGES": str(SITE),
            "BLOG_CACHE": "FOLDER/cache",
            "BLOG_ACCESS_LOG": "FOLDER/access.log",
        }
        super().__init__(f"{AROUND}\n{fill((SITE / 'blog.conf').read_text(encoding='utf-8'), values)}", workers, main)
        shutil.copytree(SITE / "snippets", self.folder / "snippets")
        if optional:
            (self.folder / "snippets/blog-optional-test.conf").write_text(optional)

    def requests(self) -> list[dict[str, Any]]:
        """The lines of the access log."""
        lines = (self.folder / "access.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]
