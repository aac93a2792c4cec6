"""Links in emails: signed addresses that need no sign-in and name nobody."""

import datetime
import hmac

from django.core import signing
from django.urls import reverse

from apps.core.http.hosts import absolute
from apps.core.keys import known_keys

CONFIRM_SECONDS = 7 * 24 * 3600
ASK_AGAIN = datetime.timedelta(seconds=CONFIRM_SECONDS)
_CONFIRM, _STOP = "comments.mail.confirm", "comments.mail.stop"


def receiver_of(address: str) -> str:
    """Return the digest that stands for an e-mail address: the same however it is capitalised, blank for none."""
    return next(iter(receivers_of(address)), "")


def receivers_of(address: str) -> list[str]:
    """Return the digests that may stand for an address in the tables: today's, and those under earlier keys."""
    address = address.strip().casefold()
    if not address:
        return []
    return [hmac.new(key.encode(), f"mail\n{address}".encode(), "sha256").hexdigest()[:32] for key in known_keys()]


def confirm_url(receiver: str) -> str:
    """Return the link that confirms this receiver; good for a week."""
    return absolute(reverse("comments:mail-confirm", args=[signing.dumps(receiver, salt=_CONFIRM)]))


def confirmed_receiver(token: str) -> str | None:
    """Return whom the link confirms, None when it is forged or too old."""
    receiver = _loaded(token, _CONFIRM, CONFIRM_SECONDS)
    return receiver if isinstance(receiver, str) else None


def stop_url(who: str | int) -> str:
    """Return the link that ends the mail to a receiver, or to an author by the account's id; good for ever."""
    return absolute(reverse("comments:mail-stop", args=[signing.dumps(who, salt=_STOP)]))


def stopped(token: str) -> str | int | None:
    """Return whose mail the link ends, a receiver or an account's id; None when it is forged."""
    who = _loaded(token, _STOP, None)
    return who if isinstance(who, str | int) else None


def _loaded(token: str, salt: str, seconds: int | None) -> object:
    try:
        return signing.loads(token, salt=salt, max_age=seconds)
    except signing.BadSignature:
        return None
