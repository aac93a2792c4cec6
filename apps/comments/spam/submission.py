"""A comment that somebody wants to leave, with all that the rules look at."""

from dataclasses import dataclass
from typing import Any, Self

from apps.core.http.request_info import BlogRequest, client_address
from apps.posts.models import Post
from apps.posts.people import display_name

HONEYPOT = "topic"  # looks worth filling in to a program, and is no name that browsers fill in by themselves
STAMP = "opened"


@dataclass(frozen=True)
class Submission:
    post_id: int
    body: str
    author_name: str = ""
    author_email: str = ""
    author_site: str = ""
    address: str = ""
    user_agent: str = ""
    user_id: int | None = None
    is_staff: bool = False
    honeypot: str = ""
    stamp: str = ""  # of the form, see stamps.py
    holding: str = "nobody"  # whose comments wait for approval: nobody's, first_time, everyone's

    @classmethod
    def of(cls, request: BlogRequest, post: Post, data: dict[str, Any]) -> Self:
        """Return what the request wants to leave under the post; `data` are the cleaned fields of the form."""
        user = request.user
        return cls(
            post_id=post.pk,
            body=data["body"],
            author_name=data.get("author_name", "") or display_name(user),
            author_email=data.get("author_email", "") or getattr(user, "email", ""),
            author_site=data.get("author_site", ""),
            address=client_address(request),
            user_agent=request.META.get("HTTP_USER_AGENT", "")[:300],
            user_id=user.pk,
            is_staff=user.is_staff,
            honeypot=request.POST.get(HONEYPOT, ""),
            stamp=request.POST.get(STAMP, ""),
            holding=request.site.comment_holding,
        )
