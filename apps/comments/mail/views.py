"""Where the links of letters lead: a page with a button; the button's POST, or a mail program's, does it.

The signed address is all the authority there is, so no sign-in and no token is asked for.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from apps.core.http.security import from_own_pages

from . import links, services


@never_cache
@from_own_pages
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether the address that got this link wants mail about answers; a POST says yes."""
    receiver = links.confirmed_receiver(token)
    if receiver is None or (request.method == "POST" and not services.confirm(receiver)):
        return _page(
            request,
            _("This link is no longer valid"),
            _("Check the box again on your next comment to get a new link."),
            status=404,
        )
    if request.method == "POST":
        return _page(request, _("You're subscribed to replies"), _("Every email has an unsubscribe link."))
    return _page(
        request,
        _("Reply notifications"),
        _("We'll email you when someone replies to a comment you asked to follow."),
        button=_("Confirm subscription"),
    )


@never_cache
@from_own_pages
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    """End the mail to whom this link was sent: a GET asks, a POST does it (RFC 8058: in one click)."""
    who = links.stopped(token)
    if who is None:
        return _page(request, _("This link is no longer valid"), "", status=404)
    if request.method == "POST":
        services.stop(who)
        return _page(request, _("You're unsubscribed"), _("You won't receive any more comment emails from this site."))
    return _page(
        request,
        _("Unsubscribe?"),
        _("You'll stop receiving comment emails from this site."),
        button=_("Unsubscribe"),
    )


def _page(request: HttpRequest, heading: str, words: str, *, button: str = "", status: int = 200) -> HttpResponse:
    context = {"heading": heading, "words": words, "button": button}
    return render(request, "comments/mail_page.html", context, status=status)
