"""Hexo's tag plugins, and the few Jekyll has, as plain Markdown."""

import re
from collections.abc import Callable
from pathlib import Path

from ..items import Link
from .references import References
from .scanner import Token, tokens

MAX_INCLUDED_BYTES = 200_000
_MAX_DEPTH = 10

_ARGUMENT = re.compile(r""""[^"]*"|'(?:[^'"]|"[^"]*")*'|\S+""")
_URL = re.compile(r"https?://\S+|/\S+")
_OPTION = re.compile(r"(?:^|\s)(lang|line_number|highlight|first_line|mark|wrap|language|from|to|line_threshold):(\S*)")
_QUOTE_TAGS = {"blockquote", "quote", "pullquote", "centerquote", "cq"}
_VIDEOS = {
    "youtube": "https://www.youtube.com/watch?v={}",
    "vimeo": "https://vimeo.com/{}",
    "jsfiddle": "https://jsfiddle.net/{}/",
    "gist": "https://gist.github.com/{}",
    "bilibili": "https://www.bilibili.com/video/{}",
    "iframe": "{}",
}


class HexoTags:
    """Converts one body; `first_line` is the file's line on which it begins."""

    def __init__(self, references: References, first_line: int) -> None:
        self.references = references
        self.first_line = first_line
        self.inline: dict[str, Callable[[str, int], str]] = {
            "img": self._image,
            "asset_img": self._image,
            "asset_path": lambda arguments, line: self.references.picture(_first(arguments), line),
            "asset_link": self._asset_link,
            "link": self._link,
            "post_link": self._post_link,
            "post_path": self._post_path,
            "post_url": self._post_path,
        }

    def convert(self, body: str) -> str:
        return self._convert(body, self.first_line, 0)

    def _convert(self, text: str, first_line: int, depth: int) -> str:
        pieces: list[str] = []
        line, position, behind = first_line, 0, 0
        found = list(tokens(text))
        closings = _closings(found)
        for token in found:
            if token.end <= behind:  # inside a block that was converted as a whole
                continue
            if token.start < behind:
                token = Token("text", behind, token.end)
            line += text.count("\n", position, token.start)
            position = token.start
            if token.kind == "shortcode":
                self.references.warn(line, f"shortcode left as it is: {token.name}")
            if token.kind != "tag":
                pieces.append(text[token.start : token.end])
                continue
            written, behind = self._tag(text, token, closings.get(token.start), line, depth)
            pieces.append(written)
        return "".join(pieces)

    def _tag(self, text: str, token: Token, closing: Token | None, line: int, depth: int) -> tuple[str, int]:
        """The tag's Markdown, and where the text goes on."""
        name, arguments = token.name, token.arguments
        prefix = _prefix(text, token.start)
        if name in self.inline:
            return self.inline[name](arguments, line), token.end
        if name == "raw" and token.content is not None:
            return token.content, token.end
        if name in {"codeblock", "code", "highlight"} and token.content is not None:
            made = _code(arguments, _without(prefix, token.content), jekyll=name == "highlight")
            return _as_block(text, token.start, token.end, made), token.end
        if name in {"include_code", "include-code"}:
            included = self._included(arguments, line)
            return _as_block(text, token.start, token.end, included) if included else _same(text, token), token.end
        if name in _VIDEOS and _first(arguments):
            return f"<{_VIDEOS[name].format(_first(arguments))}>", token.end
        if closing and depth < _MAX_DEPTH:
            content = self._convert(_without(prefix, text[token.end : closing.start]), line, depth + 1)
            by = "" if name != "blockquote" and name != "quote" else _attribution(arguments)
            return _as_block(text, token.start, closing.end, _quote(content, by)), closing.end
        if not name.startswith("end"):
            self.references.warn(line, f"tag left as it is: {{% {name} %}}")
        return _same(text, token), token.end

    def _image(self, arguments: str, line: int) -> str:
        """`[class names] path [width] [height] ["title" ["alt"]]`; sizes and classes have no Markdown."""
        parts = _arguments(arguments)
        if not parts:
            return ""
        # Class names have neither dot nor slash; of the last resort, the first word is the path.
        at = next((index for index, part in enumerate(parts) if re.search(r"[./]", part)), 0)
        rest = _ARGUMENT.findall(arguments)[at + 1 :]
        while rest and re.fullmatch(r"\d+(?:px|%)?|auto", rest[0]):
            rest = rest[1:]
        words = " ".join(rest)
        quoted = re.findall(r'"([^"]*)"', words) or [words.strip("'")]
        title, alt = quoted[0], quoted[1] if len(quoted) > 1 else ""
        address = self.references.picture(parts[at], line)
        alt = alt or title
        title = title.replace('"', "&quot;")
        return f"![{_label(alt)}]({_target(address)}" + (f' "{title}")' if title else ")")

    def _asset_link(self, arguments: str, line: int) -> str:
        parts = _arguments(arguments)
        if not parts:
            return ""
        text = " ".join(part for part in parts[1:] if part not in {"true", "false"}) or parts[0]
        return f"[{_label(text)}]({_target(self.references.picture(parts[0], line))})"

    def _link(self, arguments: str, line: int) -> str:
        """Hexo: `text url [external] [title]`; Jekyll: the path of a file."""
        parts = _arguments(arguments)
        at = next((index for index, part in enumerate(parts) if re.match(r"https?:|/|mailto:", part)), -1)
        if at < 0:
            return self._post_path(arguments, line)
        text = " ".join(parts[:at]) or parts[at]
        title = " ".join(part for part in parts[at + 1 :] if part not in {"true", "false"}).replace('"', "&quot;")
        return f"[{_label(text)}]({_target(parts[at])}" + (f' "{title}")' if title else ")")

    def _post_link(self, arguments: str, line: int) -> str:
        parts = _arguments(arguments)
        if not parts:
            return ""
        name, _, fragment = parts[0].partition("#")
        title = " ".join(part for part in parts[1:] if part not in {"true", "false"})
        origin = self._origin(name, line)
        if not origin:
            return title or name
        link = Link(origin, title or None, False, f"#{fragment}" if fragment else "", title or name, line)
        return self.references.link(link)

    def _post_path(self, arguments: str, line: int) -> str:
        name, _, fragment = _first(arguments).partition("#")
        origin = self._origin(name, line)
        if not origin:
            return name
        link = Link(origin, bare=True, fragment=f"#{fragment}" if fragment else "", fallback=name, line=line)
        return self.references.link(link)

    def _origin(self, name: str, line: int) -> str:
        origin = self.references.known.get(re.sub(r"\.(?:md|markdown)$", "", name.strip("/")).lower(), "")
        if not origin:
            self.references.warn(line, f"link to an unknown post: {name}")
        return origin

    def _included(self, arguments: str, line: int) -> str:
        """`[title] [lang:x] [from:n] [to:n] path`, counted from Hexo's folder for code."""
        options = dict(_OPTION.findall(arguments))
        parts = _arguments(_OPTION.sub(" ", arguments))
        if not parts:
            return ""
        site = self.references.site
        for place in (site.content / "downloads/code", site.content, self.references.path.parent):
            try:
                path = (place / parts[-1].lstrip("/")).resolve()
                if path.is_relative_to(site.project) and path.is_file() and path.stat().st_size <= MAX_INCLUDED_BYTES:
                    code = path.read_text(encoding="utf-8").replace("\r\n", "\n")
                    break
            except (OSError, ValueError, RuntimeError):
                continue
        else:
            self.references.warn(line, f"code file not found: {parts[-1]}")
            return ""
        numbers = {key: int(value) for key, value in options.items() if value.isascii() and value.isdigit()}
        lines = code.split("\n")[max(numbers.get("from", 1) - 1, 0) : numbers.get("to")]
        language = options.get("lang") or options.get("language") or path.suffix.lstrip(".")
        return _fence("\n".join(lines), language, " ".join(parts[:-1]) or Path(parts[-1]).name)


