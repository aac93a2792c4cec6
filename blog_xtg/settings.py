"""Every setting of the site, driven by the environment (see .env.example).

With nothing set but SECRET_KEY this is the solo size: SQLite, memory caches, one process.
"""

import socket
import sys
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from redis.backoff import ExponentialBackoff
from redis.retry import Retry

from apps.core.environment import BASE_DIR, VAR_DIR, Env, load, named, refuse_half_a_fleet
from apps.core.http.hosts import LOOPBACK, split
from apps.core.redis.clients import guarded
from apps.core.redis.urls import CACHE, SENTINEL_SCHEME, for_beat, for_celery, for_channels, numbered

env = Env()
load()

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="development-only" if DEBUG else "")
# Keys from before: what they have signed is still good, and `start` and `prepare` take them for this blog's.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
refuse_half_a_fleet()
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set: there is no blog here yet. `make run` makes one and writes a key to .env; a fleet's"
        " processes find a long random one in the environment."
    )

# The address readers type. Its scheme decides everything about HTTPS, its host is always allowed.
SITE_URL = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")
with named("SITE_URL"):
    _site = urlsplit(SITE_URL)
    _site.port  # noqa: B018 (whether it is one)
if _site.scheme not in {"http", "https"} or not _site.hostname:
    raise ImproperlyConfigured(f"SITE_URL must look like https://blog.example.com, not {SITE_URL!r}.")
HTTPS = _site.scheme == "https"
# More names, each with a port of its own or without one: apps/core/http/hosts.py decides. Django compares names alone.
LISTED_HOSTS = [entry.strip() for entry in env.list("ALLOWED_HOSTS", default=[]) if entry.strip()]
ALLOWED_HOSTS = [split(_site.netloc)[0], *LOOPBACK, *(split(entry)[0] or entry for entry in LISTED_HOSTS)]
CSRF_TRUSTED_ORIGINS = [f"{_site.scheme}://{_site.netloc}"]

# A day, so that nobody is locked out for long when a certificate fails; a proxy may say more once it has proved itself.
SECURE_HSTS_SECONDS = 24 * 3600 if HTTPS else 0
# A blog speaks for its own name, not for its neighbours under the same domain: no includeSubDomains, no preload.
# The redirect to https is our own (apps/core/http/security.py): Django's leads in circles where a proxy tells none.
# And MariaDB's unique keys have room for 768 characters of utf8mb4, not for 255.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W008", "security.W021", "mysql.W003"]
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 30 * 24 * 3600
# Only who is signed in gets any. The default would prepare the signature of a cookie for every page.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
X_FRAME_OPTIONS = "DENY"
# How many reverse proxies stand in front: their X-Forwarded-* headers are believed, nobody else's. The blog itself
# speaks no TLS: with https there is one.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=int(HTTPS))
if TRUSTED_PROXIES < 0:
    raise ImproperlyConfigured(f"TRUSTED_PROXIES must be a number of proxies, not {TRUSTED_PROXIES}.")
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

INSTALLED_APPS = [
    # Before staticfiles: brings the asgi runserver, and Twisted, which a worker has no need of (17 MB, 0.3 s).
    *(["daphne"] if sys.argv[1:2] in (["runserver"], ["start"]) else []),
    "blog_xtg",
    "blog_xtg.apps.BlogAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "adminsortable2",
    "markdownx",
    "apps.posts",
    "apps.comments",
    "apps.stats",
    "apps.components",
    "apps.exchange",
]

MIDDLEWARE = [
    "apps.core.http.requests.RequestMiddleware",
    "apps.core.http.security.HttpsMiddleware",
    "apps.core.pages.middleware.PublicPageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "apps.core.pages.middleware.SiteMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.core.http.security.ContentSecurityPolicyMiddleware",
]

# The builder of the snapshot, the site around a page.
SITE_BUILDER = "apps.components.snapshot.build"

