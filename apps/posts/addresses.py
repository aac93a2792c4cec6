"""The addresses of what is written, for those who know ids and slugs and hold no row."""

from django.urls import reverse

FLOORS_PER_PAGE = 20


def post_address(pk: int, slug: str) -> str:
    return reverse("posts:detail", args=[pk, slug])


def floor_address(pk: int, slug: str, floor: int) -> str:
    """Return the permanent address of a comment's floor."""
    page = (floor - 1) // FLOORS_PER_PAGE + 1
    return f"{post_address(pk, slug)}{f'?page={page}' if page > 1 else ''}#floor-{floor}"


def category_address(pk: int, slug: str) -> str:
    return reverse("posts:category", args=[pk, slug])


def source_address(pk: int) -> str:
    return reverse("posts:source", args=[pk])


def tag_address(slug: str) -> str:
    return reverse("posts:tag", args=[slug])


def month_address(year: int, month: int) -> str:
    return reverse("posts:archive", args=[year, f"{month:02}"])
