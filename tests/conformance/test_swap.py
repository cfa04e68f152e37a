"""Renaming, dropping, states and TRY ... CATCH: what a swap of two databases is made of."""

import pytest

from tests.conformance.decoder import Done, Message, Token, decode
from tests.conformance.raw_client import RawClient
from tests.conformance.servers import ServerUnderTest, Start, drained, number_of, through_driver
from tests.standin.process import StandIn

SWAP = """
BEGIN TRY
    ALTER DATABASE [SelfMX] MODIFY NAME = [SelfMX_before];
    ALTER DATABASE [copy] MODIFY NAME = [{wanted}];
END TRY
BEGIN CATCH
    IF DB_ID(N'SelfMX') IS NULL ALTER DATABASE [SelfMX_before] MODIFY NAME = [SelfMX];
    THROW;
END CATCH
"""


def errors(tokens: list[Token]) -> list[int]:
    return [one.number for one in tokens if isinstance(one, Message) and one.is_error]


def names(standin: StandIn) -> list[str]:
    with RawClient(standin.port) as client:
        return [
            name
            for name in ("SelfMX", "SelfMX_before", "copy", "SELFMX_BEFORE_2")
            if errors(client.ask(f"USE [{name}]")) == []
        ]


@pytest.fixture
def standin(start: Start) -> StandIn:
    """SelfMX and a second database."""
    standin = start()
    with RawClient(standin.port) as client:
        assert errors(client.ask("CREATE DATABASE [copy]")) == []
    return standin


def swapped(server: ServerUnderTest, wanted: str = "SelfMX") -> list[int]:
    with server.connect() as connection:
        return [number for number, _ in drained(connection.execute(SWAP.format(wanted=wanted)))]


def test_a_rename_says_5021_and_keeps_the_files_names(standin: StandIn) -> None:
    with RawClient(standin.port) as client:
        said, done = client.ask("ALTER DATABASE [copy] MODIFY NAME = [b]]c]")
        assert isinstance(said, Message)
        assert (said.number, said.severity) == (5021, 0)
        assert said.text == "The database name 'b]c' has been set."
        assert isinstance(done, Done)
        assert (done.status, done.command) == (0, 215)


def test_a_swap_renames_both(standin: StandIn, driver: str) -> None:
    assert swapped(through_driver(standin, driver)) == [5021, 5021]
    assert names(standin) == ["SelfMX", "SelfMX_before"]


def test_a_failed_swap_is_undone_in_catch_and_thrown_again(standin: StandIn, driver: str) -> None:
    server = through_driver(standin, driver)
    with pytest.raises(Exception, match="already exists") as thrown:
        swapped(server, "master")
    assert number_of(thrown.value) == 1801
    assert names(standin) == ["SelfMX", "copy"]


def test_throw_ends_the_batch_with_all_that_was_caught(standin: StandIn) -> None:
    with RawClient(standin.port) as client:
        tokens = client.ask(SWAP.format(wanted="master") + "; SELECT 1")
    assert errors(tokens) == [1801, 5069]
    assert isinstance(tokens[-1], Done)
    assert tokens[-1].status == 0x02


def test_an_error_in_try_is_not_said_where_catch_does_not_throw(standin: StandIn) -> None:
    quiet = "BEGIN TRY USE nosuch; CREATE DATABASE no END TRY BEGIN CATCH SELECT 1 END CATCH"
    with RawClient(standin.port) as client:
        tokens = client.ask(quiet)
        assert errors(tokens) == []
        assert isinstance(tokens[-1], Done)
        assert tokens[-1].status == 0
        assert errors(client.ask("USE no")) == [911]


@pytest.mark.parametrize(
    ("after", "left"),
    [(1, ["SelfMX_before", "copy"]), (2, ["SelfMX", "SelfMX_before"])],
)
def test_a_server_can_die_between_two_renames(start: Start, after: int, left: list[str]) -> None:
    standin = start("--fault", f"die-after:MODIFY NAME@{after}")
    with RawClient(standin.port) as client:
        client.ask("CREATE DATABASE [copy]")
        client.send_batch(SWAP.format(wanted="SelfMX"))
        assert standin.wait() == 70
    standin.stop()
    standin.start()
    assert names(standin) == left


def test_a_connection_can_be_cut_between_two_renames(start: Start) -> None:
    standin = start("--fault", "drop-after:MODIFY NAME@1")
    with RawClient(standin.port) as client:
        client.ask("CREATE DATABASE [copy]")
        client.send_batch(SWAP.format(wanted="SelfMX"))
        assert client.is_closed_by_server()
    assert names(standin) == ["SelfMX_before", "copy"]


