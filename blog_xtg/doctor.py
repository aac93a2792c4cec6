"""What is wrong with this blog's configuration and its running parts, in plain words, and how to mend it."""

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import connection, connections
from django.db.models import UniqueConstraint
from django.utils.module_loading import import_string
from redis.exceptions import AuthenticationError, ResponseError

from . import health, proxies
from .checks import OTHER_KEY, RIGHT_ONE, database_speaks_utf8mb4
from .environment import is_local
from .fleet import newest_backup_at
from .redis import client, insistent_client
from .reports import beat_is_locked, queue, reports, schedule

BOUND_SECONDS = 15  # for each examination
CLOCKS_APART_SECONDS = 2
WAITING_SECONDS = 120
WORKER_SECONDS = 2
FREE_DISK = 0.05
FULL_BYTES = 20 * 1024 * 1024  # less than one large upload and its copies
BACKUP_OLD_SECONDS = 2 * 86400

OK, WARNING, ERROR = "ok", "warning", "error"


@dataclass(frozen=True, slots=True)
class Finding:
    level: str
    text: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Yield what each examination has found, at least one finding each; none takes longer than 15 seconds."""
    parts = health.state()
    for examination in EXAMINATIONS:
        yield from _bounded(examination, parts)


def _bounded(examination: Callable[[dict[str, str]], Iterator[Finding]], parts: dict[str, str]) -> list[Finding]:
    found: list[Finding] = []

    def run() -> None:
        try:
            found.extend(examination(parts))
        except Exception as error:
            found.append(Finding(ERROR, f"{_subject(examination)} can't be examined: {error!r}."))
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(BOUND_SECONDS)
    if thread.is_alive():
        return [Finding(ERROR, f"{_subject(examination)}: no answer within {BOUND_SECONDS} seconds.")]
    return found


def _subject(examination: Callable[..., Any]) -> str:
    return (examination.__doc__ or "").rstrip(".")


def _is_reached() -> bool:
    """Whether readers come from elsewhere than this machine."""
    return not is_local(settings.SITE_URL)


def _has_server() -> bool:
    return connection.vendor != "sqlite"


def _workers() -> int:
    """How many workers gunicorn and deploy/run are told to start; 0 where nobody says."""
    told = os.environ.get("WEB_CONCURRENCY", "")
    return int(told) if told.isdecimal() else 0


def configuration(parts: dict[str, str]) -> Iterator[Finding]:
    """The configuration."""
    well = True
    for level, is_wrong, text, remedy in [
        (
            ERROR if _is_reached() or settings.REDIS_URL else WARNING,
            settings.DEBUG,
            "DEBUG is on: every reader sees the program's insides when a page fails, and every page is made anew.",
            "Take DEBUG out of the environment or .env.",
        ),
        (
            ERROR,
            _has_server() and not settings.REDIS_URL,
            "DATABASE_URL names a server, but REDIS_URL is not set: several workers can't hear of each other's changes,"
            " and each keeps sessions and counts of its own.",
            "Set REDIS_URL, such as redis://127.0.0.1:6379/0, or run one worker alone.",
        ),
        (
            ERROR,
            not _has_server() and not settings.REDIS_URL and _workers() > 1,
            f"WEB_CONCURRENCY is {_workers()}, but REDIS_URL is not set: several workers can't hear of each other's"
            " changes, and show old pages.",
            "Set REDIS_URL, such as redis://127.0.0.1:6379/0, or WEB_CONCURRENCY to 1.",
        ),
        (
            ERROR,
            settings.HTTPS and not settings.TRUSTED_PROXIES,
            "SITE_URL is https, but TRUSTED_PROXIES is 0: the proxy that ends TLS is not believed, and all readers have"
            " its address.",
            "Take TRUSTED_PROXIES out of the environment or .env (with https it is 1), or set the number of proxies.",
        ),
        (
            WARNING,
            _is_reached() and not settings.HTTPS,
            "SITE_URL is http: passwords and sessions can be read on their way.",
            "Let nginx have a certificate (see deploy/nginx), and make SITE_URL https.",
        ),
    ]:
        if is_wrong:
            well = False
            yield Finding(level, text, remedy)
    for text, remedy in proxies.seen() if parts.get("redis", health.OK) == health.OK else []:
        well = False
        yield Finding(ERROR, text, remedy)
    if well:
        yield Finding(OK, f"{settings.SITE_URL} is {'a fleet' if settings.REDIS_URL else 'a blog of one process'}.")


def database(parts: dict[str, str]) -> Iterator[Finding]:
    """The database."""
    if parts["database"] != health.OK:
        where = connection.settings_dict["HOST"] or connection.settings_dict["NAME"]
        what = "doesn't answer within a second" if parts["database"] == "no answer" else "can't be reached"
        try:
            connection.ensure_connection()
            why = ""
        except Exception as error:
            why = f" ({error})"
        remedy = "Start it, or correct DATABASE_URL: host, port, user, password and the database's name."
        yield Finding(ERROR, f"The database on {where} {what}{why}.", remedy)
        return
    version = ".".join(map(str, connection.get_database_version()))
    if parts["migrations"] != health.OK:
        yield Finding(
            ERROR,
            f"The database is behind the program: migrations {parts['migrations']}.",
            f"Run `{manage()} migrate`, once, on any host.",
        )
        return
    yield Finding(OK, f"The database: {connection.display_name} {version}, all migrations are applied.")
    if not import_string("apps.components.key.is_known")():
        yield Finding(ERROR, *OTHER_KEY)
    for alias in settings.DATABASE_REPLICAS:
        if parts[alias] != health.OK:
            host = settings.DATABASES[alias]["HOST"]
            remedy = "Start it, or take it out of DATABASE_REPLICA_URLS; the database answers for it meanwhile."
            yield Finding(ERROR, f"The replica on {host} can't be reached.", remedy)
    for wrong in database_speaks_utf8mb4(["default"]):
        yield Finding(ERROR, wrong.msg, str(wrong.hint))
    yield from _collations()
    missing = list(_missing_indexes())
    if missing:
        yield Finding(
            ERROR,
            f"Indexes are missing, so that pages read whole tables: {', '.join(missing[:10])}.",
            "Somebody has dropped them. `manage.py sqlmigrate <app> <migration>` shows the statement that makes each.",
        )


def _collations() -> Iterator[Finding]:
    if connection.vendor != "mysql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT @@collation_database UNION SELECT table_collation FROM information_schema.tables"
            " WHERE table_schema = DATABASE() AND table_collation IS NOT NULL"
        )
        for (name,) in cursor.fetchall():
            if not name.startswith("utf8mb4"):
                continue  # said already
            cursor.execute(f"SELECT _utf8mb4'é' COLLATE {name} = _utf8mb4'e'")
            if cursor.fetchone()[0]:
                yield Finding(
                    WARNING,
                    f"The collation {name} takes é for e and は for ば: tags that differ in that alone become one.",
                    f"ALTER DATABASE{RIGHT_ONE}, and each table likewise (ALTER TABLE … CONVERT TO{RIGHT_ONE}).",
                )


def _missing_indexes() -> Iterator[str]:
    """Names of indexes and unique constraints, or table.column of fields, that the models have and the tables lack."""
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            options = model._meta
            if not options.managed or options.proxy:
                continue
            there = connection.introspection.get_constraints(cursor, options.db_table)
            for index in options.indexes:
                if index.name not in there and not (index.condition and connection.vendor == "mysql"):
                    yield index.name
            for constraint in options.constraints:
                partial = getattr(constraint, "condition", None) and connection.vendor == "mysql"
                if isinstance(constraint, UniqueConstraint) and constraint.name not in there and not partial:
                    yield constraint.name
            leading = {found["columns"][0] for found in there.values() if found["columns"]}
            for field in options.local_concrete_fields:
                if (getattr(field, "db_index", False) or field.unique) and field.column not in leading:
                    yield f"{options.db_table}.{field.column}"


def redis(parts: dict[str, str]) -> Iterator[Finding]:
    """Redis."""
    server = client()
    if server is None:
        return
    where = _without_password(settings.REDIS_URL)
    if parts["redis"] != health.OK:
        why = _refusal()
        what = f"refuses the blog ({why})" if why else "can't be reached"
        remedy = "Give both the same password" if why else "Start it (`systemctl start redis-server`)"
        yield Finding(
            ERROR,
            f"Redis ({where}) {what}: pages are slower, views wait in memory, and no job runs.",
            f"{remedy}, or correct REDIS_URL.",
        )
        return
    info: Any = server.info()
    yield Finding(OK, f"Redis {info['redis_version']}: {info['used_memory_human']} used.")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield Finding(
            ERROR if info.get("maxmemory") else WARNING,
            f"Redis drops keys when its memory is full (maxmemory-policy {policy}): counted views may be among them.",
            "`redis-cli config set maxmemory-policy noeviction`, and the same in redis.conf.",
        )
    if _answers_anybody(server):
        yield Finding(
            ERROR,
            f"Redis ({where}) answers without a password: whoever reaches it reads sessions and what is counted.",
            "Set requirepass in its configuration as in REDIS_URL, and restart it (docs/deployment.md).",
        )
    if not info.get("aof_enabled"):
        yield Finding(
            WARNING,
            "Redis keeps no append-only file: a restart loses the views counted since the last flush, a minute's.",
            "`redis-cli config set appendonly yes`, and the same in redis.conf.",
        )


def clocks(parts: dict[str, str]) -> Iterator[Finding]:
    """The clocks."""
    ahead = {}
    if parts["database"] == health.OK and connection.vendor == "mysql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT UNIX_TIMESTAMP(NOW(6))")
            ahead["the database"] = time.time() - float(cursor.fetchone()[0])
    if parts.get("redis") == health.OK and (told := reports()):
        ahead["Redis"] = told.clock_ahead_seconds
    for part, seconds in ahead.items():
        if abs(seconds) > CLOCKS_APART_SECONDS:
            yield Finding(
                ERROR,
                f"The clock of this host ({settings.BLOG_HOST}) is {abs(seconds):.0f} s"
                f" {'ahead of' if seconds > 0 else 'behind'} that of {part}.",
                "Let both hosts keep their clocks by the network: `timedatectl set-ntp true`.",
            )
        else:
            yield Finding(OK, f"The clock goes with that of {part}.")


def beat(parts: dict[str, str]) -> Iterator[Finding]:
    """The beat."""
    if parts.get("redis") != health.OK or settings.CELERY_TASK_ALWAYS_EAGER:
        return
    if beat_is_locked():
        told = reports()
        yield Finding(OK, f"A beat works{f', on {told.beat_host}' if told and told.beat_host else ''}.")
        return
    only = f" BEAT_NODE lets {settings.BEAT_NODE} alone run one." if settings.BEAT_NODE else ""
    yield Finding(
        ERROR,
        f"No beat works: nothing that is due is done.{only}",
        "Start one on any host: `celery -A blog_xtg beat` (systemd: blog-beat@). It takes up to 15 s to begin.",
    )


def jobs(parts: dict[str, str]) -> Iterator[Finding]:
    """The jobs."""
    if parts.get("redis") != health.OK or settings.CELERY_TASK_ALWAYS_EAGER:
        return
    from .celery import app

    # Anybody who answers will do; nobody does within two seconds where none is.
    workers = app.control.inspect(timeout=WORKER_SECONDS, limit=1).ping()
    if not workers:
        yield Finding(
            ERROR,
            "No worker answers: views stay in Redis, and no letter is sent.",
            "Start one: `celery -A blog_xtg worker` (systemd: blog-worker@).",
        )
    else:
        yield Finding(OK, f"A worker answers: {', '.join(workers)}.")
    waiting, told = queue(), reports()
    if waiting and waiting.oldest_at and time.time() - waiting.oldest_at > WAITING_SECONDS:
        yield Finding(
            ERROR,
            f"{waiting.waiting} tasks wait, the next one for {_span(time.time() - waiting.oldest_at)}.",
            "See what the workers do: `deploy/run celery inspect active`.",
        )
    late = {} if told is None else {task: time.time() - at for task, at in told.succeeded_at.items()}
    for task, interval in schedule().items():
        # The same as the alert BlogJobLate.
        if late.get(task, 0) > 1.5 * interval + 180:
            yield Finding(
                ERROR,
                f"{task} was last done {_span(late[task])} ago; it is due every {_span(interval)}.",
                f"See the worker's log; by hand: `deploy/run celery call {task}`.",
            )


def files(parts: dict[str, str]) -> Iterator[Finding]:
    """The files."""
    folder = existing = Path(settings.MEDIA_ROOT)
    try:
        while not existing.exists() and existing != existing.parent:  # made with the first upload
            existing = existing.parent
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        yield Finding(
            ERROR,
            f"Uploads can't be stored: {folder} can't be written to ({error.strerror}).",
            "Give the folder to the user the blog runs as, or let MEDIA_ROOT name another.",
        )
    else:
        full = list(_full_disks(existing))
        yield from full or [Finding(OK, f"Uploads can be stored in {folder}.")]
    # A blog of one collects at its start.
    if settings.REDIS_URL and not staticfiles_storage.is_complete():  # type: ignore[attr-defined]
        yield Finding(
            ERROR,
            f"Style sheets and scripts are not in {settings.STATIC_ROOT} as this version has them.",
            f"Run `{manage()} collectstatic --noinput` on each host, and reload its workers.",
        )


def _full_disks(uploads: Path) -> Iterator[Finding]:
    database = [] if _has_server() else [Path(str(connection.settings_dict["NAME"])).parent]
    for folder in [uploads, *database]:
        usage = shutil.disk_usage(folder)
        if usage.free < FULL_BYTES:
            yield Finding(
                ERROR,
                f"The disk of {folder} is full, {usage.free} bytes are left: comments, posts and uploads are refused.",
                "Make room.",
            )
            return
        if usage.free < FREE_DISK * usage.total:
            yield Finding(
                WARNING, f"The disk of {folder} is nearly full: {usage.free / 1e9:.1f} GB left.", "Make room."
            )
            return


def backups(parts: dict[str, str]) -> Iterator[Finding]:
    """The backups."""
    folder = settings.BACKUP_ROOT
    if not folder:
        if _is_reached():
            yield Finding(
                WARNING,
                "Nobody looks after the backups: BACKUP_ROOT names no folder.",
                "Write one every day (docs/deployment.md, Backups), and let BACKUP_ROOT name their folder.",
            )
        return
    try:
        newest_at = newest_backup_at(folder)
    except OSError as error:
        yield Finding(ERROR, f"The backups can't be read: {folder} ({error.strerror}).", "Correct BACKUP_ROOT.")
        return
    if _is_open_to_all(Path(folder)):
        yield Finding(
            WARNING,
            f"Every user of this machine can read the backups in {folder}: passwords' digests, sessions and addresses.",
            f"`chmod -R go-rwx {folder}`, and `umask 077` in the script that writes them.",
        )
    age = time.time() - (newest_at or 0)
    remedy = "See why the job that writes them has stopped, and write one by hand (docs/deployment.md, Backups)."
    if newest_at is None:
        yield Finding(ERROR, f"There is no backup in {folder}.", remedy)
    elif age > BACKUP_OLD_SECONDS:  # the same as the alert BlogBackupOld
        yield Finding(ERROR, f"The newest backup in {folder} is {_span(age)} old.", remedy)
    else:
        yield Finding(OK, f"The newest backup in {folder} is {_span(max(age, 0))} old.")


def _is_open_to_all(folder: Path) -> bool:
    """Whether some file in it can be read by everybody; the owner of the blog alone may look into a folder above."""
    if not all(parent.stat().st_mode & 0o001 for parent in [folder, *folder.resolve().parents]):
        return False
    return any(file.stat().st_mode & 0o004 for file in folder.iterdir() if file.is_file())


def mail(parts: dict[str, str]) -> Iterator[Finding]:
    """The mail."""
    if parts["database"] != health.OK or parts["migrations"] != health.OK:
        return
    goes_out = not settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend"))
    if goes_out:
        yield Finding(OK, f"Mail goes out by {settings.EMAIL_HOST}.")
    elif apps.get_model("posts", "Post").objects.filter(comments_open=True).exists() and _is_reached():
        yield Finding(
            WARNING,
            "Comments are open, but EMAIL_URL is not set: nobody is told of them by mail.",
            "Set EMAIL_URL, such as smtp+tls://user:password@host:587, and DEFAULT_FROM_EMAIL.",
        )


EXAMINATIONS = [configuration, database, redis, clocks, beat, jobs, files, backups, mail]


def manage() -> str:
    """What runs manage.py's commands here."""
    return "deploy/run manage" if settings.REDIS_URL else "manage.py"


def _refusal() -> str:
    """What Redis itself says against the blog's connection, blank when it says nothing."""
    try:
        insistent_client().ping()
    except (AuthenticationError, ResponseError) as error:
        return str(error)
    except Exception:  # it is away
        return ""
    return ""


def _answers_anybody(server: Any) -> bool:
    """Whether Redis needs no password although it should: REDIS_URL has one, or other machines may reach it."""
    parts = urlsplit(settings.REDIS_URL)
    if not parts.password and (parts.scheme == "unix" or is_local(settings.REDIS_URL)):
        return False
    pool = server.connection_pool
    options = {name: value for name, value in pool.connection_kwargs.items() if name not in {"username", "password"}}
    bare = pool.connection_class(**options)
    try:
        bare.connect()
        bare.send_command("PING")
        bare.read_response()
    except Exception:  # NOAUTH, or what the server says in its place
        return False
    finally:
        bare.disconnect()
    return True


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def _span(seconds: float) -> str:
    for unit, name in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} seconds"
