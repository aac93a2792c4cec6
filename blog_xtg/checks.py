"""System checks of the deployment. `manage.py doctor` reports them, too."""

import logging
from collections.abc import Sequence

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.db import DatabaseError, connections
from django.utils.module_loading import import_string

# The fault, and how to mend it.
OTHER_KEY = (
    "The blog's data was made with another SECRET_KEY than this process has.",
    "Give every host the same one; after a change name the old one in SECRET_KEY_FALLBACKS and run prepare.",
)

logger = logging.getLogger(__name__)


@register(Tags.security, deploy=True)
def https_ends_at_a_proxy(**kwargs: object) -> list[CheckMessage]:
    """Refuse https without a trusted proxy: the blog speaks no TLS, and a proxy's headers tell readers apart."""
    if settings.HTTPS and not settings.TRUSTED_PROXIES:
        return [
            Error(
                "SITE_URL is https, but TRUSTED_PROXIES is 0: the proxy that ends TLS is not believed, and all readers"
                " have its address.",
                hint="Take TRUSTED_PROXIES out of the environment or .env (with https it is 1), or set the number of"
                " proxies.",
                id="blog.E002",
            )
        ]
    return []


@register(Tags.caches, deploy=True)
def processes_hear_of_each_other(**kwargs: object) -> list[CheckMessage]:
    """Refuse a database server without Redis: several processes share sessions, counters and changes through it."""
    if "sqlite" not in settings.DATABASES["default"]["ENGINE"] and not settings.REDIS_URL:
        return [
            Error(
                "DATABASE_URL names a server, but REDIS_URL is not set: several workers can't hear of each other's"
                " changes, and each keeps sessions and counts of its own.",
                hint="Set REDIS_URL, such as redis://127.0.0.1:6379/0, or run one worker alone.",
                id="blog.E003",
            )
        ]
    return []


# A database's own character set wins over the server's, a table's over the database's.
CHARACTER_SETS = """
SELECT 'The connection', @@character_set_client, 'Take charset out of DATABASE_URL: utf8mb4 is what it is without.'
UNION ALL SELECT 'The database', @@character_set_database, CONCAT('ALTER DATABASE ', DATABASE(), %(to)s)
UNION ALL SELECT CONCAT('The table ', table_name), SUBSTRING_INDEX(table_collation, '_', 1),
    CONCAT('ALTER TABLE ', table_name, ' CONVERT TO', %(to)s)
FROM information_schema.tables WHERE table_schema = DATABASE() AND table_collation IS NOT NULL
"""
RIGHT_ONE = " CHARACTER SET utf8mb4 COLLATE utf8mb4_uca1400_as_ci"


@register(Tags.database)
def database_speaks_utf8mb4(databases: Sequence[str] | None = None, **kwargs: object) -> list[CheckMessage]:
    """Refuse a MariaDB or MySQL that stores no four-byte characters, such as emoji and rare Chinese ones (1 query).

    Run by `migrate` before it changes anything, by gunicorn when it starts, and by `check --database default`.
    """
    found: list[CheckMessage] = []
    for alias in databases or []:
        if connections[alias].vendor != "mysql":
            continue
        with connections[alias].cursor() as cursor:
            cursor.execute(CHARACTER_SETS, {"to": RIGHT_ONE})
            found += [
                Error(f"{what}'s character set is {charset}, not utf8mb4.", hint=hint, id="blog.E001")
                for what, charset, hint in cursor.fetchall()
                if charset != "utf8mb4"
            ]
    return found


def reason_not_to_serve(processes: int) -> str:
    """Return why so many processes must not serve pages, in a sentence or more, "" if they may.

    Costs 3 queries and leaves no connection open, so that processes can be forked afterwards. A database that is away
    is no reason: it may be back before the first reader comes.
    """
    if processes > 1 and not settings.REDIS_URL:
        return (
            f"{processes} processes can't hear of each other's changes without REDIS_URL. Set it, such as"
            " redis://127.0.0.1:6379/0, or WEB_CONCURRENCY=1."
        )
    try:
        found = run_checks(tags=[Tags.database], databases=["default"])
        if not import_string("apps.components.key.is_known")():
            logger.error("%s Readers and writers are signed out by it. %s", *OTHER_KEY)
    except DatabaseError:
        return ""
    finally:
        connections.close_all()
    return "\n".join(str(message) for message in found if message.is_serious())
