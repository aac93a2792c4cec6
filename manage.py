#!/usr/bin/env python
"""Django's command line, with a clear word when the program has not been installed or there is no blog yet."""

import os
import sys

# These make what a new blog lacks: the folder of its data, a key, the database. The others leave nothing behind.
MAKE_A_BLOG = {"start", "runserver", "migrate", "prepare", "setup_link"}
NEED_NO_BLOG = {
    *("", "help", "-h", "--help", "version", "--version", "check", "diffsettings", "test", "testserver"),
    *("makemigrations", "makemessages", "compilemessages", "collectstatic", "findstatic", "startapp"),
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_xtg.settings")
    command = (sys.argv[1:] or [""])[0]
    if command not in {"start", "runserver"}:
        # Figures of a command are nobody's, and they would be files in a folder of processes that serve.
        os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit(
            "Django is not installed for this Python. Run `make run`, or "
            "`pip install -r requirements/base.txt`, and try again."
        )
    from django.core.exceptions import ImproperlyConfigured

    from apps.core.environment import load, prepare_solo, require_blog

    try:
        load()
        if {"-h", "--help"} & {*sys.argv}:
            pass
        elif command in MAKE_A_BLOG:
            prepare_solo(new_key="--new-key" in sys.argv)
        elif command not in NEED_NO_BLOG:
            require_blog()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
