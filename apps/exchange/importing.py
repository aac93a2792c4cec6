"""Moving in: a reader's items through the writer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.utils import timezone

from .items import Failure, PostItem
from .readers.markdown_folder import NoMarkdown, read_folder
from .receipts import Outcome, Receipt
from .writer import Writer

__all__ = ["NoMarkdown", "import_folder"]


def import_folder(
    path: Path | str,
    *,
    overwrite: bool = False,
    dry_run: bool = False,
    author: Any = None,
    status: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> list[Receipt]:
    """Import a folder of Markdown files and return a receipt per file, in the order of names.

    Doubles nothing when it runs again; what was edited here since is kept unless `overwrite`, and what was closed here
    stays closed. New posts get `author`. `status` "draft" brings new posts in as drafts, whatever their files say; the
    next run without it gives each the status of its file, unless it was edited here. `progress` is told how many files
    are done, of how many. Each post has a transaction of its own, so call it outside of one. Raises NoMarkdown when
    there is no folder to be read or no Markdown file in it.
    """
    entries = list(read_folder(Path(path), timezone.get_default_timezone()))
    items = [entry for entry in entries if isinstance(entry, PostItem)]
    writer = Writer(items, overwrite=overwrite, dry_run=dry_run, author=author, status=status)
    receipts = []
    for number, entry in enumerate(entries, start=1):
        receipts.append(_not_read(entry) if isinstance(entry, Failure) else writer.store(entry))
        if progress:
            progress(number, len(entries))
    writer.finish()
    return receipts


def _not_read(failure: Failure) -> Receipt:
    outcome = Outcome.SKIPPED if failure.skipped else Outcome.FAILED
    return Receipt(failure.origin, outcome, str(failure), warnings=list(failure.warnings))
