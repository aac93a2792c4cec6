"""gunicorn for pages and the beacon: gunicorn -c deploy/gunicorn.conf.py blog_xtg.wsgi

The command line and GUNICORN_CMD_ARGS win over what stands here.
"""

import gc
import os
import signal

worker_class = "blog_xtg.worker.Worker"
workers = int(os.environ.get("WEB_CONCURRENCY") or os.cpu_count() or 1)
threads = 4
bind = "127.0.0.1:8000"
# Kept by threads that live as long as the process; blog_xtg/asgi.py knows that its own don't.
os.environ.setdefault("CONN_MAX_AGE", "60")

# Loaded once and shared by the workers; nothing of it may hold a thread or a connection (they begin at the first read).
preload_app = True
# A worker starts anew now and then, not all at once, so that no leak lives long.
max_requests = 1_000_000
max_requests_jitter = 100_000
timeout = 30
graceful_timeout = 8  # whatever waits: systemd and Docker kill after ten
keepalive = 75  # seconds; nginx gives its connections up long before (blog.conf): none is closed under a request
backlog = 512
websocket_max_message_size = 1024  # an open page says no more than that it is there
control_socket_disable = True
# Lines of JSON, one for each request: see LOG_FORMAT in .env.example.
logger_class = "apps.core.observability.access_log.AccessLogger"
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108 (a heartbeat that must not wait for a disk)


def on_starting(server) -> None:
    from django.apps import apps

    if apps.ready:  # whatever else is served by this file is nobody's business
        from blog_xtg.checks import reason_not_to_serve

        if reason := reason_not_to_serve(server.num_workers):
            raise SystemExit(reason)


def when_ready(server) -> None:
    # Objects loaded by now never change: leaving them out of collections keeps their memory shared between workers.
    gc.collect()
    gc.freeze()

    # Told to end, nobody new is let in before the workers hear of it.
    from blog_xtg.worker import turn_away

    def end(number, frame) -> None:
        turn_away(server.LISTENERS)
        server.signal(number, frame)

    signal.signal(signal.SIGTERM, end)


def child_exit(server, worker) -> None:
    # The worker's gauges describe a state that is over.
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)
