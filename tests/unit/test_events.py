import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfmx_backupd import events
from selfmx_backupd.event import Event, Level
from selfmx_backupd.events import ALL

PACKAGE = Path(__file__).parents[2] / "selfmx_backupd"
MODULES = {
    path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
    for path in sorted(PACKAGE.rglob("*.py"))
}
# The values that a sentence's fields take in the tests, by the word behind the colon.
BY_FORMAT = {"size": 2048, "duration": 3.0, "list": ("daily", "weekly"), "": "text"}
BY_NAME = {name: event for name, event in vars(events).items() if isinstance(event, Event)}
EVENTS = pytest.mark.parametrize("event", ALL, ids=lambda event: event.name)
# Where the event comes in as an argument: the frame reports whichever failure it is.
REPORTS = "jobs/run.py"


def format_of(event: Event, field: str) -> str:
    found = re.search(rf"{{{field}:?(\w*)}}", event.sentence)
    assert found is not None
    return found[1]


def emits() -> Iterator[tuple[str, ast.Call]]:
    """Every call of `log.emit` in the package, and the module that it is in."""
    for name, module in MODULES.items():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "emit":
                yield name, node


def event_of(call: ast.Call) -> Event | None:
    """The event that a call names, `BACKUP_FAILED` or `events.BACKUP_FAILED`."""
    argument = call.args[0]
    name = argument.attr if isinstance(argument, ast.Attribute) else None
    name = argument.id if isinstance(argument, ast.Name) else name
    return BY_NAME.get(name or "")


def test_every_name_is_unique_and_dotted() -> None:
    names = [event.name for event in ALL]
    assert len(set(names)) == len(names) > 20
    assert all(re.fullmatch(r"[a-z]+(\.[a-z]+(_[a-z]+)*)", name) for name in names)


def test_every_message_id_is_unique_and_what_the_journal_wants() -> None:
    ids = [event.message_id for event in ALL]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[0-9a-f]{32}", each) for each in ids)


@EVENTS
def test_every_sentence_renders_with_its_fields(event: Event) -> None:
    values = {name: BY_FORMAT[format_of(event, name)] for name in event.fields}
    sentence = event.say(values)
    assert "{" not in sentence
    assert not sentence.endswith(".")
    assert sentence[0].islower() or sentence.startswith(("SQL Server", "text"))


@EVENTS
def test_every_field_of_a_sentence_is_needed(event: Event) -> None:
    for missing in event.fields:
        rest = {name: BY_FORMAT[format_of(event, name)] for name in event.fields - {missing}}
        with pytest.raises(KeyError):
            event.say(rest)


def test_a_field_becomes_a_word() -> None:
    event = Event("a.b", "0" * 32, Level.INFO, "{a:size} {b:duration} {c:list} {d}")
    values = {"a": 1024, "b": 90, "c": ("x", "y"), "d": "{e}"}
    assert event.say(values) == "1.0 KiB 1 min 30 s x, y {e}"
    assert event.say({**values, "c": "alone", "more": 1}).endswith("alone {e}")


def test_every_emit_in_the_package_passes_the_fields_of_its_sentence() -> None:
    found = 0
    for module, call in emits():
        event = event_of(call)
        if event is None:
            assert module == REPORTS, f"{module}:{call.lineno}"
            continue
        found += 1
        passed = {keyword.arg for keyword in call.keywords}
        assert event.fields <= passed, f"{module}:{call.lineno} lacks {event.fields - passed}"
        assert "event" not in passed
    assert found > 15


def test_no_field_takes_the_name_of_one_of_the_journals_own() -> None:
    for module, call in emits():
        for keyword in call.keywords:
            name = (keyword.arg or "").upper()
            theirs = name.startswith(("_", "SYSLOG_", "CODE_", "OBJECT_", "UNIT", "USER_UNIT"))
            is_ours = name in {"MESSAGE", "MESSAGE_ID", "PRIORITY", "EVENT", "RUN_ID", "JOB"}
            assert not theirs, f"{module}:{call.lineno} {name}"
            assert not is_ours, f"{module}:{call.lineno} {name}"


def test_the_frame_can_report_every_failure() -> None:
    failures = [event for event in ALL if event.name.endswith(".failed")]
    assert {frozenset(event.fields) for event in failures} == {frozenset({"error"})}
    (call,) = [call for module, call in emits() if module == REPORTS and event_of(call) is None]
    assert "error" in {keyword.arg for keyword in call.keywords}


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_every_event_is_used(name: str) -> None:
    used = {
        getattr(node, "id", None) or getattr(node, "attr", None)
        for module, tree in MODULES.items()
        if module not in ("events.py", "explanations.py")
        for node in ast.walk(tree)
        if isinstance(node, ast.Name | ast.Attribute)
    }
    assert name in used
