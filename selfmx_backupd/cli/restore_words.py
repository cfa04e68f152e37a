"""What `selfmx-restore` says: before it acts, and what came of it."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from selfmx_backupd import text
from selfmx_backupd.jobs.restore.report import Report
from selfmx_backupd.jobs.restore.survey import Survey, Wanted
from selfmx_backupd.jobs.restore.undo import WayBack
from selfmx_backupd.jobs.world import World
from selfmx_backupd.restoration import Kind, RestorePlan

_KEYS = "API keys that were revoked after the backup are valid again: revoke them again."


def question(
    world: World, wanted: Wanted, survey: Survey | None, plan: RestorePlan | None
) -> Sequence[str]:
    """What is about to happen; the survey is None where a healing comes first."""
    lines = list(healing(plan)) if plan is not None and plan.is_open else []
    if survey is None:
        return [*lines, f"Then {wanted.file} is restored into {world.database}."]
    lines.append(_what(world, survey))
    lines.append(f"into {_into(world, survey)}.")
    return [*lines, *_how(survey), ""]


def _what(world: World, survey: Survey) -> str:
    source = survey.source
    words = [f"{source.file}: {text.size(source.size_bytes)}"]
    if source.taken_at is not None:
        old = text.age(world.now() - source.taken_at)
        words.append(f"taken {text.local(source.taken_at, world.zone)}, {old} old")
    else:
        words.append(f"finished {source.header.finished_on} by its server's clock")
    words.append(f"by SQL Server {source.header.server_version} ({source.header.server_name})")
    if source.backup is None:
        words.append("without a manifest")
    return ", ".join(words)


def _into(world: World, survey: Survey) -> str:
    live = survey.live
    there = f"which is {live.state}" if live else "which does not exist"
    server = world.settings.sqlserver
    return f"the database {survey.database} at {server.host}:{server.port}, {there}"


def _how(survey: Survey) -> Iterator[str]:
    live = survey.live
    if survey.kind is Kind.IN_PLACE:
        yield f"{survey.database} is OVERWRITTEN. The application is stopped the whole time."
        if live is not None and live.is_online:
            yield "A safety backup is taken before; where the restore fails, it is restored."
        else:
            yield "No safety backup can be taken of what is there now."
        return
    if live is None:
        yield "It is restored under another name and checked before it gets that name."
    elif live.is_online:
        yield f"It is restored beside {live.name} and checked. Then the application is stopped,"
        yield f"the two change places, and what is there now stays, as {survey.aside}."
    else:
        yield f"It is restored beside {live.name} and checked. Then {live.name} is DROPPED, because"
        yield f"a database that is {live.state} cannot be renamed."
        if live.state == "RESTORING":
            yield "An interrupted RESTORE left it; nothing in it can be used, and its files go."
        else:
            yield "Its files stay on SQL Server's disk:"
            yield from (f"  {name}" for name in live.physical_names)


def healing(plan: RestorePlan) -> Sequence[str]:
    """What an interrupted restore means for whoever comes next."""
    what = plan.file or "the database before it"
    return [
        f"A restore of {what} was interrupted ({plan.step}); it is put right first:",
        f"{plan.database} becomes what it was, or what was restored, where that alone is left.",
        "",
    ]


def undo(world: World, back: WayBack) -> Sequence[str]:
    """What an undo is about to do."""
    since = text.local(back.kept.since, world.zone)
    lines = [
        f"{back.old.name}, in service until {since}, becomes {world.database} again.",
        f"What has been written since then is only in {back.aside}, which stays."
        if back.live
        else f"There is no {world.database} now.",
    ]
    return [*lines, "The application is stopped meanwhile.", ""]


def dropping(world: World, plan: RestorePlan) -> Sequence[str]:
    """What a clean-up is about to drop, for good."""
    lines = list(healing(plan)) if plan.is_open else []
    lines += [
        f"{each.name}, in service until {text.local(each.since, world.zone)}, is DROPPED for good."
        for each in plan.kept
    ]
    return [*lines, f"{world.database} itself is not touched.", ""]


def how_to(plan: RestorePlan | None) -> str:
    """How to restore, behind the list."""
    lines = [
        "",
        "selfmx-restore NAME      restore that one beside what is there; the two change places",
        "selfmx-restore --latest  the newest verified one",
        "selfmx-restore --undo    back to what was there before the last restore",
    ]
    if plan is not None and plan.is_open:
        lines.append(
            f"\nA restore was interrupted ({plan.step}). To put it right: selfmx-restore --undo"
        )
    return "\n".join(lines)


def report(done: Report, zone: ZoneInfo, now: datetime) -> str:
    """What came of it."""
    return "\n".join([*_report(done, zone, now), *(f"LOOK: {each}" for each in done.attention)])


def _report(done: Report, zone: ZoneInfo, now: datetime) -> Iterator[str]:
    yield from (f"put right: {line}" for line in done.healed)
    yield _headline(done, zone, now)
    if done.steps:
        took = " · ".join(f"{name} {text.duration(seconds)}" for name, seconds in done.steps)
        yield f"  took         {took}"
    if done.kind is not Kind.COPY:
        yield f"  application  {done.application}"
    for each in done.kept:
        yield f"  kept         {each.name}, in service until {text.local(each.since, zone)}"
    for name in done.files_left:
        yield f"  left         {name}, of the database before; no database has it any more"
    yield from _ways_on(done)


def _headline(done: Report, zone: ZoneInfo, now: datetime) -> str:
    if done.kind is Kind.COPY and done.file is None:
        return f"the unfinished copy has ended, and {done.database} was not touched"
    if done.kind is Kind.UNDO:
        return f"{done.database} is what it was before the last restore"
    when = ""
    if done.taken_at is not None:
        old = text.age(now - done.taken_at)
        when = f", taken {text.local(done.taken_at, zone)}, {old} old"
    return f"{done.database} is what {done.file} holds{when}"


def _ways_on(done: Report) -> Iterator[str]:
    if done.kind is Kind.COPY:
        if done.file is not None:
            name = done.database.replace("]", "]]")
            yield f"  clean up     in SQL Server: DROP DATABASE [{name}]"
        return
    if done.safety is not None:
        yield f"  go back      selfmx-restore --in-place {done.safety}"
    elif any(each.is_way_back for each in done.kept):
        yield "  go back      selfmx-restore --undo"
    if done.kept:
        yield "  clean up     selfmx-restore --drop-old"
    if done.kind is not Kind.UNDO:
        yield f"  {_KEYS}"
