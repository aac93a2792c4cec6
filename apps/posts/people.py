"""Names of people as they are written where they come from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .rendering.words import one_line

if TYPE_CHECKING:
    from .visibility import Account

# Chinese, Japanese and Korean letters, and the signs that stand within such names.
_EAST_ASIAN = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d"
    "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af\U00020000-\U0003ffff·・ ]+"
)


def full_name(first: str, last: str) -> str:
    """Return a person's name: 林深, family name first and no space between, or Ada Lovelace; "" when there is none."""
    first, last = one_line(first), one_line(last)
    if first and last and _EAST_ASIAN.fullmatch(first) and _EAST_ASIAN.fullmatch(last):
        return f"{last}{first}"
    return f"{first} {last}".strip()


def display_name(user: Account) -> str:
    """Return how readers know the person: by the full name, else by the account's; "" for nobody."""
    return full_name(getattr(user, "first_name", ""), getattr(user, "last_name", "")) or str(user.get_username())


def use_full_names(user_model: type) -> None:
    """Make the admin use full_name, too: Django's methods put the given name first, and would greet 林深 as 深."""
    for method in ("get_full_name", "get_short_name"):
        setattr(user_model, method, lambda user: full_name(user.first_name, user.last_name))
