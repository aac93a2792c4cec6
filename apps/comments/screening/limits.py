"""How many comments an address and a post may take."""

from django.conf import settings
from django.utils.translation import gettext as _

from blog_xtg import rates

from ..verdict import Refused

MINUTE, DAY = 60, 86400


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
                sentence = _("That is a lot of comments for one day. Please send this one tomorrow: your text is kept.")
            else:
                sentence = _("Too many comments are coming in. Please send yours again in a minute: your text is kept.")
            raise Refused(sentence, 429, seconds)
