"""The rules by which posts that the old blog held back are not public here, for every generator at once.

Each key is compared lower-case, without `_`, `-` and spaces; the keys of `params` (Hugo) and `extra` (Zola) count like
the file's own. The strictest rule decides. A value that can't be read makes a draft, and so does a key that no rule
knows and whose name speaks of holding back (SPEAKS_OF_IT).
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from ..items import Reason
from .dates import read_date
from .fields import NO, YES, Fields, as_line
from .scanner import tokens

PUBLISHED, UNLISTED, PRIVATE, DRAFT = STATUSES = ("published", "unlisted", "private", "draft")  # ever stricter

# -- the rules ---------------------------------------------------------------------------------------------------------

# The status of a post whose key says yes.
IF_YES = {
    **dict.fromkeys(("draft", "isdraft", "unpublished", "headless", "expired", "wip", "草稿"), DRAFT),
    **dict.fromkeys(("private", "isprivate", "私密"), PRIVATE),
    **dict.fromkeys(("unlisted", "hidden", "ishidden", "hide", "hideinlist", "隐藏"), UNLISTED),
    **dict.fromkeys(("hiddeninhomelist", "hiddenfromhomepage", "hidefromhome", "hideinhome"), UNLISTED),
    "eleventyexcludefromcollections": UNLISTED,
}
# The status of a post whose key says no.
IF_NO = {
    **dict.fromkeys(("published", "publish", "ispublished", "dgpublish", "public", "ispublic", "公开", "发布"), DRAFT),
    **dict.fromkeys(("visible", "isvisible", "render", "show"), DRAFT),
    **dict.fromkeys(("listed", "showinlist", "showinhome"), UNLISTED),
}
# Yes: behind the post's password where it has one, else a draft.
LOCKS = {"encrypt", "encrypted", "isencrypted", "protect", "protected", "isprotected", "locked", "加密"}
PASSWORDS = {"password", "passwd", "pwd", "encpwd", "密码"}
# A time to come: from then on.
PUBLISH_TIMES = (
    *("published", "publish", "publishedat", "publishdate", "pubdate", "pubdatetime", "publishat", "publishon"),
    *("publishtime", "publisheddate", "publishedon", "datepublished", "publicationdate", "发布时间", "发布日期"),
)
# Nothing expires here: a time that has passed and one to come make a draft alike.
EXPIRY_TIMES = {
    *("expirydate", "expiry", "expires", "expiresat", "expireson", "expiredate", "expiration", "expirationdate"),
    *("unpublishdate", "unpublishat", "unpublishon", "validuntil", "过期时间", "下线时间"),
}
# One word says it; any other word makes a draft.
STATES = {"status", "state", "poststatus", "visibility", "access", "audience", "状态"}
STATE_WORDS = {
    **dict.fromkeys(
        ("published", "publish", "public", "everyone", "visible", "open", "live", "公开", "已发布"), PUBLISHED
    ),
    **dict.fromkeys(("unlisted", "hidden", "隐藏"), UNLISTED),
    **dict.fromkeys(("private", "私密"), PRIVATE),
}
SCHEDULED_WORDS = {"scheduled", "future", "定时发布"}  # right with a time to come, else a draft
# Hugo's `build`; any other value makes a draft.
BUILD = {
    "render": {"always": PUBLISHED, "true": PUBLISHED},
    "list": {"always": PUBLISHED, "true": PUBLISHED} | dict.fromkeys(("never", "local", "false"), UNLISTED),
}
# A note of somebody's own (a vault's, Notion's) is public only when one of these says yes, or its state is published.
SAYS_PUBLISH = {"publish", "published", "ispublished", "dgpublish", "public", "ispublic", "share", "公开"}

SPEAKS_OF_IT = re.compile(
    r"private|secret|hidden|hide|protect|crypt|passw|pwd|draft|publish|public(?!ation)|visib|unlist|(?<!re)member"
    r"|paywall|paid|confiden|restrict|embargo|草稿|私密|私有|隐藏|加密|密码|保密|公开|发布|会员|付费"
)
_SPEAKS_FOR_IT = re.compile(r"(?:is|dg)?(?:publish|public|visib)|公开|发布")  # yes is good news
# They hide a part of the page, or leave the post out of a search or feed alone.
HARMLESS = re.compile(
    r"(?:hide|hidden|show)(?:in|from)?(?:toc|tableofcontents|title|comments?|meta|date|time|author|header|footer|side|nav"
    r"|cover|summary|image|thumbnail|banner|share|tags?|categor|related|reading|description|breadcrumb|word|edit"
    r"|lastupdate|pagination|contributors|copyright|license|aside|search|feed|rss)\w*"
    r"|searchhidden|publisher\w*|publishedby|publishresources|\w*pass\w*(?:hint|message|prompt|tip)|wronghashmessage"
)
_ENCRYPTORS = re.compile(
    r"crypt|secret|private|passw|protect|paywall|member|hidden|^hide$|(?:^|[-_])lock|login|加密|密码"
)
_LOCKED_PARTS = re.compile(
    r"\[(hide|secret|private|login|members?|vip|password|protected?|encrypt\w*)\b[^\]\n]*\]", re.I
)
_MEMBERS_ONLY = re.compile(r"<!--\s*(members-only|private|paywall|more-for-members)\s*-->", re.I)

# -- what they find ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """Keys that hold for a file, and where they stand; empty: in the file itself."""

    keys: dict[str, object]
    place: str = ""


@dataclass(frozen=True)
class Setting:
    key: str
    value: object
    place: str


class Standing:
    """The statements of a file's keys, its folder and its text about its visibility; `layers` come nearest first."""

    def __init__(self, fields: Fields, layers: Iterable[Layer], now: datetime) -> None:
        self.fields = fields
        self.now = now
        self.reasons: list[Reason] = []
        self.published_at: datetime | None = None  # the first time of publication that is stated
        self.embargo: datetime | None = None  # the last one that is still to come
        self.says_publish = False
        self.scheduled: Setting | None = None  # what says that it waits for its time
        self.settings: dict[str, Setting] = {}
        for layer in [Layer(fields.front.fields), *layers]:
            for key, value in _flat(layer.keys):
                if value is not None:
                    self.settings.setdefault(squashed(key), Setting(key, value, layer.place))
        self.password = self._password()
        for name, setting in self.settings.items():
            if setting.value not in ("", [], {}):
                self._judge(name, setting)

    @property
    def status(self) -> str:
        return strictest(reason.status for reason in self.reasons)

    def hold(self, status: str, name: str, sentence: str) -> None:
        self.reasons.append(Reason(status, name, sentence))

    def look_into(self, body: str, first_line: int) -> None:
        """Hold back a text of which the old blog showed a part to some alone."""
        closed = set(re.findall(r"\[/(\w+)\]", body.lower()))
        for token in tokens(body):
            part = body[token.start : token.end]
            name = token.name if token.kind in {"tag", "shortcode"} else ""
            found = _ENCRYPTORS.search(name.lower()) if name else None
            if token.kind == "text":
                found = next((mark for mark in _LOCKED_PARTS.finditer(part) if mark[1].lower() in closed), None)
                name = f"[{found[1]}]" if found else ""
            elif part.startswith("<!--") and (found := _MEMBERS_ONLY.fullmatch(part)):
                name = part
            if found:
                start = token.start + (found.start() if token.kind == "text" else 0)
                self.hold(DRAFT, name, f"line {first_line + body.count(chr(10), 0, start)}: a part is behind {name}")
                return

    def settle(self, published_at: datetime | None) -> None:
        """Add what follows from the rest: only what is to be public can wait for its time."""
        if published_at is None or published_at <= self.now:
            if self.scheduled:
                self._hold(DRAFT, self.scheduled, "no time to come is stated")
            return
        time = f"public from {published_at.isoformat(' ', 'minutes')}"
        if self.status == UNLISTED:
            self.hold(DRAFT, "unlisted before its time", f"{time}, and an unlisted post can't wait")
        elif self.status == PUBLISHED:
            self.hold(PUBLISHED, "scheduled", time)

    # -- one key ---------------------------------------------------------------------------------------------------

    def _judge(self, name: str, setting: Setting) -> None:
        value = setting.value
        said = flag(value)
        if name in SAYS_PUBLISH and said:
            self.says_publish = True
        if name in IF_YES or name in LOCKS:
            if said is None:
                self._unreadable(setting)
            elif said and name in IF_YES:
                self._hold(IF_YES[name], setting)
            elif said and not self.password:
                self._hold(DRAFT, setting, "no password is stated")
        elif name in PUBLISH_TIMES and (said is None or name not in IF_NO):
            self._publication(setting)
        elif name in IF_NO:
            if said is None:
                self._unreadable(setting)
            elif not said:
                self._hold(IF_NO[name], setting)
        elif name in EXPIRY_TIMES:
            self._expiry(setting)
        elif name in STATES:
            self._state(setting)
        elif name == "build":
            self._build(setting)
        elif name == "permalink":
            if said is False:
                self._hold(DRAFT, setting)
        elif name in {"layout", "type"}:
            if SPEAKS_OF_IT.search(squashed(str(value))):
                self._hold(DRAFT, setting)
        elif name not in PASSWORDS and SPEAKS_OF_IT.search(name) and not HARMLESS.fullmatch(name):
            self._unknown(name, setting, said)

    def _publication(self, setting: Setting) -> None:
        if time := self._time(setting):
            self.published_at = self.published_at or time
            if time > self.now:
                self.embargo = max(time, self.embargo or time)

    def _expiry(self, setting: Setting) -> None:
        if time := self._time(setting):
            self._hold(DRAFT, setting, "has passed" if time <= self.now else "nothing expires here")

    def _time(self, setting: Setting) -> datetime | None:
        try:
            return read_date(setting.value, self.fields.zone)
        except ValueError:
            self._unreadable(setting)
            return None

    def _state(self, setting: Setting) -> None:
        word = squashed(str(setting.value))
        status = STATE_WORDS.get(word, DRAFT)
        if word in SCHEDULED_WORDS:
            self.scheduled = setting
            return
        if status == PUBLISHED:
            self.says_publish = True
        else:
            self._hold(status, setting)

    def _build(self, setting: Setting) -> None:
        build = setting.value
        if not isinstance(build, dict):
            self._unreadable(setting)
            return
        for key, words in BUILD.items():
            word = str(build.get(key, "always")).lower()
            status = words.get(word, DRAFT)
            if status != PUBLISHED:
                self._hold(status, Setting(f"{setting.key}.{key}", word, setting.place))

    def _unknown(self, name: str, setting: Setting, said: bool | None) -> None:
        if _SPEAKS_FOR_IT.match(name):
            harmless = said or (said is None and self._is_past(setting.value))
        else:
            harmless = said is False or str(setting.value).strip().lower() in {"none", "never"}
        if not harmless:
            self._hold(DRAFT, setting, "its meaning is not known here")

    def _is_past(self, value: object) -> bool:
        try:
            return read_date(value, self.fields.zone) <= self.now
        except ValueError:
            return False

    def _password(self) -> str:
        """The post's password; what looks like one and can't be taken over makes a draft."""
        for name in PASSWORDS & self.settings.keys():
            setting = self.settings[name]
            if setting.value in ("", [], {}) or str(setting.value).lower() == "false":
                continue
            if isinstance(setting.value, list | dict) or str(setting.value).lower() == "true":
                self._unreadable(setting)
            else:
                return as_line(setting.value)
        return ""

    def _unreadable(self, setting: Setting) -> None:
        self._hold(DRAFT, setting, "can't be read")

    def _hold(self, status: str, setting: Setting, remark: str = "") -> None:
        key, _, below = setting.key.partition(".")
        name, place = setting.key, f"{setting.place}: " if setting.place else ""
        if not setting.place and (line := self.fields.front.line_of(key)):
            name, place = self.fields.front.as_written(key) + (f".{below}" if below else ""), f"line {line}: "
        told = f"{place}{name}: {_shown(setting)}"
        self.hold(status, name, f"{told} ({remark})" if remark else told)


def strictest(statuses: Iterable[str]) -> str:
    return max(statuses, key=STATUSES.index, default=PUBLISHED)


def squashed(key: str) -> str:
    return re.sub(r"[\s_-]+", "", unicodedata.normalize("NFKC", key)).lower()


def flag(value: object) -> bool | None:
    """Whether a value says yes or no; None when it says neither."""
    word = str(value).strip().lower()
    return True if word in YES else False if word in NO else None


def _flat(keys: dict[str, object]) -> Iterator[tuple[str, object]]:
    yield from keys.items()
    for name in ("params", "extra"):
        below = keys.get(name)
        if isinstance(below, dict):
            yield from ((str(key), value) for key, value in below.items())


def _shown(setting: Setting) -> str:
    """The value for a receipt; no password is printed."""
    if re.search("pass|pwd|secret|密码", squashed(setting.key)):
        return "…"
    return as_line(setting.value)[:40] or type(setting.value).__name__
