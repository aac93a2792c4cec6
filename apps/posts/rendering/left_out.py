"""Elements of a text that no page shows: players, scripts, styles. Each of them is named to the writer."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape

from django.utils.translation import gettext as _

# Of different things; whatever comes after them is counted with the last one.
MAX_KINDS = 20
_MAX_NAME_CHARACTERS = 60

ATTRIBUTE = re.compile(r"""([a-zA-Z_:][\w:.-]*)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'=<>`]+))?""")
# These attributes have a visible effect. `class`, `target` and their like change nothing that a reader would miss.
_VISIBLE_ATTRIBUTES = {"style", "align", "bgcolor", "color", "face", "size"}
_ADDRESS_ATTRIBUTES = ("src", "data", "href")
_KEPT_SCHEMES = {"http", "https", "mailto", "tel"}
_ALIGNED_BY = {"td", "th"}
_SCHEME = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*):")
_HOST = re.compile(r"\s*(?:https?:)?//(?:[^/?#@]*@)?([^/?#:\s]+)", re.IGNORECASE)


@dataclass(frozen=True)
class LeftOut:
    """An element, an attribute or the scheme of an address that isn't shown, where it led to, and how often."""

    what: str
    host: str = ""
    count: int = 1

    def __str__(self) -> str:
        words = _("%(what)s of %(host)s") % {"what": self.what, "host": self.host} if self.host else self.what
        return _("%(what)s (%(count)d×)") % {"what": words, "count": self.count} if self.count > 1 else words


class Notes:
    """The elements that a document's parts leave out, counted."""

    def __init__(self) -> None:
        self._counted: Counter[tuple[str, str]] = Counter()

    def add(self, what: str, host: str = "") -> None:
        key = what[:_MAX_NAME_CHARACTERS], host[:_MAX_NAME_CHARACTERS]
        if key not in self._counted and len(self._counted) >= MAX_KINDS:
            key = ("…", "")
        self._counted[key] += 1

    def add_element(self, name: str, attributes: str) -> None:
        """Note an element that isn't shown, and the host its address leads to."""
        addresses = dict(_named(attributes))
        address = next((addresses[name] for name in _ADDRESS_ATTRIBUTES if name in addresses), "")
        host = _HOST.match(address)
        self.add(f"<{name}>", host[1].lower() if host else "")

    def add_attributes(self, name: str, attributes: str) -> None:
        """Note the attributes of a kept element that the sanitizer takes away and somebody would miss."""
        for attribute, value in _named(attributes):
            if attribute.startswith("on") or (
                attribute in _VISIBLE_ATTRIBUTES and not (attribute == "align" and name in _ALIGNED_BY)
            ):
                self.add(f"{attribute}=…")
            elif attribute in _ADDRESS_ATTRIBUTES:
                self.add_address(value)

    def add_address(self, address: str) -> bool:
        """Note an address that isn't led to, by its scheme; whether it is one."""
        scheme = _SCHEME.match(address)
        if not scheme or scheme[1].lower() in _KEPT_SCHEMES:
            return False
        self.add(f"{scheme[1].lower()}:…")
        return True

    def listed(self) -> list[LeftOut]:
        return [LeftOut(what, host, count) for (what, host), count in self._counted.items()]


def _named(attributes: str) -> list[tuple[str, str]]:
    return [(name.lower(), unescape(value.strip("\"'"))) for name, value in ATTRIBUTE.findall(attributes)]


def in_words(left_out: Iterable[LeftOut]) -> str:
    """One sentence that names all of it, in the active language; empty when nothing was left out."""
    named = _(", ").join(str(one) for one in left_out)
    return _("Not shown: %(what)s") % {"what": named} if named else ""
