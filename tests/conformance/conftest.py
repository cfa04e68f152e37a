"""Stand-ins and drivers for the conformance tests."""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conformance.servers import (
    DSN,
    ServerUnderTest,
    Start,
    from_environment,
    through_driver,
    usable,
)
from tests.judge import parser
from tests.standin.process import StandIn


@pytest.fixture(params=["msodbcsql18", "freetds"])
def driver(request: pytest.FixtureRequest) -> str:
    """Each ODBC driver by its short name."""
    return usable(str(request.param))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts stand-ins with arguments; all of them end with the test."""
    with ExitStack() as running:

        def with_arguments(*arguments: str) -> StandIn:
            standin = StandIn(tmp_path / "data", tmp_path / "backup", args=arguments)
            return running.enter_context(standin)

        yield with_arguments


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandIn]:
    """One stand-in without faults for a whole module."""
    root = tmp_path_factory.mktemp("plain")
    with StandIn(root / "data", root / "backup") as standin:
        yield standin


@pytest.fixture(scope="module")
def judge() -> parser.Judge:
    """Microsoft's parser; where it is missing the test is skipped, or fails in CI."""
    because = parser.missing_because()
    if because and os.environ.get("CI") == "true":
        pytest.fail(because)
    if because:
        pytest.skip(because)
    return parser.judge


def _servers() -> list[str]:
    return ["msodbcsql18", "freetds", *(["real server"] if DSN in os.environ else [])]


@pytest.fixture(params=_servers())
def server(request: pytest.FixtureRequest, plain: StandIn) -> ServerUnderTest:
    """The stand-in through each driver; a real server too where SELFMX_TEST_DSN is set."""
    if request.param == "real server":
        return from_environment()
    return through_driver(plain, usable(str(request.param)))