ROOT_URLCONF = "blog_xtg.urls"
ASGI_APPLICATION = "blog_xtg.asgi.application"
WSGI_APPLICATION = "blog_xtg.wsgi.application"
CSRF_FAILURE_VIEW = "blog_xtg.errors.csrf_failure"

TEMPLATES = [
    {
        # Pages. Jinja compiles templates to Python: a page takes a third of the time that Django's own need for it.
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {
            "environment": "apps.components.templating.environment",
            "context_processors": ["apps.components.context_processors.site"],
        },
    },
    {
        # The admin, and mail.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates/django"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

env.DB_SCHEMES |= {"mysql": "apps.core.db.mysql", "sqlite": "apps.core.db.sqlite"}
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'blog.sqlite3'}")}
_database = DATABASES["default"]
if "sqlite" in _database["ENGINE"]:
    # WAL lets readers read while one writes; IMMEDIATE takes the write lock first, so no transaction fails half-way.
    # Who doesn't get it within the timeout is told to try again (503).
    _database["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 5,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
else:
    _database["CONN_MAX_AGE"] = env.int("CONN_MAX_AGE", default=0)
    _database["CONN_HEALTH_CHECKS"] = True
    _database["OPTIONS"] = {
        "charset": "utf8mb4",
        "sql_mode": "STRICT_TRANS_TABLES",
        # Each question has an index of its own; weighing unions of several took a third of a post page's query.
        "init_command": "SET SESSION optimizer_switch='index_merge=off'",
        "connect_timeout": 3,
        "read_timeout": 15,
        "write_timeout": 15,
        **_database.get("OPTIONS", {}),
    }
    # …?ssl_mode=VERIFY_IDENTITY&ssl_ca=/etc/ssl/db.pem: the driver wants the files in one value.
    _files = {name: _database["OPTIONS"].pop(f"ssl_{name}", "") for name in ("ca", "cert", "key")}
    if any(_files.values()):
        _database["OPTIONS"]["ssl"] = {name: file for name, file in _files.items() if file}
    _database["TEST"] = {"CHARSET": "utf8mb4", "COLLATION": "utf8mb4_uca1400_as_ci"}
# Copies that answer readers who have written nothing; one that doesn't is soon done without (apps/core/db/replicas.py).
DATABASE_REPLICAS = []
for _number, _url in enumerate(env.list("DATABASE_REPLICA_URLS", default=[])):
    if not _url.startswith("mysql:") or "mysql" not in _database["ENGINE"]:
        raise ImproperlyConfigured(
            "DATABASE_REPLICA_URLS are replicas of a MariaDB: they and DATABASE_URL are mysql://…."
        )
    _options = {**_database["OPTIONS"], "connect_timeout": 1, "read_timeout": 5}
    with named("DATABASE_REPLICA_URLS"):
        DATABASES[f"replica{_number}"] = {**_database, **env.db_url_config(_url), "OPTIONS": _options}
    DATABASE_REPLICAS.append(f"replica{_number}")
if DATABASE_REPLICAS:
    DATABASE_ROUTERS = ["apps.core.db.replicas.Router"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The Redis that processes share: set for a fleet, unset for a single blog. It names the first of four databases.
REDIS_URL = env.str("REDIS_URL", default="")
if REDIS_URL:
    with named("REDIS_URL"):
        "," in REDIS_URL or urlsplit(REDIS_URL).port
    if urlsplit(REDIS_URL).scheme not in {"redis", "rediss", "unix", SENTINEL_SCHEME}:
        raise ImproperlyConfigured(
            "REDIS_URL must look like redis://host:6379/0 or redis+sentinel://host/mymaster/0,"
            f" not begin with {urlsplit(REDIS_URL).scheme!r}."
        )
    CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": numbered(REDIS_URL, CACHE),
            "KEY_PREFIX": "blog",
            "OPTIONS": {
                "CONNECTION_POOL_KWARGS": guarded(REDIS_URL),
                "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
                "IGNORE_EXCEPTIONS": True,
            },
        }
    }
    # Both, so that a Redis restart signs nobody out.
    SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
    CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {
                "prefix": "blog-live",
                "hosts": [
                    {
                        **for_channels(REDIS_URL),
                        # Longer than the layer's own blocking read, or idle websockets die.
                        "socket_timeout": 15,
                        "socket_connect_timeout": 2,
                        "health_check_interval": 15,
                        "retry": Retry(ExponentialBackoff(cap=0.5, base=0.05), 3),
                    }
                ],
            },
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    # In the database alone: the cache is each process's own, and a sign-out must hold in all of them.
    SESSION_ENGINE = "django.contrib.sessions.backends.db"
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = True

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

USE_I18N = True
USE_TZ = True
TIME_ZONE = env.str("TIME_ZONE", default="Asia/Shanghai")
with named("TIME_ZONE", f"TIME_ZONE must be the name of a time zone, such as Asia/Shanghai, not {TIME_ZONE!r}."):
    ZoneInfo(TIME_ZONE)
LANGUAGES = [("zh-hans", _("Simplified Chinese")), ("en", _("English"))]
LANGUAGE_CODE = "zh-hans"
LOCALE_PATHS = [BASE_DIR / "locale"]

STATIC_URL = "/static/"
STATIC_ROOT = env.path("STATIC_ROOT", default=str(VAR_DIR / "static"))()
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"
MEDIA_ROOT = env.path("MEDIA_ROOT", default=str(VAR_DIR / "media"))()
BACKUP_ROOT = env.str("BACKUP_ROOT", default="")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "apps.core.static.storage.HashedStaticFiles"},
}

