"""The one style sheet: small, fresh for ever under its own address, readable in the owner's colour."""

from pathlib import Path

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from apps.components.models import SiteIdentity
from apps.components.snapshot import build
from apps.core.pages import store
from apps.core.static.colours import INK_DARK, INK_LIGHT, PAPER_DARK, PAPER_LIGHT, contrast, ink_on, readable_on

CSS_MAX_BYTES = 30_000


@pytest.mark.parametrize("colour", ["#1a5fb4", "#ffff00", "#ffffff", "#000000", "#ff0000", "#808080", "#c0ffee"])
def test_any_accent_can_be_read(colour: str) -> None:
    for paper in (PAPER_LIGHT, PAPER_DARK):
        made = readable_on(colour, paper)
        assert contrast(made, paper) >= 4.5
        assert contrast(ink_on(made), made) >= 4.5 and ink_on(made) in {INK_LIGHT, INK_DARK}


def test_contrast_is_the_standards() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.django_db
def test_the_sheet_is_small_and_fresh_for_ever(client: Client) -> None:
    page = client.get("/").content.decode()
    address = build("stamp").stylesheet_url
    assert page.count('rel="stylesheet"') == 1 and address in page
    sheet = client.get(address)
    assert sheet["Content-Type"] == "text/css; charset=utf-8" and "immutable" in sheet["Cache-Control"]
    assert len(sheet.content) < CSS_MAX_BYTES and b"/*" not in sheet.content
    assert "immutable" not in client.get("/style-plain.css")["Cache-Control"]


@pytest.mark.parametrize("file", sorted(Path("static/css").glob("*.css")), ids=lambda file: file.name)
def test_every_file_closes_what_it_opens(file: Path) -> None:
    """They are joined: one brace too few would hide all that follows."""
    text = file.read_text(encoding="utf-8")
    assert text.count("{") == text.count("}")


@pytest.mark.django_db
def test_another_accent_has_another_address(client: Client) -> None:
    before = build("stamp").stylesheet_url
    SiteIdentity(title="T", accent="#b4361a").save()
    store.drop()
    after = build("stamp").stylesheet_url
    assert after != before and "#b4361a" in client.get(after).content.decode()
    for wrong in ("red", "#12", "#12345g", "};x{"):
        with pytest.raises(ValidationError):
            SiteIdentity(title="T", accent=wrong).clean_fields()
