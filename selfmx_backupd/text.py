"""Values to words: sizes, ages, instants, tables. Local time only here and in `policy`."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby

from selfmx_backupd.assessment import Assessment, Situation
from selfmx_backupd.model import Progress

_STEP = 1024
_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86400
_PROBLEMS_SHOWN = 3
_ALL = 100
_ESTIMATE_AFTER_S = 5
_ESTIMATE_FROM_PERCENT = 3
_UNITS = ("KiB", "MiB", "GiB", "TiB")


def size(size_bytes: int) -> str:
    """`734003200` as `700.0 MiB`."""
    if size_bytes < _STEP:
        return f"{size_bytes} B"
    power = min((size_bytes.bit_length() - 1) // 10, len(_UNITS))
    if power < len(_UNITS) and round(size_bytes / _STEP**power, 1) == _STEP:
        power += 1  # 1.0 MiB rather than 1024.0 KiB
    return f"{size_bytes / _STEP**power:.1f} {_UNITS[power - 1]}"


def age(span: timedelta) -> str:
    """A span as one number that a person can compare: `42 s`, `17 min`, `5 h`, `12 d`.

    A negative span, from a clock that was set back, is `0 s`.
    """
    seconds = max(0, int(span.total_seconds()))
    if seconds < 2 * _MINUTE_S:
        return f"{seconds} s"
    if seconds < 2 * _HOUR_S:
        return f"{seconds // _MINUTE_S} min"
    if seconds < 2 * _DAY_S:
        return f"{seconds // _HOUR_S} h"
    return f"{seconds // _DAY_S} d"


def duration(seconds: float) -> str:
    """A measured duration: `0.4 s`, `3 min 20 s`, `1 h 5 min`."""
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{seconds:.1f} s"
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S} s"
    return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S} min"


def local(at: datetime, zone: tzinfo) -> str:
    """An instant in the operator's time: `2026-11-24 03:00 CET`."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")


def local_date(at: datetime, zone: tzinfo) -> str:
    """The local date of an instant: `2026-11-24`."""
    return at.astimezone(zone).strftime("%Y-%m-%d")


def count(number: int, noun: str) -> str:
    """`1 backup`, `3 backups`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell, two blanks between, no trailing blanks."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def calendar(marks: Mapping[date, str]) -> str:
    """One character for each day, each month a row, below the days of the month.

    Args:
        marks: In the order of dates. Days that are not among them are left blank.
    """
    ruler = " " * (len("2026-11") + 2)
    ruler += "1".ljust(4) + "".join(str(day).ljust(5) for day in range(5, 31, 5)).rstrip()
    lines = [ruler]
    for month, days in groupby(marks, key=lambda day: f"{day:%Y-%m}"):
        row = [" "] * 31
        for day in days:
            row[day.day - 1] = marks[day]
        lines.append(f"{month}  {''.join(row)}".rstrip())
    return "\n".join(lines)


def status(assessed: Assessment, zone: tzinfo) -> str:
    """The daemon's one line: what is wrong, what can be got back, what comes next."""
    sentences = [each.sentence for each in assessed.findings]
    parts = [f"PROBLEM: {'; '.join(sentences[:_PROBLEMS_SHOWN])}"] if sentences else []
    if len(sentences) > _PROBLEMS_SHOWN:
        parts.append(f"and {count(len(sentences) - _PROBLEMS_SHOWN, 'problem')} more")
    return " · ".join([*parts, *_outlook(assessed.seen, zone, "verified backup")])


def headline(assessed: Assessment, zone: tzinfo) -> str:
    """The first line of `status`, in the form that monitoring plug-ins use.

    `OK - newest backup 5 h old, 24 verified, next daily 2026-11-26 03:00 CET`.
    """
    sentences = [each.sentence for each in assessed.findings[:1]]
    if len(assessed.findings) > 1:
        sentences.append(f"and {count(len(assessed.findings) - 1, 'problem')} more")
    parts = ", ".join(_outlook(assessed.seen, zone, None))
    return f"{assessed.verdict.name} - {'; '.join([*sentences, parts] if parts else sentences)}"


def _outlook(seen: Situation, zone: tzinfo, noun: str | None) -> list[str]:
    """What can be got back, and what comes next; that there is nothing, a finding says."""
    parts = []
    if seen.newest:
        number = len(seen.verified)
        parts.append(f"newest backup {age(seen.now - seen.newest.started_at)} old")
        parts.append(count(number, noun) if noun else f"{number} verified")
    if seen.next_runs:
        following = seen.next_runs[0]
        parts.append(f"next {following.tier} {local(following.at, zone)}")
    return parts


def progress(step: Progress, elapsed_s: float = 0.0) -> str:
    """How far a step is: `backing up 42 % (1.1 GiB), about 3 min left`.

    Args:
        step: What is being done.
        elapsed_s: For how long, in seconds.
    """
    percent = f" {step.percent} %" if step.percent is not None else ""
    written = f" ({size(step.size_bytes)})" if step.size_bytes else ""
    left = ""
    # The first percents come in no time, or late: they are nothing to estimate from.
    if elapsed_s >= _ESTIMATE_AFTER_S and _ESTIMATE_FROM_PERCENT <= (step.percent or 0) < _ALL:
        left_s = elapsed_s * (_ALL - (step.percent or 0)) / (step.percent or _ALL)
        left = f", about {age(timedelta(seconds=left_s))} left"
    return f"{step.step}{percent}{written}{left}"
