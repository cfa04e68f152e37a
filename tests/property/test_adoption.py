"""Descriptions are read as they were written; adopting takes nothing from what is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar

from hypothesis import event, given
from hypothesis import strategies as st

from selfmx_backupd.adapters.mssql.statements import Description, describe, parse_description
from selfmx_backupd.model import Backup, Check, Entry, Pin, State, Tier, Trigger, Verified
from selfmx_backupd.policy import adoption
from selfmx_backupd.policy.inventory import Inventory, Listing, take
from tests.build import backup

Item = TypeVar("Item")
NOW = datetime(2026, 11, 24, 3, tzinfo=UTC)
NAMES = tuple(f"selfmx_2026112{day}_030000.bak" for day in range(5))
WAYS = ("cp", "mv", "rm", "cp manifest", "mv manifest", "rm manifest", "cut", "pin")

instants = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1))  # noqa: DTZ001
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.sets(st.sampled_from(Tier), min_size=1), st.sampled_from(Trigger), instants, offsets)
def test_a_description_is_read_as_it_was_written(
    tiers: set[Tier], trigger: Trigger, at: datetime, zone: timezone
) -> None:
    ordered = tuple(tier for tier in Tier if tier in tiers)
    started_at = at.replace(tzinfo=UTC, microsecond=0)
    text = describe(ordered, trigger, started_at.astimezone(zone))
    assert parse_description(text) == Description(ordered, started_at)


@given(st.text() | st.text().map("selfmx-backupd: tiers=daily trigger=x started={}".format))
def test_no_text_is_too_strange_to_be_read(text: str) -> None:
    found = parse_description(text)
    assert found is None or found.tiers == (Tier.DAILY,)


@dataclass
class Directory:
    """Files by name, each the name under which it was taken and its size; and manifests."""

    files: dict[str, tuple[str, int]] = field(default_factory=dict)
    manifests: dict[str, Backup] = field(default_factory=dict)

    def inventory(self) -> Inventory:
        sizes = {name: size for name, (_, size) in self.files.items()}
        about = {name.replace(".bak", ".json"): it for name, it in self.manifests.items()}
        sizes |= dict.fromkeys(about, 900)
        return take(Listing(sizes, (), about), "selfmx", NOW)


def taken_as(name: str) -> Backup:
    """The backup that was taken under a name; each its own set and sum."""
    at = datetime.fromisoformat(f"{name[7:15]}T{name[16:22]}").replace(tzinfo=UTC)
    number = NAMES.index(name)
    made = replace(backup(at), file=name, sha256=str(number) * 64)
    return replace(made, backup_set=replace(made.backup_set, guid=f"set {number}"))


def act(it: Directory, way: str, name: str, to: str) -> None:
    """What an operator types; what cannot be done changes nothing."""
    if way == "cut" and name in it.files:
        it.files[name] = (it.files[name][0], 1)
    elif way == "pin" and name in it.manifests:
        it.manifests[name] = replace(it.manifests[name], pin=Pin(until=None, reason="mine"))
    elif way.endswith("manifest"):
        place(it.manifests, way, name, to)
    else:
        place(it.files, way, name, to)


def place(where: dict[str, Item], way: str, name: str, to: str) -> None:
    if name not in where or (name == to and not way.startswith("rm")):
        return
    if not way.startswith("rm"):
        where[to] = where[name]
    if not way.startswith("cp"):
        del where[name]


def adopt(it: Directory, orphan: Entry) -> None:
    """What the recipe makes of an orphan, with the proof that a server would give."""
    taken, size = it.files[orphan.file]
    made, found = taken_as(taken), it.inventory()
    verdict = adoption.judge(orphan, made.backup_set.guid, found.entries, found.going)
    known = verdict.known
    is_sound = size == made.size_bytes and (known is None or known.sha256 == made.sha256)
    event(f"refused: {verdict.refusal is not None}, moved: {known is not None}")
    if verdict.refusal is not None or not is_sound:
        return
    proven = Verified(at=NOW, by=(Check.VERIFYONLY,))
    new = adoption.moved(known, orphan.file) if known else replace(made, file=orphan.file)
    it.manifests[orphan.file] = replace(new, sha256=made.sha256, verified=proven)


def heal(it: Directory) -> None:
    for was, _ in adoption.superseded(it.inventory().entries):
        del it.manifests[was]


def worth(it: Directory) -> set[str]:
    """The backup sets that count."""
    entries = it.inventory().entries
    return {e.backup.backup_set.guid for e in entries if e.backup and e.state is State.VERIFIED}


def own(manifests: Mapping[str, Backup]) -> dict[str, Backup]:
    return {name: it for name, it in manifests.items() if it.file == name}


acts = st.tuples(st.sampled_from(WAYS), st.sampled_from(NAMES), st.sampled_from(NAMES))


@given(st.integers(1, 4), st.lists(acts, max_size=6))
def test_adopting_takes_nothing_from_what_is_there(count: int, done: list[tuple[str, ...]]) -> None:
    it = Directory()
    for name in NAMES[:count]:
        it.files[name] = (name, taken_as(name).size_bytes)
        it.manifests[name] = taken_as(name)
    for way, name, to in done:
        act(it, way, name, to)
    heal(it)
    for orphan in [entry for entry in it.inventory().entries if entry.is_orphan]:
        files, before = dict(it.files), own(it.manifests)
        sets = worth(it)
        adopt(it, orphan)
        assert own(it.manifests).items() >= before.items()
        claims = orphan.claims
        if claims and claims.backup_set.guid != taken_as(files[orphan.file][0]).backup_set.guid:
            assert it.manifests[orphan.file] == claims
        heal(it)
        assert it.files == files
        assert worth(it) >= sets
        still = own(it.manifests)
        gone = before.keys() - still.keys()
        assert all(still[name] == before[name] for name in before.keys() - gone)
        # A manifest goes only with a backup that has all it said under another name.
        for name in gone:
            assert name not in it.files
            heirs = [each for each in still.values() if each.sha256 == before[name].sha256]
            assert any(each.pin == before[name].pin for each in heirs)
    verified = [each for each in it.inventory().entries if each.state is State.VERIFIED]
    assert len({each.backup.backup_set.guid for each in verified if each.backup}) == len(verified)
