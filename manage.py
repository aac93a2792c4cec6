#!/usr/bin/env python
"""Django's command line, with a clear word when the program has not been installed."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blog_xtg.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit(
            "Django is not installed for this Python. Run `make run`, or "
            "`pip install -r requirements/base.txt`, and try again."
        )
    from django.core.exceptions import ImproperlyConfigured

    from blog_xtg.environment import prepare_solo

    prepare_solo()
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
