"""An item's pictures, stored as the blog's own."""

import re
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage

from apps.posts.media.images import ImageRejected, encode_image, store_image
from apps.posts.models import Post

from .items import Picture


class PictureStore:
    """Stores each file once a run. A refused picture is None, its reason among `warnings` of the call."""

    def __init__(self) -> None:
        self._stored: dict[Path, str] = {}
        self._refused: dict[Path, str] = {}

    def name(self, picture: Picture, post: Post | None, warnings: list[str]) -> str | None:
        """The name in the default storage; of a post that shows the picture already, the one it has.

        Raises nothing but what the storage raises.
        """
        if picture.path not in self._stored and picture.path not in self._refused:
            try:
                self._stored[picture.path] = self._store(picture.path, post)
            except ImageRejected as error:
                self._refused[picture.path] = " ".join(error.messages)
            except OSError as error:
                self._refused[picture.path] = error.strerror or str(error)
        if reason := self._refused.get(picture.path):
            place = f"line {picture.line}: " if picture.line else ""
            warnings.append(f"{place}image left out: {picture.reference} ({reason})")
        return self._stored.get(picture.path)

    def _store(self, path: Path, post: Post | None) -> str:
        with path.open("rb") as file:
            data = file.read(settings.UPLOAD_IMAGE_MAX_BYTES + 1)
        # Names hold the month: without this, an update in another month would store every picture again.
        if post is not None and (f"{settings.MEDIA_URL}" in post.body or post.cover):
            known = re.compile(r"uploads/\d{4}/\d\d/" + encode_image(data).digest + r"\.\w+")
            found = known.search(f"{post.body}\n{post.cover.name}")
            if found and default_storage.exists(found[0]):
                return found[0]
        return store_image(data, name=path.name).name
