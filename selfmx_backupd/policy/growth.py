"""How long the backup directory's disk lasts.

It asks the backups that are there: how large they are, and by how much they grow. Then
it goes on day by day: retention adds a backup for each tier until the tier is full, and
every backup is larger than the one before. It errs on the side of too little room:

- A tier holds one backup more than its window counts, because the oldest goes only after
  the newest has come; a backup that serves two tiers is counted for both.
- Growth is the steepest of two: over all backups, and over the last eight days. Backups
  that became smaller do not grow.
- All backups are as large as the largest of the last eight days, and each of those kept
  is replaced by a larger one.
- Room for the next backup must stay free.

What it cannot know: backups taken by hand, and what else is on the disk. It looks no
further ahead than it can look back: from two weeks of backups it tells of two weeks.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from selfmx_backupd.assessment import Outlook
from selfmx_backupd.model import Backup, Tier

# The next backup is rarely a fifth larger than the last.
_LARGER = 1.2
_RECENT = timedelta(days=8)
# From less than a week nothing is foretold: it has not seen each day of the week.
_LEAST_DAYS = 7
_DAY_S = 86_400
_EVERY_DAYS = {Tier.DAILY: 1, Tier.WEEKLY: 7, Tier.MONTHLY: 28}


def next_bytes(last: Backup) -> int:
    """What must be free before a backup begins: the last one's size and a fifth."""
    return int(last.size_bytes * _LARGER)


def outlook(
    verified: Sequence[Backup], windows: Mapping[Tier, int | None], free_bytes: int
) -> Outlook | None:
    """What will become of the disk; None where there is no backup to tell.

    Args:
        verified: The verified backups of our database, newest first.
        windows: For each scheduled tier how many retention keeps; None is for ever.
        free_bytes: Of the directory's file system.
    """
    if not verified:
        return None
    newest = verified[0]
    alike = [each for each in verified if _is_alike(each, newest)]
    recent = [each for each in alike if newest.started_at - each.started_at <= _RECENT]
    size_bytes = max(each.size_bytes for each in recent)
    lacking = _lacking(verified, windows)
    to_come = None if None in lacking.values() else sum(each or 0 for each in lacking.values())
    known_days = (newest.started_at - alike[-1].started_at).days
    growth = max(0.0, _growth(alike), _growth(recent)) if known_days >= _LEAST_DAYS else None
    lasts_days = None
    if growth is not None:
        room = free_bytes - next_bytes(newest)
        for day in range(1, known_days + 1):
            larger_bytes = size_bytes + growth * day
            added_bytes = _added(lacking, day) * larger_bytes
            if added_bytes + len(verified) * growth * day > room:
                lasts_days = day - 1
                break
    return Outlook(
        next_bytes=next_bytes(newest),
        to_come_bytes=None if to_come is None else to_come * size_bytes,
        growth_bytes_a_day=None if growth is None else round(growth),
        known_days=known_days if growth is not None else 0,
        lasts_days=lasts_days,
    )


def _is_alike(backup: Backup, newest: Backup) -> bool:
    """Whether sizes can be compared: one database, and compressed both or neither."""
    one, other = backup.backup_set, newest.backup_set
    return (one.family_guid, one.compressed) == (other.family_guid, other.compressed)


def _growth(backups: Sequence[Backup]) -> float:
    """From the oldest to the newest, in bytes a day; 0 where they are of one day."""
    newest, oldest = backups[0], backups[-1]
    days = (newest.started_at - oldest.started_at).total_seconds() / _DAY_S
    return (newest.size_bytes - oldest.size_bytes) / days if days >= 1 else 0.0


def _lacking(
    verified: Sequence[Backup], windows: Mapping[Tier, int | None]
) -> Mapping[Tier, int | None]:
    """How many backups each tier still takes before one goes for each that comes."""
    family = verified[0].backup_set.family_guid
    ours = [each for each in verified if each.backup_set.family_guid == family]
    return {
        tier: None if window is None else max(0, window + 1 - sum(tier in b.tiers for b in ours))
        for tier, window in windows.items()
    }


def _added(lacking: Mapping[Tier, int | None], days: int) -> int:
    """How many backups there are more after so many days."""
    taken = {tier: -(-days // _EVERY_DAYS[tier]) for tier in lacking}
    return sum(
        taken[tier] if lacks is None else min(lacks, taken[tier]) for tier, lacks in lacking.items()
    )
