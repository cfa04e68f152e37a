"""The table of all statements. The first row that matches is the one."""

from tests.standin.messages import unknown_statement
from tests.standin.session import Statement
from tests.standin.statements import (
    alter,
    backup,
    catalog,
    checkdb,
    databases,
    principals,
    restore,
    restore_reading,
    rows,
    select,
    sessions_control,
    transactions,
    type_info,
    verify,
)
from tests.standin.statements.pattern import Known
from tests.standin.tsql import Token, written

STATEMENTS: tuple[Known, ...] = (
    *backup.STATEMENTS,
    *restore.STATEMENTS,
    *restore_reading.STATEMENTS,
    *verify.STATEMENTS,
    *databases.STATEMENTS,
    *alter.STATEMENTS,
    *sessions_control.STATEMENTS,
    *principals.STATEMENTS,
    *transactions.STATEMENTS,
    *checkdb.STATEMENTS,
    *rows.STATEMENTS,
    *catalog.STATEMENTS,
    *type_info.STATEMENTS,
    # Any SELECT, so it comes last.
    *select.STATEMENTS,
)


def understand(tokens: tuple[Token, ...]) -> Statement:
    """One statement, ready to run; raises NotCompiled where nobody taught it."""
    for row in STATEMENTS:
        found = row.pattern.match(tokens)
        if found is not None:
            return row.build(found)
    raise unknown_statement(written(tokens))
