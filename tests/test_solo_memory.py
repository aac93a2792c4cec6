"""A blog of one stays small, whatever is asked of it."""

import sys

import pytest

from tests.bench.memory import SHORT, measure

MOST_MB = 200


@pytest.mark.alone
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_hostile_mix_of_requests_leaves_it_below_200_mb() -> None:
    steps = list(measure(SHORT))
    assert all(megabytes < MOST_MB for _step, megabytes in steps), steps
