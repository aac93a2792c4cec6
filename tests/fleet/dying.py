"""The blog with workers that die when a request tells them to: before it is looked at, or once all is stored."""

import os
import signal
from collections.abc import Callable, Iterable
from typing import Any

from blog_xtg.wsgi import application as wsgi


def application(environ: dict[str, Any], start_response: Callable) -> Iterable[bytes]:
    when = environ.get("HTTP_X_DIE")
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    answer = wsgi(environ, start_response)
    if when == "after":  # committed, and not a byte of the answer is out
        os.kill(os.getpid(), signal.SIGKILL)
    return answer
