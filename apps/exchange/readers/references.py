"""Local images and links of a post: found in its blog's folders, or a warning says why not."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from ..items import Link, Picture, link_placeholder, picture_placeholder
from .scanner import tokens
from .sites import SUFFIXES, Site

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".jfif", ".gif", ".webp", ".avif", ".bmp", ".svg", ".ico", ".tif", ".tiff"}
MAX_PICTURE_BYTES = 64 * 1024 * 1024  # what store_image takes is less, and its own affair

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]+:|//|#", re.IGNORECASE)
_LIQUID_BASE = re.compile(
    r"\{\{-?\s*(?:site\.(?:baseurl|url)|page\.root)\s*-?\}\}"
    r"|\{\{\s*['\"]([^'\"]*)['\"]\s*\|\s*\w+_url\s*\}\}"
)
_MARKDOWN = re.compile(
    r"""(?P<lead>!?\[(?:[^\[\]\n]|\[[^\[\]\n]*\](?:\([^()\n]*\))?){0,1000}\]\([ \t]{0,9})
        (?P<target><[^<>\n]+>
          | (?:\{\{[^{}\n]*\}\})?(?:[^\s()<>]|\([^\s()]*\))+
          | [^\s()<>"'][^()<>"'\n]{0,300}?\.(?:png|jpe?g|gif|webp|bmp)(?=[ \t]{0,9}\)))
        (?P<tail>(?:[ \t]{1,9}=\d*x?\d*)?(?:[ \t]{1,9}(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\)))?[ \t]{0,9}\))""",
    re.VERBOSE | re.IGNORECASE,
)
_DEFINITION = re.compile(
    r"(?P<lead>^[ ]{0,3}\[[^\]\n]+\]:[ \t]{0,9})(?P<target><[^<>\n]+>|\S+)(?P<tail>)", re.MULTILINE
)
_HTML = re.compile(
    r"""(?P<lead><(?:img|source|video|a)\b[^<>]{0,2000}?\s(?:src|href)\s{0,9}=\s{0,9})
        (?P<target>"[^"<>\n]*"|'[^'<>\n]*'|[^\s"'<>]+)(?P<tail>)""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass
class References:
    """Collects a post's pictures and links while its body is converted; warnings name the file's lines."""

    site: Site
    path: Path
    origin: str
    known: dict[str, str]  # names of posts -> origins, see markdown_folder
    pictures: list[Picture] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def warn(self, line: int, message: str) -> None:
        text = f"line {line}: {message}" if line else message
        if text not in self.warnings:
            self.warnings.append(text)

    def picture(self, reference: str, line: int) -> str:
        """Return the text for an image: a placeholder when the file is here, else the reference itself."""
        found = self.find_picture(reference, line)
        if found is None:
            return reference
        self.pictures.append(found)
        return picture_placeholder(len(self.pictures) - 1)

    def find_picture(self, reference: str, line: int) -> Picture | None:
        path = self.find_file(reference, line)
        if path is None:
            return None
        if path.stat().st_size > MAX_PICTURE_BYTES:
            self.warn(line, f"image too large: {reference}")
            return None
        return Picture(path, reference, line)

    def link(self, link: Link) -> str:
        self.links.append(link)
        return link_placeholder(len(self.links) - 1)

    def find_file(self, reference: str, line: int) -> Path | None:
        """A local reference's file; None for an address elsewhere, and, with a warning, for what isn't there."""
        local = _local_path(reference)
        if local is None:
            return None
        if re.match(r"[A-Za-z]:[\\/]|file:", local):
            self.warn(line, f"image on another computer: {reference}")
            return None
        outside = False
        for candidate in self._candidates(local):
            try:
                resolved = candidate.resolve()
                if not resolved.is_relative_to(self.site.project):
                    outside = True
                elif resolved.is_file():
                    return resolved
            except (OSError, ValueError, RuntimeError):
                continue
        escapes = outside and ".." in local.split("/")
        self.warn(line, f"{'image outside of the folder' if escapes else 'image not found'}: {reference}")
        return None

    def _candidates(self, local: str) -> list[Path]:
        site = self.site
        relative = local.lstrip("/")
        shared = [site.content, site.project]
        shared += [site.project / name for name in ("source", "static", "assets", "public")]
        shared += [site.content / name for name in ("static", "assets", "public", "images")]
        own = [self.path.parent, self.path.with_suffix("")]
        if local.startswith("/"):
            return [place / relative for place in [*shared, *own]]
        return [place / relative for place in [*own, *shared]]

    def post_at(self, reference: str) -> str:
        """The origin of the post that a relative link to a Markdown file means; empty when it is none of ours."""
        local = _local_path(reference)
        if not local or Path(local).suffix.lower() not in SUFFIXES:
            return ""
        start = self.site.content if local.startswith("/") else self.path.parent
        try:
            resolved = (start / local.lstrip("/")).resolve()
            origin = self.site.origin(resolved) if resolved.is_relative_to(self.site.content) else ""
        except (OSError, ValueError, RuntimeError):
            return ""
        return origin if origin in self.known.values() else ""


def _local_path(reference: str) -> str | None:
    """The path that a reference names; None when it leads elsewhere or within the page."""
    target = _LIQUID_BASE.sub(lambda found: found[1] or "", reference.strip())
    if re.match(r"[A-Za-z]:[\\/]|file:", target):
        return target
    if _SCHEME.match(target):
        return None
    path = unquote(re.split(r"[?#]", target, maxsplit=1)[0]).replace("\\", "/").strip()
    return path or None


def rewrite(body: str, references: References, first_line: int) -> str:
    """The body with placeholders for local images and for links to other posts; code stays as it is."""
    pieces: list[str] = []
    line, position = first_line, 0
    for token in tokens(body):
        line += body.count("\n", position, token.start)
        position = token.start
        part = body[token.start : token.end]
        if token.kind == "text":
            for pattern in (_MARKDOWN, _DEFINITION, _HTML):
                part = pattern.sub(_replacement(references, line), part)
        pieces.append(part)
    return "".join(pieces)


def _replacement(references: References, first_line: int) -> Callable[[re.Match[str]], str]:
    def replace(found: re.Match[str]) -> str:
        line = first_line + found.string.count("\n", 0, found.start("target"))
        lead, target, tail = found["lead"], found["target"], found["tail"]
        # An image that links to a local file, `[![](small.png)](large.png)`, has a second one inside.
        lead = lead[0] + _MARKDOWN.sub(replace, lead[1:]) if "![" in lead[1:] and "](" in lead else lead
        quote = target[0] if target[0] in "<\"'" else ""
        reference = target[1:-1] if quote else target
        return lead + _written(references, found, reference, quote, line) + tail

    return replace


def _written(references: References, found: re.Match[str], reference: str, quote: str, line: int) -> str:
    is_image = found["lead"].startswith("!") or found["lead"][:4].lower() == "<img"
    local = _local_path(reference) or ""
    # Kinship with a picture is told by the name alone: other downloads can't be stored, and stay what they are.
    looks_like_image = Path(local).suffix.lower() in IMAGE_SUFFIXES
    if is_image or looks_like_image:
        written = references.picture(reference, line)
    elif origin := references.post_at(reference):
        fragment = "#" + reference.partition("#")[2] if "#" in reference else ""
        written = references.link(Link(origin, bare=True, fragment=fragment, fallback=reference, line=line))
    else:
        return found["target"]
    if written == reference:
        return found["target"]
    return f"{quote}{written}{quote}" if quote in ('"', "'") else written


def digest(path: Path) -> str:
    """SHA-256 of a file, read in pieces; empty when it can't be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
