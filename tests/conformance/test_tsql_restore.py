"""The T-SQL of a restore, judged by Microsoft's own parser."""

import inspect
from collections.abc import Callable

import pytest

from selfmx_backupd.adapters.mssql import restore_statements as statements
from selfmx_backupd.adapters.mssql.statements import quote_name
from selfmx_backupd.policy.restore import Placement
from tests.conformance.test_tsql import AWKWARD, RESTORE, SELECT, report
from tests.judge.parser import Judge, Verdict

Rows = list[tuple[str, Verdict]]


def alter(name: str, *more: str) -> Verdict:
    return Verdict((), (f"AlterDatabase{name}Statement",), more)


def about_server(value: str) -> dict[str, Rows]:
    """Questions, and what is said to one session."""
    rights = Verdict((), SELECT, (), (quote_name(value),))
    return {
        "every_database": [(statements.every_database(), Verdict((), SELECT))],
        "every_file": [(statements.every_file(), Verdict((), SELECT))],
        "volumes": [(statements.volumes(), Verdict((), SELECT))],
        "default_directories": [(statements.default_directories(), Verdict((), SELECT))],
        "sql_logins": [(statements.sql_logins(), Verdict((), SELECT))],
        "rights_to_restore": [(statements.rights_to_restore(value), rights)],
        "users_of": [(statements.users_of(value), Verdict((), SELECT, (value,)))],
        "sessions_in": [(statements.sessions_in(value), Verdict((), SELECT, (), (value,)))],
        "lock_timeout": [(statements.lock_timeout(), Verdict((), ("SetCommandStatement",)))],
        "kill": [(statements.kill(57), Verdict((), ("KillStatement",)))],
        "use": [(statements.use(value), Verdict((), ("UseStatement",), (value,)))],
    }


def about_users(value: str) -> dict[str, Rows]:
    """What is done to users and owners."""
    owner = Verdict((), ("AlterAuthorizationStatement",), (value, value))
    member = Verdict((), ("AlterRoleStatement",), ("db_backupoperator", value))
    return {
        "map_user": [
            (
                statements.map_user(value, value),
                Verdict((), ("AlterUserStatement",), (value, value)),
            )
        ],
        "create_user": [
            (
                statements.create_user(value, value),
                Verdict((), ("CreateUserStatement",), (value, value)),
            )
        ],
        "let_back_up": [(statements.let_back_up(value), member)],
        "give_to": [(statements.give_to(value, value), owner)],
    }


def about_databases(value: str) -> dict[str, Rows]:
    """What is done to databases."""
    moves = (Placement(value, f"/d/{value}.mdf", 1), Placement("log", f"/l/{value}", 1))
    texts = (f"/b/{value}", value, f"/d/{value}.mdf", "log", f"/l/{value}")
    restored = Verdict((), RESTORE, (value,), texts)
    # Each of the three names by turns, so that none could stand in another's place.
    threes = [(value, "a", "b"), ("s", value, "b"), ("s", "a", value), (value, value, value)]
    return {
        "restore_database": [
            (
                statements.restore_database(
                    value, f"/b/{value}", moves, replace=replace, checksum=checksum
                ),
                restored,
            )
            for replace in (True, False)
            for checksum in (True, False)
        ],
        "check_database": [
            (statements.check_database(value), Verdict((), ("DbccStatement",), (), (value,)))
        ],
        "set_recovery": [
            (statements.set_recovery(value, model), alter("Set", value))
            for model in ("FULL", "SIMPLE", "BULK_LOGGED")
        ],
        "set_new_broker": [(statements.set_new_broker(value), alter("Set", value))],
        "set_trustworthy": [(statements.set_trustworthy(value), alter("Set", value))],
        "set_single_user": [(statements.set_single_user(value), alter("Set", value))],
        "set_multi_user": [(statements.set_multi_user(value), alter("Set", value))],
        "set_offline": [(statements.set_offline(value), alter("Set", value))],
        "rename": [(statements.rename(value, value), alter("ModifyName", value, value))],
        "drop": [(statements.drop(value), Verdict((), ("DropDatabaseStatement",), (value,)))],
        "swap": [
            (
                statements.swap(live, aside, new),
                Verdict((), ("TryCatchStatement",), (live, aside, new, live, aside, live), (live,)),
            )
            for live, aside, new in threes
        ],
    }


def all_with(value: str) -> dict[str, Rows]:
    """Each builder's statements around `value`, and what the parser must find in them."""
    return about_server(value) | about_users(value) | about_databases(value)


def test_every_builder_of_a_restore_is_judged() -> None:
    public = {
        name
        for name, function in inspect.getmembers(statements, inspect.isfunction)
        if function.__module__ == statements.__name__ and not name.startswith("_")
    }
    assert set(all_with("SelfMX")) == public


@pytest.mark.parametrize("builder", sorted(all_with("x")))
def test_a_statement_of_a_restore_parses_and_gives_every_value_back(
    builder: str, judge: Judge, record_property: Callable[[str, object], None]
) -> None:
    rows = [row for value in AWKWARD for row in all_with(value)[builder]]
    verdicts = judge([sql for sql, _ in rows])
    assert dict(zip([sql for sql, _ in rows], verdicts, strict=True)) == dict(rows)
    report({sql for sql, _ in rows}, record_property)


def test_a_recovery_model_is_a_keyword_and_nothing_else() -> None:
    with pytest.raises(ValueError, match="is no recovery model"):
        statements.set_recovery("SelfMX", "SIMPLE; DROP DATABASE b")
