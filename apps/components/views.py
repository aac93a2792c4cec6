"""The first administrator's page, the style sheet, the links and the choice of a language."""

from django.contrib.auth import login
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.core.http.cache_policy import public_page
from apps.core.http.compression import accepted_encoding
from apps.core.http.languages import LANGUAGES, remember_language
from apps.core.http.request_info import BlogRequest
from apps.core.http.security import from_own_pages
from apps.core.static.storage import FOR_EVER
from apps.core.static.stylesheet import stylesheet

from .devices import remember
from .forms import SetupForm
from .services import SetupRefused, create_first_administrator, is_expired_setup_token, is_setup_token


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest) -> HttpResponse:
    """Make the first administrator: 404 without the one-time token, and for ever once there is one.

    A token older than a day is answered 410, with the way to a new one.
    """
    token = request.POST.get("token") or request.GET.get("token", "")
    if not is_setup_token(token):
        if is_expired_setup_token(token):
            return render(request, "components/setup_expired.html", status=410)
        raise Http404("Not now.")
    form = SetupForm(request.POST or None, initial={"language": get_language()})
    if request.method == "POST" and form.is_valid():
        try:
            user = create_first_administrator(
                token=token,
                username=form.cleaned_data["username"],
                email=form.cleaned_data["email"],
                password=form.cleaned_data["password1"],
                language=form.cleaned_data["language"],
            )
        except SetupRefused:
            raise Http404("Somebody was faster.") from None
        login(request, user)
        response = redirect("admin:index")
        remember(response, user)
        return response
    status = 422 if form.is_bound else 200
    return render(request, "components/setup.html", {"form": form, "token": token}, status=status)


@require_safe
def style(request: BlogRequest, digest: str) -> HttpResponse:
    """The site's style sheet; the address that names its content is fresh for ever, any other for a minute.

    With the database away the sheet comes without the owner's colour.
    """
    try:
        sheet = stylesheet(request.site.accent)
    except DatabaseError:
        sheet = stylesheet("")
    encoding = accepted_encoding(request)
    response = HttpResponse(sheet.packed.get(encoding, sheet.css), content_type="text/css; charset=utf-8")
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = FOR_EVER if digest == sheet.digest else "public, max-age=60"
    return response


@require_safe
@public_page
def links(request: BlogRequest) -> HttpResponse:
    """The links of the sidebar's link boxes on a page of their own (no query)."""
    return render(request, "components/links.html", {"boxes": request.site.link_boxes})


@from_own_pages  # pages for all carry no token, and all it changes is this browser's cookie
@never_cache
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Remember the language of the interface (`language`) and lead back to the page (`next`, a path of this site)."""
    back = request.POST.get("next", "")
    is_ours = back.startswith("/") and url_has_allowed_host_and_scheme(back, allowed_hosts=None)
    response = HttpResponseRedirect(back if is_ours else reverse("posts:home"), status=303)
    chosen = request.POST.get("language", "")
    if chosen in LANGUAGES:
        remember_language(request, response, chosen)
    return response
