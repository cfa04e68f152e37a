"""How long a pin holds, from what a person typed."""

from datetime import UTC, date, datetime, time, tzinfo

# Later dates have no local time in every zone. Whoever means for ever gives none.
_LAST_YEAR = 9000
_DAYS_LAST_SECOND = time(23, 59, 59)


def until(given: str, zone: tzinfo, now: datetime) -> datetime:
    """The instant at which a pin ends, UTC.

    Args:
        given: A date, whose local day the pin outlasts; or an instant with its offset. Both
            in the words of ISO 8601.
        zone: The operator's.
        now: UTC.

    Raises:
        ValueError: It is neither, has passed, or lies beyond the calendar.
    """
    end = _end(given, zone)
    if end <= now:
        raise ValueError(f"{given} has passed, and a pin holds into the future")
    if end.year > _LAST_YEAR:
        raise ValueError(f"{given} lies too far ahead; a pin without an end holds for ever")
    return end


def _end(given: str, zone: tzinfo) -> datetime:
    try:
        day = date.fromisoformat(given)
    except ValueError:
        return _instant(given)
    try:
        # Of a second that the end of summer time brings twice, the later one.
        return datetime.combine(day, _DAYS_LAST_SECOND.replace(fold=1), zone).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{given} is beyond the calendar") from None


def _instant(given: str) -> datetime:
    try:
        instant = datetime.fromisoformat(given)
        is_local = instant.tzinfo is None
        instant = instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{given} is no date; write for example 2027-03-01") from None
    if is_local:
        raise ValueError(
            f"{given} has no offset; write 2027-03-01T12:00+01:00, or a date: 2027-03-01"
        )
    return instant
