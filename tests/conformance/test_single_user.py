"""Who gets the one slot of a single-user database, and what becomes of the others."""

from collections.abc import Iterator

import pyodbc
import pytest

from tests.conformance.decoder import Done, Message, Token
from tests.conformance.raw_client import RawClient
from tests.conformance.servers import (
    Start,
    drained,
    number_of,
    said_until_the_end,
    through_driver,
    wait_until,
)
from tests.standin.process import StandIn

SINGLE = "ALTER DATABASE SelfMX SET SINGLE_USER"
MULTI = "ALTER DATABASE SelfMX SET MULTI_USER"
IMMEDIATE = "WITH ROLLBACK IMMEDIATE"


def errors(tokens: list[Token]) -> list[int]:
    return [one.number for one in tokens if isinstance(one, Message) and one.is_error]


@pytest.fixture
def standin(start: Start) -> StandIn:
    return start()


@pytest.fixture
def holder(standin: StandIn) -> Iterator[RawClient]:
    """A session in master."""
    with RawClient(standin.port) as client:
        yield client


def test_alone_it_gets_the_slot_without_a_word(holder: RawClient) -> None:
    (done,) = holder.ask(f"{SINGLE} {IMMEDIATE}")
    assert isinstance(done, Done)
    assert (done.status, done.command) == (0, 215)


def test_others_are_thrown_out_and_two_messages_say_so(standin: StandIn, holder: RawClient) -> None:
    with RawClient(standin.port, database="SelfMX") as victim:
        *said, done = holder.ask(f"{SINGLE} {IMMEDIATE}")
        assert victim.is_closed_by_server()
    text = "Nonqualified transactions are being rolled back. Estimated rollback completion: "
    assert [
        (one.number, one.state, one.severity, one.text) for one in said if isinstance(one, Message)
    ] == [(5060, 2, 0, f"{text}0%."), (5060, 1, 0, f"{text}100%.")]
    assert isinstance(done, Done)
    assert (done.status, done.command) == (0, 215)


def test_the_request_of_a_victim_gets_596_and_the_connection_closes(start: Start) -> None:
    standin = start("--fault", "hang:30@1")
    backup = "BACKUP DATABASE SelfMX TO DISK = N'/var/opt/mssql/backup/x.bak' WITH STATS = 10"
    with RawClient(standin.port) as victim, RawClient(standin.port) as holder:
        victim.send_batch(backup)
        packets = victim.packets()
        next(packets)
        assert errors(holder.ask(f"{SINGLE} {IMMEDIATE}")) == []
        rest = b"".join(packet.payload for packet in packets)
        assert "kill state".encode("utf-16-le") in rest
        assert victim.is_closed_by_server()


def test_no_wait_is_refused_while_somebody_is_in_it(standin: StandIn, holder: RawClient) -> None:
    with RawClient(standin.port, database="SelfMX"):
        said = [one for one in holder.ask(f"{SINGLE} WITH NO_WAIT") if isinstance(one, Message)]
    assert [(one.number, one.state) for one in said] == [(5070, 2), (5069, 1)]


def test_without_a_termination_it_waits_for_the_others(standin: StandIn, holder: RawClient) -> None:
    with RawClient(standin.port, database="SelfMX"):
        holder.send_batch(SINGLE)
        with RawClient(standin.port) as third:
            assert errors(third.ask(f"{SINGLE} {IMMEDIATE}")) == [5061, 5069]
    assert errors(holder.read_tokens()) == []


def test_who_set_it_keeps_the_slot_even_from_master(standin: StandIn, holder: RawClient) -> None:
    holder.ask(f"{SINGLE} {IMMEDIATE}")
    with RawClient(standin.port) as other:
        assert errors(other.ask("USE SelfMX")) == [924]
        assert errors(other.ask("SELECT COUNT(*) FROM SelfMX.dbo.Domains")) == [924]
        assert errors(other.ask(f"{SINGLE} {IMMEDIATE}")) == [5064, 5069]
        assert errors(other.ask(MULTI)) == [5064, 5069]
        assert errors(other.ask("DROP DATABASE SelfMX")) == [3702]
        restore = "RESTORE DATABASE SelfMX FROM DISK = N'/var/opt/mssql/backup/x.bak'"
        assert errors(other.ask(restore)) == [3101, 3013]
    with RawClient(standin.port, database="SelfMX") as refused:
        assert errors(refused.login_tokens) == [4060, 18456]
    assert errors(holder.ask(MULTI)) == []
    with RawClient(standin.port, database="SelfMX") as welcome:
        assert errors(welcome.login_tokens) == []


