"""What clients rely on below the level of statements: packets, attention, login, transactions."""

import struct
import time

import pytest

from tests.conformance.decoder import Done, Environment, LoginAck, Message, Token, decode
from tests.conformance.raw_client import RawClient
from tests.conformance.servers import Start, wait_until
from tests.standin.process import StandIn

DEVICE = "/var/opt/mssql/backup/wire.bak"
BACKUP = f"BACKUP DATABASE SelfMX TO DISK = N'{DEVICE}' WITH FORMAT, STATS = 10"
# DONE with the attention bit, CurCmd 253, no rows: exactly these bytes were captured.
ACKNOWLEDGED = bytes.fromhex("fd2000fd00") + bytes(8)


def numbers(tokens: list[Token]) -> list[int]:
    return [one.number for one in tokens if isinstance(one, Message)]


def test_the_login_is_answered_with_context_version_and_packet_size(plain: StandIn) -> None:
    with RawClient(plain.port, database="selfmx") as client:
        tokens = client.login_tokens
    assert numbers(tokens) == [5701, 5703]
    assert [one.kind for one in tokens if isinstance(one, Environment)] == [1, 7, 2, 4]
    acknowledged = next(one for one in tokens if isinstance(one, LoginAck))
    assert acknowledged.tds_version == 0x74000004
    assert acknowledged.version == (16, 0, 4236)
    text = next(one.text for one in tokens if isinstance(one, Message))
    assert text == "Changed database context to 'SelfMX'."


@pytest.mark.parametrize("user", ["sa", "nobody"])
def test_a_wrong_password_and_an_unknown_login_get_the_same_answer(
    plain: StandIn, user: str
) -> None:
    with RawClient(plain.port, user=user, password="wrong") as client:
        error, done = client.login_tokens
        assert client.is_closed_by_server()
    assert isinstance(error, Message)
    assert (error.number, error.state, error.severity) == (18456, 1, 14)
    assert error.text == f"Login failed for user '{user}'."
    assert isinstance(done, Done)
    assert done.status == 0x02


def test_an_unknown_initial_database_is_4060_and_then_18456(plain: StandIn) -> None:
    with RawClient(plain.port, database="nosuch") as client:
        first, second, _ = client.login_tokens
        assert client.is_closed_by_server()
    assert isinstance(first, Message)
    assert isinstance(second, Message)
    assert (first.number, first.state, first.severity) == (4060, 1, 11)
    assert (second.number, second.state, second.severity) == (18456, 1, 14)


def test_messages_of_a_backup_arrive_one_by_one_while_it_runs(start: Start) -> None:
    standin = start("--rate", "4")
    with RawClient(standin.port) as client:
        client.send_batch(BACKUP)
        arrivals = []
        packets = []
        for packet in client.packets():
            arrivals.append(time.monotonic())
            packets.append(packet)
    assert [one.ends_message for one in packets] == [False] * (len(packets) - 1) + [True]
    for one in packets:
        assert [type(token) for token in decode(one.payload)] == [Message, Done]
    assert numbers(decode(packets[0].payload)) == [3211]
    assert arrivals[-1] - arrivals[0] > 0.3


def test_an_attention_stops_a_backup_and_is_acknowledged_in_a_message_of_its_own(
    start: Start,
) -> None:
    standin = start("--fault", "hang:30")
    with RawClient(standin.port) as client:
        client.send_batch(BACKUP)
        packets = client.packets()
        first = next(packets)
        client.send_attention()
        rest = first.payload + b"".join(one.payload for one in packets)
        acknowledgement = client.read_message()
        tokens = decode(rest)
        assert not (standin.backup_dir / "wire.bak").exists()
        assert numbers(client.ask("SELECT @@SPID")) == []
    assert numbers(tokens)[-2:] == [3204, 3013]
    last = tokens[-1]
    assert isinstance(last, Done)
    assert (last.status, last.command) == (0x02, 228)
    assert acknowledgement == ACKNOWLEDGED


def test_an_idle_attention_is_acknowledged_and_two_get_two(plain: StandIn) -> None:
    with RawClient(plain.port) as client:
        client.send_attention()
        client.send_attention()
        assert [client.read_message(), client.read_message()] == [ACKNOWLEDGED] * 2


def test_the_file_of_a_vanished_client_is_removed(start: Start) -> None:
    standin = start("--fault", "hang:50")
    client = RawClient(standin.port)
    client.send_batch(BACKUP)
    next(client.packets())
    assert (standin.backup_dir / "wire.bak").exists()
    client.close()
    wait_until(lambda: not (standin.backup_dir / "wire.bak").exists())


def test_a_file_that_was_there_before_a_failed_backup_stays(start: Start) -> None:
    standin = start("--fault", "diskfull:50@1")
    device = standin.backup_dir / "wire.bak"
    device.touch()
    with RawClient(standin.port) as client:
        assert numbers(client.ask(BACKUP))[-2:] == [3202, 3013]
    assert device.exists()


def test_a_transaction_request_is_answered_with_its_descriptor(plain: StandIn) -> None:
    begin, commit, rollback = 5, 7, 8
    with RawClient(plain.port) as client:
        client.send_transaction_request(begin, struct.pack("<BB", 0, 0))
        changed, done = client.read_tokens()
        assert isinstance(changed, Environment)
        assert isinstance(done, Done)
        assert (changed.kind, done.status) == (8, 0)
        descriptor = changed.payload[1:9]
        assert descriptor != bytes(8)
        client.send_transaction_request(commit, struct.pack("<BB", 0, 0))
        changed, _ = client.read_tokens()
        assert isinstance(changed, Environment)
        assert (changed.kind, changed.payload[-8:]) == (9, descriptor)
        client.send_transaction_request(rollback, struct.pack("<BB", 0, 0))
        assert numbers(client.read_tokens()) == [3903]


def test_a_statement_that_nobody_taught_is_an_error(plain: StandIn) -> None:
    with RawClient(plain.port) as client:
        error, done = client.ask("SELECT * FROM sys.nothing")
    assert isinstance(error, Message)
    assert error.number == 50000
    assert error.text.startswith("stand-in: unknown statement: SELECT * FROM sys.nothing")
    assert isinstance(done, Done)
    assert done.status == 0x02


def test_nothing_of_a_batch_runs_where_one_statement_is_unknown(plain: StandIn) -> None:
    with RawClient(plain.port) as client:
        client.ask("CREATE DATABASE half; NONSENSE")
        assert numbers(client.ask("USE half")) == [911]


def test_use_changes_the_context_and_says_so(plain: StandIn) -> None:
    with RawClient(plain.port) as client:
        changed, said, _ = client.ask("USE selfmx")
    assert isinstance(changed, Environment)
    assert changed.kind == 1
    assert isinstance(said, Message)
    assert (said.number, said.severity, said.text) == (
        5701,
        0,
        "Changed database context to 'SelfMX'.",
    )


def test_an_error_names_the_line_of_its_statement(plain: StandIn) -> None:
    with RawClient(plain.port) as client:
        tokens = client.ask("SELECT 1;\n\nBACKUP DATABASE nosuch TO DISK = N'x'")
    assert [one.line for one in tokens if isinstance(one, Message)] == [3, 3]
