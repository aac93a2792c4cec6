"""Report faults in plain words."""

import textwrap
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from blog_xtg.doctor import examine
from blog_xtg.doctor.findings import ERROR, WARNING

WIDTH = 100


class Command(BaseCommand):
    help = "Say what is wrong with the configuration and the running parts, and how to mend it; exit code 1 on errors."
    requires_system_checks = []  # whatever is wrong is to be said in words, not by falling over it

    def handle(self, *args: object, **options: Any) -> None:
        styles = {ERROR: self.style.ERROR, WARNING: self.style.WARNING}
        levels: Counter[str] = Counter()
        for finding in examine():
            levels[finding.level] += 1
            text = _wrapped(finding.text, f"{finding.level:8} ")
            self.stdout.write(styles.get(finding.level, str)(text))
            if finding.remedy:
                self.stdout.write(_wrapped(finding.remedy, " " * 9 + "-> "))
        if levels[ERROR] or levels[WARNING]:
            self.stdout.write(f"\n{_counted(levels[ERROR], 'error')}, {_counted(levels[WARNING], 'warning')}.")
        else:
            self.stdout.write("\nAll is well.")
        if levels[ERROR]:
            raise SystemExit(1)


def _wrapped(text: str, beginning: str) -> str:
    """Lines of 100 characters in which paths and addresses stay whole, to be copied."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=beginning,
        subsequent_indent=" " * len(beginning),
        break_on_hyphens=False,
        break_long_words=False,
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
