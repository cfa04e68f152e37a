"""What has no manifest in the backup directory is taken up: proven, described, and held."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from selfmx_backupd.errors import ServerMayNotOpenFile
from selfmx_backupd.jobs.adopt import Adoption
from selfmx_backupd.model import Progress, Tier
from selfmx_backupd.policy import schedule
from selfmx_backupd.wiring import now
from tests.build import VIENNA
from tests.system.adopting import AdoptSite, adopt_all, unchanged

# A name that no backup of today can have been given.
ELSEWHERE = "selfmx_20200202_020202.bak"
BY_LESS = ["header", "verifyonly", "sha256"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdoptSite]:
    with AdoptSite(tmp_path_factory.mktemp("adopt")) as site:
        yield site


@pytest.fixture
def site(installed: AdoptSite) -> AdoptSite:
    installed.empty()
    return installed


def adopt(site: AdoptSite) -> int:
    return adopt_all(site.world(), Adoption())


def stamp(at: datetime) -> str:
    return f"{at.astimezone(VIENNA):%Y%m%d_%H%M%S}"


def test_the_old_scripts_backups_are_adopted_each_in_a_run_of_its_own(
    site: AdoptSite, capfd: pytest.CaptureFixture[str]
) -> None:
    times = [now().replace(microsecond=0) - timedelta(minutes=each) for each in (2, 1)]
    names = [site.script(stamp(at)) for at in times]
    assert set(site.states().values()) == {"unknown"}
    with unchanged(site, *names):
        assert adopt(site) == len(names)
    assert site.states() == dict.fromkeys(names, "verified")
    for name, at in zip(names, times, strict=True):
        about = site.manifest(name)
        assert (about["tiers"], about["trigger"]) == (["daily"], "adopted")
        assert about["verified"]["by"] == BY_LESS
        assert datetime.fromisoformat(about["started_at"]) == at
        assert about["backup_set"]["copy_only"] is False
        assert about["pin"]["reason"] == "adopted"
        until = datetime.fromisoformat(about["pin"]["until"])
        assert timedelta(days=29, hours=23) < until - now() <= timedelta(days=30)
    said = capfd.readouterr().err
    assert all(f"info: {name} had no manifest and is adopted: " in said for name in names)
    assert {path.suffix for path in site.backups.iterdir()} == {".bak", ".json", ".lock"}


def test_an_adopted_backup_settles_its_tier_only_from_its_own_date_on(site: AdoptSite) -> None:
    name = site.script(stamp(now()))
    adopt(site)
    world = site.world()
    verified = world.inventory().verified("SelfMX")
    due = {each.tier for each in schedule.due(now(), world.schedule, verified)}
    assert due == {Tier.WEEKLY, Tier.MONTHLY}
    tomorrow = now() + timedelta(days=1)
    due = {each.tier for each in schedule.due(tomorrow, world.schedule, verified)}
    assert due == {Tier.DAILY, Tier.WEEKLY, Tier.MONTHLY}
    assert site.states() == {name: "verified"}


@pytest.mark.parametrize("name", ["selfmx_20200202_020202.bak", "selfmx_20990202_020202.bak"])
def test_a_name_that_lies_dates_no_backup_and_settles_no_tier(site: AdoptSite, name: str) -> None:
    taken = now()
    site.script(name.removeprefix("selfmx_").removesuffix(".bak"))
    adopt(site)
    started_at = datetime.fromisoformat(site.manifest(name)["started_at"])
    assert timedelta(hours=13) < taken - started_at < timedelta(hours=15)
    assert site.states() == {name: "verified"}


def test_a_backup_whose_manifest_was_lost_is_described_by_itself(site: AdoptSite) -> None:
    name = site.ours()
    before = site.manifest(name)
    site.json(name).unlink()
    site.move(name, ELSEWHERE)
    site.age(ELSEWHERE)
    assert adopt(site) == 1
    after = site.manifest(ELSEWHERE)
    same = ("tiers", "started_at", "size_bytes", "sha256", "backup_set", "files", "database")
    assert {key: after[key] for key in same} == {key: before[key] for key in same}
    assert after["verified"]["by"] == ["checksum", *BY_LESS]
    assert (after["trigger"], after["pin"]["reason"]) == ("adopted", "adopted")


@pytest.mark.parametrize("way", ["mv of the file", "mv of both", "mv and cp"])
def test_a_moved_backup_keeps_everything_that_was_known_of_it(site: AdoptSite, way: str) -> None:
    name = site.ours()
    before = site.change_manifest(name, pin={"until": None, "reason": "mine"}, note="kept")
    site.age(site.move(name, ELSEWHERE))
    if way == "mv of both":
        site.json(name).rename(site.json(ELSEWHERE))
    if way == "mv and cp":
        site.json(ELSEWHERE).write_bytes(site.json(name).read_bytes())
    assert adopt(site) == 1
    after = site.manifest(ELSEWHERE)
    proven = ("verified", "duration_s")
    assert {**after, **{key: before[key] for key in proven}} == {**before, "file": ELSEWHERE}
    assert after["verified"]["at"] > before["verified"]["at"]
    assert site.states() == {ELSEWHERE: "verified"}
    assert site.files() == {ELSEWHERE, site.json(ELSEWHERE).name}


def test_a_backup_that_was_missing_and_is_back_is_proven_again(site: AdoptSite) -> None:
    name = site.ours()
    before = site.manifest(name)
    world, adoption, away = site.world(), Adoption(), site.root / "away.bak"
    site.bak(name).rename(away)
    assert adopt_all(world, adoption) == 0
    assert site.states() == {name: "missing"}
    away.rename(site.bak(name))
    assert site.states() == {name: "verified"}
    site.age(name)
    assert adopt_all(world, adoption) == 1
    after = site.manifest(name)
    assert after["verified"]["at"] > before["verified"]["at"]
    keys = ("verified", "duration_s")
    assert {**after, **{key: before[key] for key in keys}} == before


def test_a_backup_that_comes_back_damaged_is_called_so(site: AdoptSite) -> None:
    name = site.ours()
    world, adoption, away = site.world(), Adoption(), site.root / "away.bak"
    site.bak(name).rename(away)
    adopt_all(world, adoption)
    site.bak(name).write_bytes(away.read_bytes()[::-1])
    site.age(name)
    assert adopt_all(world, adoption) == 1
    assert site.states() == {name: "damaged"}
    assert adopt_all(world, adoption) == 0


def test_a_server_that_cannot_read_is_no_refusal_and_another_file_gets_its_turn(
    site: AdoptSite,
) -> None:
    names = {site.script(stamp(now() - timedelta(minutes=each))) for each in (1, 2)}
    world, adoption = site.world(), Adoption()
    site.restart_server("--fault", "unreadable")
    with pytest.raises(ServerMayNotOpenFile):
        adopt_all(world, adoption)
    site.restart_server()
    assert site.outcomes()["jobs"]["verify"]["failures_in_a_row"] == 1
    assert adopt_all(world, adoption) == len(names)
    assert site.states() == dict.fromkeys(names, "verified")
    assert site.outcomes()["jobs"]["verify"]["failures_in_a_row"] == 0


def test_a_manifest_that_comes_while_its_file_is_proven_is_not_written_over(
    site: AdoptSite,
) -> None:
    """As with rsync, which brings the file first."""
    name = site.ours()
    content = site.json(name).read_bytes()
    site.json(name).unlink()
    site.age(name)

    def bring(progress: Progress) -> None:
        if progress.step == "verifying":
            site.json(name).write_bytes(content)

    assert adopt_all(site.world(), Adoption(), bring) == 1
    assert site.json(name).read_bytes() == content
