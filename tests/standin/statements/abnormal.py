"""How BACKUP and RESTORE fail: the useful error first, 3013 last (capture)."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.standin.messages import Refused, message
from tests.standin.session import Cancelled, Session


@contextmanager
def terminating(statement: str) -> Iterator[None]:
    """Every refusal from inside ends with 3013 in that statement's name.

    A cancelled one says 3204 before it [inferred: no capture shows BACKUP cancelled].
    """
    end = message(3013, statement)
    try:
        yield
    except Refused as refused:
        raise Refused(*refused.messages, end) from refused
    except Cancelled as cancelled:
        raise Cancelled(message(3204), end) from cancelled


def outside_of_transactions(session: Session) -> None:
    """3021 in an explicit transaction (capture) and in implicit mode (docs)."""
    if session.transactions or session.implicit_transactions:
        raise Refused(message(3021))
