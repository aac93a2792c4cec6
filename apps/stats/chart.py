"""The columns of the chart of days, in units of its own; the style sheet stretches it to the page."""

from collections.abc import Sequence
from dataclasses import dataclass

from .report import Day

STEP, HEIGHT = 10, 1000  # from day to day, and from the lower edge to the upper
DENSE_DAYS = 100  # from so many on there is no room for gaps


@dataclass(frozen=True, slots=True)
class Column:
    kind: str  # "pv" or "uv", which the style sheet colours
    x: int
    width: int
    height: int

    @property
    def y(self) -> int:
        return HEIGHT - self.height


@dataclass(frozen=True, slots=True)
class Place:
    """A day's place in the chart, with a column for page views and one before it for visitors; none for nobody."""

    day: Day
    x: int
    columns: tuple[Column, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    places: tuple[Place, ...]
    top: int  # the number at the upper edge
    step: int = STEP
    height: int = HEIGHT

    @property
    def width(self) -> int:
        return len(self.places) * STEP

    @property
    def middle(self) -> int:
        return self.top // 2


def draw(days: Sequence[Day]) -> Chart:
    """Return the chart of these days; its upper edge is even, round in two digits, and not below any day."""
    highest = max(2, *(max(day.pv, day.uv) for day in days))
    step = 2 * 10 ** max(0, len(str(highest)) - 2)
    top = -(-highest // step) * step
    return Chart(tuple(_place(number, day, top, len(days)) for number, day in enumerate(days)), top)


def _place(number: int, day: Day, top: int, days: int) -> Place:
    x = number * STEP
    columns = []
    for kind, count, gap in (("pv", day.pv, 1), ("uv", day.uv, 3)):
        inset = 0 if days >= DENSE_DAYS else gap
        if count:
            height = max(count * HEIGHT // top, 5)  # one view can be seen beside a million
            columns.append(Column(kind, x + inset, STEP - 2 * inset, height))
    return Place(day, x, tuple(columns))
