"""Data remembers the SECRET_KEY it was made with: another one is said, and a change on purpose is no lock-out."""

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from apps.components import key
from apps.components.models import KeyDigest
from blog_xtg import checks
from blog_xtg.doctor.database import database

pytestmark = pytest.mark.django_db
PARTS = {"database": "ok", "migrations": "ok"}


def named_by_doctor() -> bool:
    return any(finding.text == checks.OTHER_KEY[0] for finding in database(PARTS))


def test_another_key_stops_and_is_named(settings: Settings) -> None:
    assert key.is_known() and not key.settle(accept=False)
    assert settings.SECRET_KEY not in KeyDigest.objects.get().digest
    assert not named_by_doctor()
    settings.SECRET_KEY = "another-0123456789"
    assert not key.is_known()
    with pytest.raises(
        CommandError, match=r"^This blog's data was made with another SECRET_KEY: .* SECRET_KEY_FALLBACKS"
    ):
        key.settle(accept=False)
    assert named_by_doctor()


def test_a_key_that_was_changed_on_purpose_is_taken(settings: Settings) -> None:
    key.settle(accept=False)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another-0123456789"
    settings.SECRET_KEY_FALLBACKS = ["an older one", old]
    assert key.settle(accept=False)
    settings.SECRET_KEY_FALLBACKS = []
    assert key.is_known() and not key.settle(accept=False) and not named_by_doctor()


def test_a_key_that_is_lost_is_done_without(settings: Settings) -> None:
    key.settle(accept=False)
    settings.SECRET_KEY = "another-0123456789"
    assert key.settle(accept=True) and key.is_known()


@pytest.mark.django_db(transaction=True)
def test_a_process_that_serves_says_it_and_serves(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    key.settle(accept=False)
    assert checks.reason_not_to_serve(1) == "" and not caplog.records
    settings.SECRET_KEY = "another-0123456789"
    assert checks.reason_not_to_serve(1) == ""
    assert [record for record in caplog.records if checks.OTHER_KEY[0] in record.getMessage()]
