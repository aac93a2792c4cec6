"""When a form was opened, as the form itself says it, signed: nothing is stored, and any process can read it."""

import time

from django.core.signing import BadSignature, Signer

_signer = Signer(salt="comments.form")


def stamp(post_id: int, age_seconds: int = 0) -> str:
    """Return what a form for that post carries; it was opened so long ago."""
    return _signer.sign(f"{post_id}:{int(time.time()) - age_seconds}")


def age_of(signed: str, post_id: int) -> float | None:
    """Return the form's age in seconds; None when it carries none of ours for this post."""
    try:
        post, _colon, opened = _signer.unsign(signed).partition(":")
    except BadSignature:
        return None
    return time.time() - int(opened) if post == str(post_id) else None
