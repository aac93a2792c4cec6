"""Dates as people and programs write them in front matter."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

_DATE = re.compile(
    r"""(?P<year>\d{4}) \s*[-/.年]\s* (?P<month>\d{1,2}) \s*[-/.月]\s* (?P<day>\d{1,2}) \s*日?
    (?: [T\s]\s* (?P<hour>\d{1,2}) [:：] (?P<minute>\d{1,2}) (?: [:：] (?P<second>\d{1,2}) (?:[.,](?P<part>\d+))? )?
        \s* (?P<half>[ap]m)?
        \s* (?P<zone>Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)? (?:\s+[A-Z]{2,5})?
    )?""",
    re.VERBOSE | re.IGNORECASE,
)
_MONTH_FIRST = re.compile(r"([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? (\d{4})")
_EPOCH = re.compile(r"\d{9,10}(?:\d{3})?")
# Times that every database can hold, with a day to spare for time zones.
_YEARS = range(1000, 9999)


def _zone(text: str | None, default: tzinfo) -> tzinfo:
    if not text:
        return default
    if text.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    digits = text[1:].replace(":", "")
    hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def _from_text(text: str, default: tzinfo) -> datetime:
    if _EPOCH.fullmatch(text):
        return _from_number(int(text))
    found = _DATE.fullmatch(text)
    if not found:
        if month_first := _MONTH_FIRST.fullmatch(text):
            text = f"{month_first[2]} {month_first[1]} {month_first[3]} 00:00:00"
        try:
            parsed = parsedate_to_datetime(text)
        except (TypeError, IndexError):
            raise ValueError from None
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=default)
    hour = int(found["hour"] or 0)
    if half := found["half"]:
        if not 1 <= hour <= 12:
            raise ValueError
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    return datetime(
        int(found["year"]),
        int(found["month"]),
        int(found["day"]),
        hour,
        int(found["minute"] or 0),
        int(found["second"] or 0),
        int((found["part"] or "0")[:6].ljust(6, "0")),
        tzinfo=_zone(found["zone"], default),
    )


def _from_number(number: float) -> datetime:
    """Seconds since 1970, or milliseconds when seconds would lie millennia ahead."""
    return datetime.fromtimestamp(number / 1000 if number >= 10**11 else number, tz=UTC)


def read_date(value: object, default: tzinfo) -> datetime:
    """An aware time from text, number, date or datetime; without a zone of its own it is in `default`.

    Raises ValueError when it is no date, or of a year before 1000 or after 9998.
    """
    try:
        if isinstance(value, datetime):
            found = value if value.tzinfo else value.replace(tzinfo=default)
        elif isinstance(value, date):
            found = datetime(value.year, value.month, value.day, tzinfo=default)
        elif isinstance(value, str):
            found = _from_text(value.strip().strip("\"'"), default)
        elif isinstance(value, int | float) and not isinstance(value, bool) and value >= 10**8:
            found = _from_number(value)
        else:
            raise ValueError
    except (ValueError, OverflowError, OSError):
        raise ValueError(f"no date: {str(value)[:60]!r}") from None
    if found.year not in _YEARS:
        raise ValueError(f"no date: {str(value)[:60]!r}")
    return found
