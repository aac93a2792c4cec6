from apps.core.http.request_info import BlogRequest


def site(request: BlogRequest) -> dict[str, object]:
    """Give templates `site`, the snapshot, which costs nothing until one looks at it, and the page's language."""
    return {"site": request.site, "language": request.LANGUAGE_CODE}
