"""Catalog views that the product asks: databases, sessions and what they run, msdb's history."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from tests.standin.columns import (
    BIGINT,
    INT,
    NULLABLE,
    REAL,
    SMALLINT,
    TINYINT,
    Bit,
    Integer,
    NVarChar,
    RowSet,
    UniqueIdentifier,
    declare,
)
from tests.standin.database import Database, RecoveryModel
from tests.standin.options import Right
from tests.standin.pages import PAGE_BYTES
from tests.standin.session import Session
from tests.standin.sessions import Member, Request
from tests.standin.statements.pattern import Known, known
from tests.standin.tsql import Found

SELECT = 193  # CurCmd (capture)


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT whose rows are computed from the session's point of view."""

    command: ClassVar[int] = SELECT
    answer: Callable[[Session], RowSet]

    def run(self, session: Session) -> None:
        """Send the rows; a session that asks is itself a request."""
        with session.requesting("SELECT"):
            rows = self.answer(session)
        session.reply.rows(rows)
        session.reply.done(SELECT, count=len(rows.rows))


def _visible_size_bytes(session: Session, database: Database) -> int | None:
    """NULL where sys.master_files shows no row (docs: CREATE DATABASE or VIEW ANY DEFINITION)."""
    if not session.login.may(Right.CREATE_DATABASE):
        return None
    sizes = (one.size_bytes for one in database.files if one.type == "D")
    return sum(sizes) // PAGE_BYTES * PAGE_BYTES


def _database_facts(found: Found) -> Query:
    def answer(session: Session) -> RowSet:
        database = session.instance.store.find(found.value("database"))
        columns = [
            declare("name", NVarChar(128)),
            declare("state", NVarChar(60)),
            declare("size_bytes", Integer(8)),
        ]
        if database is None:
            return RowSet(columns, [])
        state = session.instance.state_of(database)
        return RowSet(columns, [[database.name, state, _visible_size_bytes(session, database)]])

    return Query(answer)


def _database_options(found: Found) -> Query:
    """The log of a database in FULL is kept from the first full backup on that begins a chain."""

    def answer(session: Session) -> RowSet:
        database = session.instance.store.find(found.value("database"))
        columns = [
            declare("recovery_model", NVarChar(60), NULLABLE),
            declare("log_waits_for", NVarChar(60), NULLABLE),
            declare("page_verify", NVarChar(60), NULLABLE),
            declare("is_encrypted", Bit(), NULLABLE),
        ]
        if database is None:
            return RowSet(columns, [])
        has_chain = database.recovery_model is not RecoveryModel.SIMPLE and database.last_full_lsn
        waits_for = "LOG_BACKUP" if has_chain else "NOTHING"
        return RowSet(
            columns, [[database.recovery_model.replace("-", "_"), waits_for, "CHECKSUM", False]]
        )

    return Query(answer)


def _visible_requests(session: Session) -> list[tuple[Member, Request]]:
    """Without VIEW SERVER STATE only the own session is visible, and no error says so (docs)."""
    sees_all = session.login.may(Right.VIEW_STATE)
    return [
        (one, request)
        for one in session.instance.sessions.all()
        if (sees_all or one is session.member) and (request := one.request) is not None
    ]


def _running_backups(found: Found) -> Query:
    def answer(session: Session) -> RowSet:
        rows = [
            [member.spid, request.percent_complete]
            for member, request in _visible_requests(session)
            if member.spid != session.member.spid
            and request.command.startswith("BACKUP")
            and member.program_name.casefold() == found.value("program").casefold()
        ]
        columns = [declare("session_id", SMALLINT), declare("percent_complete", REAL)]
        return RowSet(columns, rows)

    return Query(answer)


def _session_activity(found: Found) -> Query:
    def answer(session: Session) -> RowSet:
        rows = [
            [request.percent_complete, request.cpu_time_ms, request.reads]
            for member, request in _visible_requests(session)
            if member.spid == found.number("session")
        ]
        columns = [
            declare("percent_complete", REAL),
            declare("cpu_time", INT),
            declare("reads", BIGINT),
        ]
        return RowSet(columns, rows)

    return Query(answer)


def _media_families(_found: Found) -> Query:
    """The capture's columns: those of the table, with NOT NULL where the table says so."""

    def answer(session: Session) -> RowSet:
        columns = [
            declare("media_set_id", INT),
            declare("family_sequence_number", TINYINT),
            declare("media_family_id", UniqueIdentifier(), NULLABLE),
            declare("media_count", Integer(4)),
            declare("logical_device_name", NVarChar(128)),
            declare("physical_device_name", NVarChar(260)),
            declare("device_type", Integer(1)),
            declare("physical_block_size", Integer(4)),
            declare("mirror", TINYINT),
        ]
        rows = [
            [
                *(one["media_set_id"], 1, one["media_family_id"], 1, None),
                *(one["physical_device_name"], 2, 4096, 0),
            ]
            for one in session.instance.store.media_families()[:1]
        ]
        return RowSet(columns, rows)

    return Query(answer)


STATEMENTS: tuple[Known, ...] = (
    known(
        "SELECT d.name AS name, d.state_desc AS state, "
        "(SELECT SUM(CAST(f.size AS bigint)) * 8192 FROM sys.master_files AS f "
        "WHERE f.database_id = d.database_id AND f.type = 0) AS size_bytes "
        "FROM sys.databases AS d WHERE d.name = {database:text}",
        _database_facts,
        source="docs: sys.databases, sys.master_files",
    ),
    known(
        "SELECT d.recovery_model_desc AS recovery_model, "
        "d.log_reuse_wait_desc AS log_waits_for, "
        "d.page_verify_option_desc AS page_verify, d.is_encrypted AS is_encrypted "
        "FROM sys.databases AS d WHERE d.name = {database:text}",
        _database_options,
        source="docs: sys.databases; the transaction log",
    ),
    known(
        "SELECT r.session_id AS session_id, r.percent_complete AS percent_complete "
        "FROM sys.dm_exec_requests AS r "
        "JOIN sys.dm_exec_sessions AS s ON s.session_id = r.session_id "
        "WHERE r.command LIKE 'BACKUP%' AND r.session_id <> @@SPID "
        "AND s.program_name = {program:text}",
        _running_backups,
        source="docs: sys.dm_exec_requests, sys.dm_exec_sessions",
    ),
    known(
        "SELECT percent_complete, cpu_time, reads "
        "FROM sys.dm_exec_requests WHERE session_id = {session:number}",
        _session_activity,
        source="docs: sys.dm_exec_requests",
    ),
    known("SELECT TOP(1) * FROM msdb..backupmediafamily", _media_families, source="capture"),
)
