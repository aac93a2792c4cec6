"""How many comments, previews and edits an address may send, and how many comments a post may take."""

from django.conf import settings
from django.utils.translation import gettext as _

from apps.core.http import rates

from ..verdict import Refused

MINUTE, DAY = 60, 86400
PREVIEWS_PER_MINUTE = 30
EDITS, EDITS_SECONDS = 20, 600


def check(address: str, post_id: int) -> None:
    """Count a comment from that address under that post. Raises Refused (429) when it is one too many."""
    who = rates.neighbourhood(address)
    for key, most, seconds in (
        (f"address:{who}", settings.COMMENTS_PER_ADDRESS_PER_MINUTE, MINUTE),
        (f"address-day:{who}", settings.COMMENTS_PER_ADDRESS_PER_DAY, DAY),
        (f"post:{post_id}", settings.COMMENTS_PER_POST_PER_MINUTE, MINUTE),
    ):
        if rates.is_one_too_many(f"comments:{key}", most, seconds):
            if seconds == DAY:
                sentence = _(
                    "You've reached today's comment limit. Please post this one tomorrow; your text is still here."
                )
            else:
                sentence = _("Too many comments right now. Please try again in a minute; your text is still here.")
            raise Refused(sentence, 429, seconds)


def check_preview(address: str) -> None:
    """Count a preview that somebody at that address asks for. Raises Refused (429) when it is one too many."""
    if rates.is_one_too_many(f"comments:preview:{rates.neighbourhood(address)}", PREVIEWS_PER_MINUTE, MINUTE):
        raise Refused(_("Too many requests. Please wait a moment."), 429, MINUTE)


def check_edit(address: str) -> None:
    """Count a changed text from that address. Raises Refused (429) when it is one too many."""
    if rates.is_one_too_many(f"comments:edit:{rates.neighbourhood(address)}", EDITS, EDITS_SECONDS):
        sentence = _("Too many edits. Please try again in 10 minutes; your text is still here.")
        raise Refused(sentence, 429, EDITS_SECONDS)
