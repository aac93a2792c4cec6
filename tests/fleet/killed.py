"""The program's own Celery app, with tasks that end badly: by an exception, by a signal, by themselves, by the clock."""

import os
import signal
import time

from blog_xtg.celery import app


@app.task(name="tests.raises")
def raises() -> None:
    raise ValueError("This one ends as a task may.")


@app.task(name="tests.is_killed")
def is_killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)  # as the kernel does when there is no memory


@app.task(name="tests.exits")
def exits() -> None:
    os._exit(1)


@app.task(name="tests.takes_too_long", time_limit=1)
def takes_too_long() -> None:
    time.sleep(60)
