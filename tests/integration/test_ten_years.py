"""Ten years of the daemon's life in six zones, counted against the calendar.

The backup and the sweep are due at one wall time, chosen so that summer time hits it. What
is expected is derived from dates alone: no slot, no offset and no instant is computed here.
"""

from calendar import FRIDAY, SUNDAY
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest

from selfmx_backupd.errors import ServerRefused
from selfmx_backupd.jobs.run import Run
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Tier
from tests.life import back_up_without_a_server, life_in

DAY = timedelta(days=1)
# Small windows, so that few files are read at each of some twenty thousand looks.
RETENTION = {"daily": 3, "weekly": 2, "monthly": 2, "minimum": 2}
# On this day of each month the server refuses twice.
BAD_DAY = 10


@dataclass(frozen=True)
class Place:
    """Where and when: ten years from `first_year` on."""

    zone: str
    first_year: int
    at: time
    weekday: int = SUNDAY
    no_days: tuple[date, ...] = ()

    def dates(self) -> list[date]:
        """Every date that calendars there showed."""
        first, end = date(self.first_year, 1, 1), date(self.first_year + 10, 1, 1)
        days = [first + n * DAY for n in range((end - first).days)]
        return [day for day in days if day not in self.no_days]


PLACES = (
    Place("Europe/Vienna", 2020, time(2, 30)),  # exists twice in October, not at all in March
    Place("America/New_York", 2020, time(1, 30)),  # exists twice in November
    Place("Australia/Lord_Howe", 2020, time(2, 15)),  # falls into a gap of half an hour
    Place("Africa/Casablanca", 2012, time(2, 30)),  # up to four changes a year
    Place("Pacific/Apia", 2010, time(3, 30), FRIDAY, (date(2011, 12, 30),)),  # a Friday
    Place("UTC", 2020, time(3, 0)),
)


class Server:
    """BACKUP's place: refuses twice on bad days, and notes what was published."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._refused: Counter[date] = Counter()
        self.published: list[Backup] = []

    def local(self, backup: Backup) -> date:
        return backup.started_at.astimezone(self._zone).date()

    def back_up(self, world: World, run: Run) -> Backup:
        today = world.now().astimezone(self._zone).date()
        if today.day == BAD_DAY and self._refused[today] < 2:
            self._refused[today] += 1
            raise ServerRefused("not today")
        self.published.append(back_up_without_a_server(world, run))
        return self.published[-1]

    def dates_of(self, tier: Tier) -> list[date]:
        return [self.local(each) for each in self.published if tier in each.tiers]


@pytest.fixture
def memory() -> Iterator[Path]:
    """A directory in memory, where there is one: a flush costs nothing there."""
    shared = Path("/dev/shm")  # noqa: S108  # a fresh directory in it
    with TemporaryDirectory(dir=shared if shared.is_dir() else None) as root:
        yield Path(root)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.zone)
def test_ten_years_lose_no_slot_double_none_and_keep_what_they_should(
    place: Place, memory: Path
) -> None:
    zone = ZoneInfo(place.zone)
    start = datetime.combine(date(place.first_year, 1, 1), place.at, zone).astimezone(UTC)
    life = life_in(memory, place.zone, start, schedule=schedule_of(place), retention=RETENTION)
    server = Server(zone)
    life.back_up = server.back_up
    life.wake_up()
    for year in range(place.first_year, place.first_year + 10):
        end = datetime(year + 1, 1, 1, tzinfo=zone).astimezone(UTC)
        for _ in life.go_on_until(end):
            pass
        assert left(memory / "backups") == expected_files(place, year)
    dates = place.dates()
    assert server.dates_of(Tier.DAILY) == dates
    assert server.dates_of(Tier.MONTHLY) == [day for day in dates if day.day == 1]
    assert server.dates_of(Tier.WEEKLY) == weeklies(place)
    extra = len(place.no_days)  # their weekly backup has no daily one to go with
    assert len(server.published) == len(dates) + extra


def schedule_of(place: Place) -> dict[str, str]:
    at = f"{place.at:%H:%M}"
    weekday = "friday" if place.weekday == FRIDAY else "sunday"
    return {"daily": at, "weekly": f"{weekday} {at}", "monthly": f"1 {at}", "sweep": at}


def weeklies(place: Place) -> list[date]:
    """The first day, on which everything is due, and each such weekday, or the day behind it."""
    first = date(place.first_year, 1, 1)
    every = [*place.dates(), *place.no_days]
    found = {day for day in every if day.weekday() == place.weekday} | {first}
    return sorted(day + DAY if day in place.no_days else day for day in found)


def expected_files(place: Place, year: int) -> set[str]:
    """At the end of a year: three days, two weeks and two months, by their dates."""
    days = [day for day in place.dates() if day.year <= year]
    weeks = [day for day in weeklies(place) if day.year <= year][-2:]
    months = [day for day in days if day.day == 1][-2:]
    names = {f"{day:%Y%m%d}_{place.at:%H%M%S}" for day in {*days[-3:], *weeks, *months}}
    # A day that never was ended at midnight, and its weekly backup was taken then.
    midnights = {f"{day + DAY:%Y%m%d}_000000" for day in place.no_days if day.year == year}
    return {f"selfmx_{name}{end}" for name in names | midnights for end in (".bak", ".json")}


def left(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if path.suffix != ".lock"}
