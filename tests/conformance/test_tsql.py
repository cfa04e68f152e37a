"""Every T-SQL statement that the product can send, judged by Microsoft's own parser."""

import ast
import inspect
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import selfmx_backupd
from selfmx_backupd.adapters.mssql import statements
from selfmx_backupd.model import Tier, Trigger
from tests.build import utc
from tests.installation import SERVER_PATH, Installation
from tests.judge.parser import Judge, Verdict

PACKAGE = Path(selfmx_backupd.__file__).parent

SELECT = ("SelectStatement",)
BACKUP = ("BackupDatabaseStatement",)
RESTORE = ("RestoreStatement",)

AWKWARD = [
    "SelfMX",
    "a]b",
    "]",
    "a]]b[",
    "o'neil",
    "''; DROP DATABASE [b]; --",
    "] TO DISK = N'/x'; DROP DATABASE [b]; --",
    'with "quotes" and spaces ',
    "-- no comment",
    "/* no comment either",
    "two\nlines",
    "a\r\nGO\r\nb",
    "Größe 数据",
    "🙂🙂]'",
    "x" * 128,
    "]" * 128,
]

DESCRIPTION = statements.describe((Tier.DAILY,), Trigger.SCHEDULE, utc("2026-11-24 03:00"))

# Statements that the parser must refuse, and where in them it stops.
BAD = {
    "BACKUP DATABASE [a]b] TO DISK = N'/x'": "46010 at 1:21",
    "BACKUP DATABASE [] TO DISK = N'/x'": "46010 at 1:18",
    f"BACKUP DATABASE [{'x' * 129}] TO DISK = N'/x'": "46095 at 1:17",
    "BACKUP DATABASE [a] TO DISK = N'/o'neil'": "46030 at 1:40",
    "BACKUP DATABASE [a] TO DISK = N'/x' WITH CHEKSUM": "46010 at 1:42",
    "BACKUP DATABASE [a] TO DISK = N'/x' WITH COPY_ONLY FORMAT": "46010 at 1:52",
    "RESTORE VERIFYONLY FROM N'/x'": "46010 at 1:25",
    "RESTORE HEADERONLY FROM DISK = N'/x' WITH COPY_ONLY": "46010 at 1:43",
    "SELECT name FROM sys.databases WHERE": "46029 at 1:37",
}


def all_with(value: str) -> dict[str, list[tuple[str, Verdict]]]:
    """Each builder's statements around `value`, and what the parser must find in them."""
    quoted = statements.quote_name(value)
    backups = [
        statements.backup_database(
            value, f"/d/{value}", name=f"n{value}", description=DESCRIPTION, compression=compression
        )
        for compression in (True, False, None)
    ]
    in_backup = Verdict((), BACKUP, (value,), (f"/d/{value}", f"n{value}", DESCRIPTION))
    of_value = Verdict((), RESTORE, (), (value,))
    return {
        "server_facts": [(statements.server_facts(), Verdict((), SELECT))],
        "database_facts": [(statements.database_facts(value), Verdict((), SELECT, (), (value,)))],
        "database_options": [
            (statements.database_options(value), Verdict((), SELECT, (), (value,)))
        ],
        "rights": [(statements.rights(value), Verdict((), SELECT, (), (quoted,)))],
        "running_backups": [(statements.running_backups(value), Verdict((), SELECT, (), (value,)))],
        "session_activity": [(statements.session_activity(57), Verdict((), SELECT))],
        "backup_database": [(sql, in_backup) for sql in backups],
        "header_only": [(statements.header_only(value), of_value)],
        "file_list_only": [(statements.file_list_only(value), of_value)],
        "verify_only": [
            (statements.verify_only(value, checksum=checksum), of_value)
            for checksum in (True, False)
        ],
    }


def test_every_builder_is_judged() -> None:
    public = {
        name
        for name, function in inspect.getmembers(statements, inspect.isfunction)
        if function.__module__ == statements.__name__ and not name.startswith("_")
    }
    no_statements = {"quote_name", "quote_text", "describe", "parse_description"}
    assert set(all_with("SelfMX")) == public - no_statements