def _same(text: str, token: Token) -> str:
    return text[token.start : token.end]


def _arguments(arguments: str) -> list[str]:
    return [part[1:-1] if part[0] in "\"'" and part[-1] == part[0] and len(part) > 1 else part
            for part in _ARGUMENT.findall(arguments)]  # fmt: skip


def _first(arguments: str) -> str:
    return next(iter(_arguments(arguments)), "")


def _label(text: str) -> str:
    return re.sub(r"([\[\]])", r"\\\1", text)


def _target(address: str) -> str:
    return f"<{address}>" if re.search(r"[\s()]", address) else address


def _closings(found: list[Token]) -> dict[int, Token]:
    """The end tag of each quote, by the position of its beginning."""
    closings: dict[int, Token] = {}
    open_tags: dict[str, list[int]] = {}
    for token in found:
        if token.kind != "tag":
            continue
        if token.name in _QUOTE_TAGS:
            open_tags.setdefault(token.name, []).append(token.start)
        elif open_tags.get(token.name.removeprefix("end")):
            closings[open_tags[token.name.removeprefix("end")].pop()] = token
    return closings


def _attribution(arguments: str) -> str:
    """`author[, source] [link [title]]`, as Hexo reads it."""
    arguments = " ".join(_arguments(arguments))
    found = re.search(r"(?:^|\s)(https?://\S+)(?:\s+(.+))?$", arguments)
    if found:
        author = arguments[: found.start()].strip()
        address = found[1]
        title = found[2] or re.sub(r"^https?://|/$", "", address)
        link = f"[{_label(title)}]({address})"
        return f"{author}, {link}" if author else link
    author, comma, source = arguments.partition(",")
    return f"{author.strip()}, *{source.strip()}*" if comma and source.strip() else author.strip()


