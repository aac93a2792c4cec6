"""The index of the search, made anew."""

from django.core.management.base import BaseCommand, CommandParser

from apps.posts.models import Post
from apps.posts.services import index_missing, rebuild_search


class Command(BaseCommand):
    help = "Make the index of the search anew; --missing adds only what it doesn't hold yet."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--missing", action="store_true", help="keep what is there, as after an upgrade")

    def handle(self, *args: object, missing: bool, verbosity: int, **options: object) -> None:
        total = Post.objects.count()

        def progress(done: int) -> None:
            if verbosity:
                self.stderr.write(f"  {done} of {total}")

        done = index_missing(progress) if missing else rebuild_search(progress)
        if verbosity:
            self.stdout.write(f"{done} posts indexed.")
