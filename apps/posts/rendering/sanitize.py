"""The one door by which text becomes HTML: whatever reaches a page has passed one of the functions here.

The whitelists name what a writer or a reader may say; everything else is dropped, its text kept unless the element
was never meant to show text. The MathML and HTML namespaces are told apart by the parser, so that markup which means
one thing here and another in the browser (mutation XSS) finds no way through.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape
from urllib.parse import unquote

import nh3

# Ids typed by an author get this prefix, and headings are born with it: no element of a post can then take the
# place of a global of the page (`window.config`) or of an element its scripts look up.
ID_PREFIX = "h-"
FOOTNOTE_PREFIXES = ("fn-", "fnref-")

# Parsing costs the number of tags times the depth of open ones. Nobody nests this deep by hand.
MAX_OPEN_ELEMENTS = 500

_SCHEMES = {"http", "https", "mailto", "tel"}
HTML_ELEMENTS = set(
    "a abbr b bdi bdo blockquote br cite code dd del details dfn div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i"
    " ins kbd label li mark ol p pre q rp rt ruby s samp small span strong sub summary sup time u ul var wbr section"
    " aside table caption colgroup col thead tbody tfoot tr th td img video audio source".split()
)
# `annotation` and `annotation-xml` stay out: the latter turns MathML back into HTML.
MATHML_ELEMENTS = set(
    "math semantics mrow mi mn mo ms mtext mspace msup msub msubsup munder mover munderover mmultiscripts mprescripts"
    " none mfrac msqrt mroot mtable mtr mtd mstyle mpadded mphantom menclose merror".split()
)
_MATHML_ATTRIBUTES = set(
    "accent accentunder columnalign columnlines columnspacing columnspan depth dir displaystyle fence form height"
    " largeop linebreak linethickness lspace mathbackground mathcolor mathsize mathvariant maxsize minsize"
    " movablelimits notation open close rowalign rowlines rowspacing rowspan rspace scriptlevel separator separators"
    " stretchy symmetric voffset width".split()
)
# Elements whose content is no prose: it goes with them.
_SILENT = set(
    "script style iframe frame frameset noframes object embed applet svg template noscript noembed textarea select"
    " option title xmp annotation annotation-xml".split()
)

_CLASSES = frozenset(
    # ours
    "code highlight mermaid math math-error table anchor"
    " footnotes footnotes-list footnote-item footnote-ref footnote-backref"
    " contains-task-list task-list-item task-list-item-checkbox"
    " left center right"
    # tokens of highlighted code, see static/css/highlight.css
    " c cp k kt kc s se si sr m nb nc nf nd nt na nv gd gi gh gs ge gp go".split()
)
_LANGUAGE_CLASS = re.compile(r"language-[\w+#.-]{1,40}")
_ID = re.compile(r"[\w.:-]{1,100}")
_LENGTH = re.compile(r"\d{1,4}%?")
_SCHEME = re.compile(r"\s*([^/?#]*?):")

_POST_ATTRIBUTES: dict[str, set[str]] = {
    "*": {"aria-hidden", "aria-label", "class", "dir", "id", "lang", "title"},
    "a": {"href", "hreflang", "name", "tabindex"},
    "audio": {"loop", "muted", "src"},
    "col": {"span"},
    "colgroup": {"span"},
    "del": {"datetime"},
    "details": {"open"},
    "div": {"data-lang", "data-title", "tabindex"},
    "img": {"alt", "height", "src", "width"},
    "input": {"checked"},
    "ins": {"datetime"},
    "li": {"value"},
    "math": {"alttext", "display"},
    "ol": {"reversed", "start", "type"},
    "pre": {"tabindex"},
    "source": {"src", "type"},
    "td": {"align", "colspan", "headers", "rowspan"},
    "th": {"align", "colspan", "rowspan", "scope"},
    "time": {"datetime"},
    "video": {"height", "loop", "muted", "playsinline", "poster", "src", "width"},
} | {tag: set(_MATHML_ATTRIBUTES) for tag in MATHML_ELEMENTS - {"math"}}
_POST_ATTRIBUTES["math"] |= _MATHML_ATTRIBUTES


@lru_cache(maxsize=4096)
def _kept_classes(value: str) -> str | None:
    kept = [name for name in value.split() if name in _CLASSES or _LANGUAGE_CLASS.fullmatch(name)]
    return " ".join(kept) or None


def _safe_id(value: str) -> str | None:
    value = "-".join(value.split())
    if not _ID.fullmatch(value):
        return None
    return value if value.startswith((ID_PREFIX, *FOOTNOTE_PREFIXES)) else ID_PREFIX + value


def _kept_attribute(tag: str, name: str, value: str) -> str | None:
    """The value to keep, or None to drop the attribute."""
    if name == "class":
        return _kept_classes(value)
    if name in ("id", "name"):
        return _safe_id(value)
    if name in ("src", "poster"):
        # mailto: and tel: are links, never sources.
        scheme = _SCHEME.match(value)
        return value if not scheme or scheme[1].lower() in ("http", "https") else None
    if name == "tabindex":
        return value if value in ("0", "-1") else None
    if name == "align":
        return value if value in ("left", "center", "right") else None
    if name in ("width", "height") and tag in ("img", "video"):
        return value if _LENGTH.fullmatch(value) else None
    return value


def _fragment_attribute(tag: str, name: str, value: str) -> str | None:
    return None if name in ("id", "name") else _kept_attribute(tag, name, value)


def _author_cleaner(attribute_filter: Callable[[str, str, str], str | None]) -> nh3.Cleaner:
    return nh3.Cleaner(
        tags=HTML_ELEMENTS | MATHML_ELEMENTS | {"input"},
        clean_content_tags=_SILENT,
        attributes=_POST_ATTRIBUTES,
        attribute_filter=attribute_filter,
        link_rel="noopener",
        url_schemes=_SCHEMES,
    )


_POST = _author_cleaner(_kept_attribute)
_FRAGMENT = _author_cleaner(_fragment_attribute)
_COMMENT = nh3.Cleaner(
    tags={"p", "br", "strong", "em", "code", "pre", "blockquote", "ul", "ol", "li", "a"},
    clean_content_tags=_SILENT,
    attributes={"a": {"href"}, "ol": {"start"}},
    link_rel="nofollow ugc noopener",
    url_schemes={"http", "https", "mailto"},
)

# These read the sanitizer's own output: every tag is complete, every value quoted, and neither `"` nor `<` stands in
# one. Attributes are set here because the sanitizer would set them in another order on each run.
_SET = re.compile(r"<(img|video|audio|input)(?=[ >])")
_SET_ATTRIBUTES = {
    "audio": 'controls="" preload="metadata"',
    "img": 'loading="lazy" decoding="async"',
    "input": 'type="checkbox" disabled=""',
    "video": 'controls="" preload="metadata"',
}
_INPUT = re.compile(r"<input\b[^>]*>")
_ID_VALUE = re.compile(r' (?:id|name)="([^"]*)"')
_INNER_LINK = re.compile(r'(<a(?: [\w-]+="[^"]*")*? href="#)([^"]+)("(?: [\w-]+="[^"]*")*?) rel="noopener">')

_OPEN_OR_CLOSE = re.compile(r"<(/?)([a-zA-Z][^\s/>]*)")
_CLOSED_BY_NEXT = set(
    "area base br col embed hr img input link meta param source track wbr"
    " p li dt dd td th tr tbody thead tfoot option optgroup colgroup rt rp".split()
)
# Characters that XML, and so a feed, can't carry. Replaced, never removed: removing could join `java` and `script:`.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def too_deep(html: str) -> bool:
    """Whether so many elements stand open at once that cleaning would take unreasonably long."""
    if html.count("<") <= MAX_OPEN_ELEMENTS:
        return False
    open_by_name: dict[str, int] = {}
    depth = 0
    for closing, name in _OPEN_OR_CLOSE.findall(html):
        name = name.lower()
        if name in _CLOSED_BY_NEXT:
            continue
        count = open_by_name.get(name, 0)
        if not closing:
            open_by_name[name] = count + 1
            depth += 1
            if depth > MAX_OPEN_ELEMENTS:
                return True
        elif count:
            open_by_name[name] = count - 1
            depth -= 1
    return False


def _clean(cleaner: nh3.Cleaner, html: str) -> str:
    html = _UNPRINTABLE.sub("\ufffd", html)
    if too_deep(html):
        return escape(html)
    # Once more afterwards: a character reference may have spelled out what the first pass removed.
    return _UNPRINTABLE.sub("\ufffd", cleaner.clean(html))


def _clean_authored(cleaner: nh3.Cleaner, html: str) -> str:
    html = _clean(cleaner, html)
    html = _INPUT.sub(lambda box: box[0] if 'class="task-list-item-checkbox"' in box[0] else "", html)
    return _SET.sub(lambda tag: f"{tag[0]} {_SET_ATTRIBUTES[tag[1]]}", html)


def clean_post(html: str) -> str:
    """The HTML an author typed or Markdown made, reduced to what a post may hold.

    Ids carry a prefix of ours (`h-`, `fn-`, `fnref-`); links within the post that name an id without it are led to
    the prefixed one. HTML nested deeper than MAX_OPEN_ELEMENTS comes back escaped. Costs about 0.1 s per megabyte.
    """
    html = _clean_authored(_POST, html)
    ids = set(_ID_VALUE.findall(html))
    if not ids:
        return html

    def lead(link: re.Match[str]) -> str:
        target = unquote(link[2])
        prefixed = ID_PREFIX + target
        led = prefixed if target not in ids and prefixed in ids else link[2]
        return f"{link[1]}{led}{link[3]}>"

    return _INNER_LINK.sub(lead, html)


def clean_comment(html: str) -> str:
    """Sanitize a reader's HTML: the Markdown-lite set, without images, classes or ids; links earn no rank."""
    return _clean(_COMMENT, html)


def clean_fragment(html: str) -> str:
    """The owner's HTML in the frame of every page (sidebar plugins): the post's set without ids."""
    return _clean_authored(_FRAGMENT, html)