def _quote(content: str, by: str) -> str:
    lines = content.strip("\n").split("\n")
    if by:
        lines += ["", f"— {by}"]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def _code(arguments: str, content: str, *, jekyll: bool) -> str:
    if jekyll:  # {% highlight ruby linenos %}
        return _fence(content, _first(arguments), "")
    options = dict(_OPTION.findall(arguments))
    caption = " ".join(_OPTION.sub(" ", f" {arguments}").split())
    language = options.get("lang") or options.get("language") or ""
    found = re.search(r"(?:^|\s)(https?://\S+|/\S+/\S*)(?:\s+(.+))?$", caption)
    if not found:
        return _fence(content, language, caption)
    link = f"[{_label(found[2] or 'link')}]({found[1]})"
    return f"{_fence(content, language, caption[: found.start()].strip())}\n\n{link}"


def _fence(code: str, language: str, title: str) -> str:
    code = code.strip("\n")
    sign = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", code)), default=0))
    info = re.sub(r"[`\s]", "", language)
    if title:
        title = re.sub(r"[`\"]", "'", title)
        info = f'{info} title="{title}"'.lstrip()
    return f"{sign}{info}\n{code}\n{sign}"


def _as_block(text: str, start: int, end: int, made: str) -> str:
    """The block on lines of its own, behind the list's indent or the quote's marks that its tag stands behind."""
    line_start = text.rfind("\n", 0, start) + 1
    prefix = _prefix(text, start)
    made = "\n".join(f"{prefix}{line}".rstrip() for line in made.split("\n")).removeprefix(prefix)
    if text[line_start:start] != prefix:
        opening = "\n\n"
    else:
        opening = "" if _blank_above(text, line_start) else f"\n{prefix}"
    rest, _, below = text[end : end + 500].partition("\n")
    if rest.strip():
        return f"{opening}{made}\n\n"
    return opening + made + (f"\n{prefix.rstrip()}" if below.partition("\n")[0].strip(" \t>") else "")


def _prefix(text: str, position: int) -> str:
    """The indent and quote marks before the position; empty when there is more on its line."""
    before = text[text.rfind("\n", 0, position) + 1 : position]
    return before if not before.strip(" \t>") else ""


def _without(prefix: str, content: str) -> str:
    """The block's contents without what its lines share with the tag's."""
    if not prefix:
        return content
    bare = prefix.rstrip()
    return "\n".join(
        line.removeprefix(prefix) if line.startswith(prefix) else line.removeprefix(bare)
        for line in content.split("\n")
    )


def _blank_above(text: str, line_start: int) -> bool:
    if line_start == 0:
        return True
    above = text[text.rfind("\n", 0, line_start - 1) + 1 : line_start - 1]
    return not above.strip(" \t>")