def test_once_it_has_gone_the_first_to_enter_wins_until_it_is_killed(
    standin: StandIn,
) -> None:
    with RawClient(standin.port) as first:
        first.ask(f"{SINGLE} {IMMEDIATE}")
    with RawClient(standin.port) as admin, RawClient(standin.port) as app:
        wait_until(lambda: errors(app.ask("USE SelfMX")) == [])
        row = app.ask("SELECT CAST(@@SPID AS int) AS spid")
        (spid,) = next(one.values for one in row if hasattr(one, "values"))
        assert errors(admin.ask(f"{SINGLE} {IMMEDIATE}")) == [5064, 5069]
        assert errors(admin.ask(f"KILL {spid}")) == []
        assert app.is_closed_by_server()
        wait_until(lambda: errors(admin.ask(MULTI)) == [])


def test_who_merely_entered_gives_the_slot_up_by_leaving(standin: StandIn) -> None:
    with RawClient(standin.port) as first:
        first.ask(f"{SINGLE} {IMMEDIATE}")
    with RawClient(standin.port) as one, RawClient(standin.port) as other:
        wait_until(lambda: errors(one.ask("USE SelfMX")) == [])
        assert errors(other.ask("USE SelfMX")) == [924]
        one.ask("USE master")
        assert errors(other.ask("USE SelfMX")) == []


def test_the_drivers_see_924_5064_and_a_lost_connection(start: Start, driver: str) -> None:
    server = through_driver(start(), driver)
    with server.connect() as holder, server.connect() as victim, server.connect() as other:
        drained(victim.execute("USE SelfMX"))
        assert [number for number, _ in drained(holder.execute(f"{SINGLE} {IMMEDIATE}"))] == [
            5060,
            5060,
        ]
        with pytest.raises(pyodbc.Error) as lost:
            victim.execute("SELECT 1")
        # Driver 18 and FreeTDS differ (seen).
        assert lost.value.args[0] == {"msodbcsql18": "08S01", "freetds": "HY000"}[driver]
        for sql, number in ((f"{SINGLE} {IMMEDIATE}", 5064), ("USE SelfMX", 924)):
            with pytest.raises(pyodbc.Error) as refused:
                other.execute(sql)
            assert number_of(refused.value) == number


def test_the_holder_restores_over_it_and_it_is_multi_user_again(start: Start, driver: str) -> None:
    server = through_driver(start(), driver)
    with server.connect() as holder, server.connect() as other:
        drained(holder.execute(server.backup("before.bak")))
        drained(holder.execute(f"{SINGLE} {IMMEDIATE}"))
        drained(holder.execute("DELETE FROM SelfMX.dbo.SentEmails"))
        device = server.device("before.bak")
        cursor = holder.execute(f"RESTORE DATABASE SelfMX FROM DISK = N'{device}' WITH REPLACE")
        assert drained(cursor)[-1][0] == 3014
        row = other.execute("SELECT COUNT(*) FROM SelfMX.dbo.SentEmails").fetchone()
        assert row is not None
        assert row[0] == 240


@pytest.mark.parametrize(("spid", "number"), [("@@SPID", 6104), ("32000", 6106), ("40000", 6101)])
def test_what_cannot_be_killed_says_why(standin: StandIn, spid: str, number: int) -> None:
    with RawClient(standin.port) as client:
        if spid == "@@SPID":
            row = client.ask("SELECT CAST(@@SPID AS int) AS spid")
            spid = str(next(one.values[0] for one in row if hasattr(one, "values")))
        assert errors(client.ask(f"KILL {spid}")) == [number]


def test_kill_wants_alter_any_connection(start: Start) -> None:
    standin = start("--login", "keeper:pass word:backup", "--login", "killer:pass word:kill")
    for user, numbers in (("keeper", [6102]), ("killer", [6106])):
        with RawClient(standin.port, user=user, password="pass word") as client:
            assert errors(client.ask("KILL 32000")) == numbers


def test_a_killed_backup_says_nothing_more(start: Start, driver: str) -> None:
    server = through_driver(start("--fault", "hang:30@1"), driver)
    with server.connect() as victim, server.connect() as admin:
        row = victim.execute("SELECT CAST(@@SPID AS int) AS spid").fetchone()
        assert row is not None
        cursor = victim.execute(server.backup("killed.bak"))
        admin.execute(f"KILL {row.spid}")
        assert 3014 not in said_until_the_end(cursor)
        assert server.directory is not None
        killed = server.directory / "killed.bak"
        wait_until(lambda: not killed.exists())
