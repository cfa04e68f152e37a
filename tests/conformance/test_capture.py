"""The stand-in's answers against the capture, token by token, decoded off the wire."""

import re
from collections.abc import Iterator

import pytest

from tests.conformance.capture import CAPTURE
from tests.conformance.captured_columns import FILE_LIST_ONLY, HEADER_ONLY
from tests.conformance.decoder import Columns, Done, Message, Row, Token
from tests.conformance.observations import ANY, End, Ended, Observation, Said
from tests.conformance.raw_client import RawClient
from tests.standin.process import StandIn

# The capture leaves out what USE says about the context and the language.
_CONTEXT = {5701, 5703}
_NULLABLE = 0x0001

CASES = [pytest.param(at, id=f"{at}-{one.sql[:60]}") for at, one in enumerate(CAPTURE)]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[list[Token]]]:
    """Every batch of the capture, sent in order on one connection."""
    root = tmp_path_factory.mktemp("capture")
    with (
        StandIn(root / "data", root / "backup", server_path="/tmp") as standin,  # noqa: S108 - the server's /tmp
        RawClient(standin.port) as client,
    ):
        yield [_answer(standin, client, one) for one in CAPTURE]


def _answer(standin: StandIn, client: RawClient, asked: Observation) -> list[Token]:
    if not asked.occupied:
        return client.ask(asked.sql)
    with RawClient(standin.port, database=asked.occupied):
        return client.ask(asked.sql)


@pytest.mark.parametrize("at", CASES)
def test_messages_are_the_captured_ones(answers: list[list[Token]], at: int) -> None:
    said = [one for one in answers[at] if isinstance(one, Message) and one.number not in _CONTEXT]
    _assert_said([one for one in said if not one.is_error], CAPTURE[at].info)
    _assert_said([one for one in said if one.is_error], CAPTURE[at].errors)


@pytest.mark.parametrize("at", CASES)
def test_every_statement_ends_as_captured(answers: list[list[Token]], at: int) -> None:
    ended = tuple(
        Ended(one.status, one.command, one.count, End(one.token))
        for one in answers[at]
        if isinstance(one, Done)
    )
    assert ended == CAPTURE[at].done


@pytest.mark.parametrize("at", CASES)
def test_row_sets_are_the_captured_ones(answers: list[list[Token]], at: int) -> None:
    _assert_columns(CAPTURE[at], [one for one in answers[at] if isinstance(one, Columns)])
    rows = [one.values for one in answers[at] if isinstance(one, Row)]
    assert len(rows) == len(CAPTURE[at].rows)
    for row, wanted in zip(rows, CAPTURE[at].rows, strict=True):
        assert _masked(row, wanted) == wanted


@pytest.mark.parametrize("shape", [HEADER_ONLY, FILE_LIST_ONLY], ids=["header", "files"])
def test_every_column_of_a_backups_headers_is_nullable(
    answers: list[list[Token]], shape: tuple[str, ...]
) -> None:
    found = [
        one
        for answer in answers
        for one in answer
        if isinstance(one, Columns) and one.columns[0].name == shape[0].split(":")[0]
    ]
    assert found
    assert {column.flags for one in found for column in one.columns} == {_NULLABLE}


def test_an_info_of_backup_has_a_done_of_its_own(answers: list[list[Token]]) -> None:
    backups = [at for at, one in enumerate(CAPTURE) if one.info]
    for at in backups:
        kinds = [type(one) for one in answers[at]]
        assert kinds == [Message, Done] * len(CAPTURE[at].info)


def _assert_said(said: list[Message], wanted: tuple[Said, ...]) -> None:
    assert [(one.number, one.state, one.severity) for one in said] == [
        (one.number, one.state, one.severity) for one in wanted
    ]
    for one, expected in zip(said, wanted, strict=True):
        assert re.fullmatch(_pattern(expected.text), one.text), (one.text, expected.text)


def _pattern(text: str) -> str:
    """<n> a count, <t> seconds, <r> a rate."""
    escaped = re.escape(text)
    for mark, digits in (("<n>", r"\d+"), ("<t>", r"\d+\.\d{3}"), ("<r>", r"\d+\.\d{3}")):
        escaped = escaped.replace(re.escape(mark), digits)
    return escaped


def _assert_columns(observation: Observation, found: list[Columns]) -> None:
    assert len(found) == (1 if observation.rows else 0)
    if observation.columns is None:
        return
    spelled = [tuple(f"{column.name}:{column.kind}" for column in one.columns) for one in found]
    assert spelled == [observation.columns]


def _masked(row: tuple[object, ...], wanted: tuple[object, ...]) -> tuple[object, ...]:
    assert len(row) == len(wanted)
    return tuple(
        ANY if expected is ANY else value for value, expected in zip(row, wanted, strict=True)
    )