@pytest.mark.parametrize("builder", sorted(all_with("")))
def test_a_statement_parses_and_gives_every_value_back(
    builder: str, judge: Judge, record_property: Callable[[str, object], None]
) -> None:
    rows = [row for value in AWKWARD for row in all_with(value)[builder]]
    verdicts = judge([sql for sql, _ in rows])
    assert dict(zip([sql for sql, _ in rows], verdicts, strict=True)) == dict(rows)
    report({sql for sql, _ in rows}, record_property)


def test_the_rights_are_asked_of_an_identifier_in_a_literal(judge: Judge) -> None:
    asked = [each.texts[0] for each in judge([statements.rights(value) for value in AWKWARD])]
    assert [each.names for each in judge([f"SELECT 1 FROM {text}" for text in asked])] == [
        (value,) for value in AWKWARD
    ]


@pytest.mark.parametrize("sql", BAD)
def test_a_bad_statement_is_refused(sql: str, judge: Judge) -> None:
    (verdict,) = judge([sql])
    assert [error.partition(": ")[0] for error in verdict.errors] == [BAD[sql]]


def test_a_value_that_broke_out_of_its_quotes_would_be_seen(judge: Judge) -> None:
    value = "a] TO DISK = N'/x'; BACKUP DATABASE [b"
    names = (statements.quote_name(value), f"[{value}]")
    kept, broken = judge([f"BACKUP DATABASE {name} TO DISK = N'/y'" for name in names])
    assert kept == Verdict((), BACKUP, (value,), ("/y",))
    assert broken == Verdict((), BACKUP * 2, ("a", "b"), ("/x", "/y"))


def test_a_literal_that_lost_its_unicode_prefix_would_be_seen(judge: Judge) -> None:
    kept, lost = judge(["RESTORE HEADERONLY FROM DISK = " + each for each in ("N'数'", "'数'")])
    assert kept == Verdict((), RESTORE, (), ("数",))
    assert lost == Verdict((), RESTORE)


def test_what_a_backup_sends_parses(
    judge: Judge, driver: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with Installation(tmp_path, driver=driver) as installation:
        answer = installation.run("selfmx-backup")
        assert answer.returncode == 0, answer.stderr
        log = installation.server.sql_log.read_text(encoding="utf-8")
    batches = [str(json.loads(line)["sql"]) for line in log.splitlines()]
    # FreeTDS asks for the types of parameters by itself.
    ours = [sql for sql in batches if not sql.startswith("sp_datatype_info")]
    verdicts = judge(ours)
    assert [verdict.errors for verdict in verdicts] == [()] * len(ours)
    kinds = [verdict.statements for verdict in verdicts]
    assert set(kinds) == {SELECT, BACKUP, RESTORE}
    backup = verdicts[kinds.index(BACKUP)]
    assert backup.names == ("SelfMX",)
    assert backup.texts[0].startswith(f"{SERVER_PATH}/selfmx_")
    report(set(ours), record_property)


def test_no_other_module_writes_statements() -> None:
    begins = re.compile(
        r"\s*((SELECT|INSERT|UPDATE|DELETE|DECLARE|EXEC|SET|USE|KILL) "
        # A message may well say "BACKUP DATABASE in master".
        r"|(BACKUP|RESTORE|CREATE|ALTER|DROP) \w+ (FROM |ON |\[|$)|DBCC \w+ \(|BEGIN TRY )"
    )
    writers = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and begins.match(node.value)
    }
    assert writers == {
        "adapters/mssql/statements.py",
        "adapters/mssql/restore_statements.py",
    }


def report(judged: set[str], record_property: Callable[[str, object], None]) -> None:
    """How much was judged, for `--junit-xml` and for `-rP`."""
    record_property("distinct_statements", len(judged))
    print(f"{len(judged)} distinct statements judged")
