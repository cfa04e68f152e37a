"""The stand-in's only real clock. Its server zone is UTC."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - a server has a clock; everything here asks this one


def server_local(moment: datetime) -> datetime:
    """As backup headers carry it: the server's local time, naive, whole seconds (report)."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0)
