from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Give templates `site`, the snapshot; costs nothing until one looks at it."""
    return {"site": request.site}
