import sys
from collections import Counter
from pathlib import Path
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.exchange.importing import NoMarkdown, import_folder
from apps.exchange.receipts import Outcome, Receipt, held_back, totals


class Command(BaseCommand):
    help = "Import a folder of Markdown files: a blog of Hexo, Hugo or Jekyll, or any other. It may run again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=str, help="The blog, its `source`, `content` or `_posts`, or any folder.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done, and do nothing.")
        parser.add_argument("--overwrite", action="store_true", help="Replace posts that were edited here since.")
        parser.add_argument(
            "--status",
            choices=["draft"],
            default="",
            help="Bring all new posts in as drafts, for a first look.",
        )
        parser.add_argument("--author", metavar="USERNAME", help="Whose the new posts are.")

    def handle(self, *args: Any, folder: str, dry_run: bool, overwrite: bool, status: str, **options: Any) -> None:
        if not folder.strip() or (Path(folder) / "manage.py").exists():
            raise CommandError(f"Name the folder your posts are in; {folder!r} is none, or this program's own.")
        author = self._author(options["author"])
        try:
            receipts = import_folder(
                Path(folder),
                overwrite=overwrite,
                dry_run=dry_run,
                author=author,
                status=status,
                progress=self._progress(),
            )
        except NoMarkdown as error:
            raise CommandError(str(error)) from None
        for receipt in receipts:
            self._report(receipt)
        if held := held_back(receipts):
            self.stdout.write(_one_line(f"held back: {', '.join(_counted(*entry) for entry in held.items())}"))
        counted = totals(receipts)
        summary = ", ".join(f"{count} {outcome}" for outcome, count in counted.items())
        warnings = sum(len(receipt.warnings) for receipt in receipts)
        dry = " (dry run: nothing stored)" if dry_run else ""
        self.stdout.write(f"{summary}; {_many(warnings, 'warning')}{dry}")
        if failed := counted.get(Outcome.FAILED):
            raise CommandError(f"{_many(failed, 'file')} could not be imported, see above.", returncode=1)

    def _author(self, username: str | None) -> Any:
        if username is None:
            return None
        users = get_user_model()
        try:
            return users._default_manager.get(**{users.USERNAME_FIELD: username})
        except users.DoesNotExist:
            raise CommandError(f"There is no user {username!r}.") from None

    def _report(self, receipt: Receipt) -> None:
        styles = {
            Outcome.CREATED: self.style.SUCCESS,
            Outcome.FAILED: self.style.ERROR,
            Outcome.KEPT: self.style.WARNING,
        }
        outcome = styles.get(receipt.outcome, str)(f"{receipt.outcome.value:<9}")
        standing = f"{receipt.standing}, {receipt.because}" if receipt.because else receipt.standing
        reason = f": {receipt.reason or standing}" if receipt.reason or standing else ""
        self.stdout.write(_one_line(f"{outcome}  {receipt.origin}{reason}"))
        for warning in receipt.warnings:
            self.stdout.write(self.style.WARNING(_one_line(f"           warning: {warning}")))

    def _progress(self) -> Any:
        """A counter for people who watch a large import; a log gets none of it."""
        if not sys.stderr.isatty():
            return None

        def show(done: int, total: int) -> None:
            self.stderr.write(f"\r{done}/{total}" if done < total else "\r" + " " * 20 + "\r", ending="")

        return show


def _one_line(text: str) -> str:
    return "".join(character if character.isprintable() or character == "\x1b" else " " for character in text)


def _many(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _counted(standing: str, causes: Counter[str]) -> str:
    """`3 drafts (draft 2, expiryDate 1)`."""
    told = ", ".join(f"{cause} {count}" for cause, count in causes.most_common() if cause != standing)
    number = causes.total()
    names = {"draft": _many(number, "draft"), "password": f"{number} behind a password"}
    name = names.get(standing, f"{number} {standing}")
    return f"{name} ({told})" if told else name