# Pages of one reader's address that a process holds open for live comments; a school or an office is one address.
LIVE_PAGES_PER_ADDRESS = env.int("LIVE_PAGES_PER_ADDRESS", default=200)

# Of each process's memory, for anonymous pages; 0: every page is made anew, as who works on the program wants it.
PAGE_CACHE_BYTES = env.int("PAGE_CACHE_BYTES", default=0 if DEBUG else 32 * 1024 * 1024)

# A post body of 5 MB passes with room for its other fields; a request larger than this ends in a 400.
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024 * 1024
UPLOAD_IMAGE_MAX_BYTES = env.int("UPLOAD_IMAGE_MAX_BYTES", default=10 * 1024 * 1024)

# Comments: how many are taken (0: any number), how a form is filled in, and from which score on one waits or is spam.
COMMENTS_PER_ADDRESS_PER_MINUTE = env.int("COMMENTS_PER_ADDRESS_PER_MINUTE", default=10)
COMMENTS_PER_ADDRESS_PER_DAY = env.int("COMMENTS_PER_ADDRESS_PER_DAY", default=200)
COMMENTS_PER_POST_PER_MINUTE = env.int("COMMENTS_PER_POST_PER_MINUTE", default=60)
COMMENT_FORM_MIN_SECONDS = env.int("COMMENT_FORM_MIN_SECONDS", default=3)
COMMENT_FORM_MAX_SECONDS = env.int("COMMENT_FORM_MAX_SECONDS", default=24 * 3600)
COMMENT_FREE_LINKS = env.int("COMMENT_FREE_LINKS", default=2)
COMMENT_DUPLICATE_DAYS = env.int("COMMENT_DUPLICATE_DAYS", default=30)
COMMENT_LEARN_FROM = env.int("COMMENT_LEARN_FROM", default=20)
COMMENT_HOLD_SCORE = env.float("COMMENT_HOLD_SCORE", default=3.0)
COMMENT_SPAM_SCORE = env.float("COMMENT_SPAM_SCORE", default=6.0)
# Unset: nobody outside is asked about a comment.
AKISMET_KEY = env.str("AKISMET_KEY", default="")
AKISMET_URL = env.str("AKISMET_URL", default="https://rest.akismet.com/1.1")

# From one address (with IPv6, one network of 64 bits): presses, and browsers that have not reacted before.
REACTIONS_PER_MINUTE = env.int("REACTIONS_PER_MINUTE", default=60)
REACTION_VISITORS_PER_HOUR = env.int("REACTION_VISITORS_PER_HOUR", default=30)

