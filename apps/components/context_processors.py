from blog_xtg.client import BlogRequest


def site(request: BlogRequest) -> dict[str, object]:
    """Give templates `site`, the snapshot; costs nothing until one looks at it."""
    return {"site": request.site}