@pytest.mark.parametrize(
    ("sql", "numbers"),
    [
        ("ALTER DATABASE nosuch SET SINGLE_USER", [5011, 5069]),
        ("ALTER DATABASE nosuch MODIFY NAME = other", [5011, 5069]),
        ("ALTER DATABASE SelfMX MODIFY NAME = [copy]", [1801, 5069]),
        ("DROP DATABASE nosuch", [3701]),
        ("DROP DATABASE IF EXISTS nosuch", []),
        ("USE SelfMX; DROP DATABASE SelfMX", [3702]),
        ("BEGIN TRAN; ALTER DATABASE SelfMX MODIFY NAME = b; ROLLBACK", [226]),
        ("BEGIN TRAN; DROP DATABASE SelfMX; ROLLBACK", [226]),
        ("THROW", [50000]),
        ("BEGIN TRY SELECT 1 END TRY", [50000]),
    ],
)
def test_refusals(standin: StandIn, sql: str, numbers: list[int]) -> None:
    with RawClient(standin.port) as client:
        assert errors(client.ask(sql)) == numbers


def test_a_rename_is_refused_while_somebody_is_in_the_database(standin: StandIn) -> None:
    with RawClient(standin.port, database="SelfMX"), RawClient(standin.port) as client:
        assert errors(client.ask("ALTER DATABASE SelfMX MODIFY NAME = b")) == [5030, 5069]


def test_an_offline_database_is_neither_used_nor_renamed_until_it_is_online(
    standin: StandIn,
) -> None:
    with RawClient(standin.port) as client:
        offline = "ALTER DATABASE SelfMX SET OFFLINE WITH ROLLBACK IMMEDIATE"
        assert errors(client.ask(offline)) == []
        assert errors(client.ask("USE SelfMX")) == [942]
        assert errors(client.ask("ALTER DATABASE SelfMX MODIFY NAME = b")) == [5052, 5069]
        assert errors(client.ask("ALTER DATABASE SelfMX SET SINGLE_USER")) == [5052, 5069]
        assert errors(client.ask("ALTER DATABASE SelfMX SET ONLINE")) == []
        assert errors(client.ask("USE SelfMX")) == []


@pytest.mark.parametrize(
    ("state", "number"),
    [("RESTORING", 927), ("SUSPECT", 926), ("RECOVERING", 922), ("RECOVERY_PENDING", 945)],
)
def test_one_named_database_can_be_in_a_state_and_can_be_dropped(
    start: Start, state: str, number: int
) -> None:
    standin = start("--database", "SelfMX", "--database", "b", "--fault", f"state:b={state}")
    with RawClient(standin.port) as client:
        assert errors(client.ask("USE b")) == [number]
        assert errors(client.ask("ALTER DATABASE b SET MULTI_USER")) == [5052, 5069]
        assert errors(client.ask("USE SelfMX; USE master; DROP DATABASE b; USE b")) == [911]


def test_a_suspect_database_makes_room_for_a_copy_by_going_offline_and_away(start: Start) -> None:
    standin = start("--fault", "state:SelfMX=SUSPECT")
    steps = (
        "CREATE DATABASE [copy]",
        "ALTER DATABASE SelfMX SET OFFLINE WITH ROLLBACK IMMEDIATE",
        "DROP DATABASE SelfMX",
        "ALTER DATABASE [copy] MODIFY NAME = SelfMX",
        "USE SelfMX",
    )
    with RawClient(standin.port) as client:
        assert [errors(client.ask(sql)) for sql in steps] == [[]] * len(steps)


def test_kill_and_attention_are_not_caught(start: Start) -> None:
    standin = start("--fault", "hang:30")
    backup = "BACKUP DATABASE SelfMX TO DISK = N'/var/opt/mssql/backup/x.bak' WITH STATS = 10"
    with RawClient(standin.port) as client:
        client.send_batch(f"BEGIN TRY {backup} END TRY BEGIN CATCH CREATE DATABASE no END CATCH")
        packets = client.packets()
        first = next(packets)
        client.send_attention()
        tokens = decode(first.payload + b"".join(one.payload for one in packets))
        client.read_message()
        assert errors(tokens) == [3204, 3013]
        assert errors(client.ask("USE no")) == [911]


def test_a_login_without_a_user_gets_in_nowhere(start: Start) -> None:
    standin = start("--login", "keeper:pass word:createdb")
    with RawClient(standin.port, user="keeper", password="pass word") as client:
        assert errors(client.ask("USE SelfMX")) == [916]
        assert errors(client.ask("ALTER DATABASE SelfMX SET SINGLE_USER")) == [5011, 5069]
        assert errors(client.ask("DROP DATABASE SelfMX")) == [3701]
        assert errors(client.ask("CREATE DATABASE own; USE own; USE master")) == []
        assert errors(client.ask("DROP DATABASE own")) == []