_queue, _queue_options = for_celery(REDIS_URL) if REDIS_URL else ("memory://", {})
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=_queue)
CELERY_TASK_ALWAYS_EAGER = CELERY_BROKER_URL == "memory://"
CELERY_TIMEZONE = TIME_ZONE
CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_EXPIRES = None  # or the beat would add a job of its own to the schedule
# A job is done when it is done, not when somebody has begun it; and none hangs for ever.
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 3600
if not CELERY_TASK_ALWAYS_EAGER:
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        # Handing over a task must not hang with Redis, which without these it does for ever.
        "socket_connect_timeout": 0.5,
        "socket_timeout": 1,
        "max_retries": 1,
        # A killed worker's job comes back after 30 to 35 s. A job that takes longer is safe: see apps/core/jobs.py.
        "visibility_timeout": 30,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        **_queue_options,
    }
    CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# A beat on every host, of which the one that holds the lock works. It renews the lock at each look, every 2 s at least;
# killed, it is replaced 12 s later at the latest. When Redis restarts all of them exit: who started them starts them
# again. The schedule is read from the code at each start; no file is written.
CELERY_BEAT_SCHEDULER = "celery.beat:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 2
if REDIS_URL:
    CELERY_BEAT_SCHEDULER = "redbeat.RedBeatScheduler"
    CELERY_REDBEAT_REDIS_URL, _beat_options = for_beat(REDIS_URL)
    CELERY_REDBEAT_REDIS_OPTIONS = {"socket_connect_timeout": 0.5, "socket_timeout": 2, **_beat_options}
    CELERY_REDBEAT_LOCK_TIMEOUT = 10
# The name of this host, and the one host that runs the schedule where the owner wants to know which: none else may.
BLOG_HOST = env.str("BLOG_HOST", default=socket.gethostname())
BEAT_NODE = env.str("BEAT_NODE", default="")

# smtp://user:password@host:25, smtp+tls:// (port 587), smtp+ssl:// (port 465); unset, mail is printed to the console.
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
globals().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10  # seconds, for each answer of the server
# Above this, what one receiver is to be told within an hour comes together in one letter.
MAIL_LETTERS_PER_HOUR = env.int("MAIL_LETTERS_PER_HOUR", default=5)
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default=f"noreply@{_site.hostname}")

# json: an object in each line, for programs to read; line: for people. gunicorn goes by the same, see
# apps/core/observability/access_log.py.
LOG_FORMAT = env.str("LOG_FORMAT", default="json" if REDIS_URL else "line")
if LOG_FORMAT not in {"json", "line"}:
    raise ImproperlyConfigured(f"LOG_FORMAT must be json or line, not {LOG_FORMAT!r}.")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "apps.core.observability.logs.ReadableLine",
            "fmt": "{asctime} {levelname} {name}: {message}",
            "style": "{",
        },
        "json": {"()": "apps.core.observability.logs.JsonLine", "host": BLOG_HOST},
    },
    "filters": {"expected": {"()": "apps.core.observability.logs.ExpectedInOneLine"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["expected"]}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "django": {"level": "WARNING"},
        # Robots try every host name: worth no traceback.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.server": {"level": "INFO", "propagate": True},
        "django.request": {"level": "ERROR"},  # a 404 is no news
        "apps": {"level": "INFO"},
        "celery": {"level": "INFO"},
        "celery.worker.strategy": {"level": "WARNING"},  # that a task came: that it is done is said as well
    },
}
# Where the processes of a host gather their figures for /metrics; unset, each tells its own.
PROMETHEUS_MULTIPROC_DIR = env.str("PROMETHEUS_MULTIPROC_DIR", default="")

# Errors are told there (apps/core/observability/sentry.py); unset, they stand in the log alone.
if SENTRY_DSN := env.str("SENTRY_DSN", default=""):
    from apps.core.observability.sentry import start

    with named("SENTRY_DSN"):
        start(SENTRY_DSN, BLOG_HOST)
