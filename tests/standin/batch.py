"""A batch: compiled as a whole, then run statement by statement, whatever each one says."""

from dataclasses import dataclass
from typing import ClassVar

from tests.standin.messages import NotCompiled, Refused, message, unknown_statement
from tests.standin.reply import COMMAND_NONE, ERROR, SERVER_ERROR
from tests.standin.session import Cancelled, Killed, Session, Statement
from tests.standin.statements.table import understand
from tests.standin.statements.type_info import EXECUTE
from tests.standin.tsql import Pattern, Token, Unreadable, split, tokens
from tests.standin.wire import ClientLost

_EXECUTE = Pattern.of("EXEC({sql:text})")


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a batch and the line it begins on."""

    statement: Statement
    line: int


@dataclass(frozen=True, slots=True)
class Execute:
    """EXEC('...'): a batch of its own inside, in a database context of its own (docs)."""

    command: ClassVar[int] = EXECUTE
    sql: str

    def run(self, session: Session) -> None:
        """Run the inner batch; every DONE of it is a DONEINPROC (capture)."""
        outer = session.database
        try:
            steps = compile_batch(self.sql)
        except NotCompiled as error:
            # What does not compile inside fails when EXEC runs, not before (docs).
            raise Refused(*error.messages) from error
        with session.reply.procedure(EXECUTE):
            for step in steps:
                _run(session, step)
            if session.database != outer:
                session.use(outer)


def compile_batch(sql: str) -> list[Step]:
    """All statements of a text; raises NotCompiled where one of them is not known."""
    try:
        found = tokens(sql)
    except Unreadable as error:
        raise unknown_statement(str(error)) from error
    parts = [part for part in split(found, ";") if part]
    return [Step(_understand(part), part[0].line) for part in parts]


def _understand(part: tuple[Token, ...]) -> Statement:
    executed = _EXECUTE.match(part)
    return understand(part) if executed is None else Execute(executed.value("sql"))


def run_batch(session: Session, sql: str) -> None:
    """Answer one batch, its end of message included; raises ClientLost after a KILL."""
    session.instance.log_batch(session.member, session.database, sql)
    sessions = session.instance.sessions
    sessions.begin_batch(session.member)
    try:
        _answer(session, sql)
    finally:
        is_alive = sessions.end_batch(session.member)
    if not is_alive:
        # Ended once the batch was over: the socket is lost (capture25).
        session.wire.cut()
        raise ClientLost("the session was ended")


def _answer(session: Session, sql: str) -> None:
    reply = session.reply
    reply.more_follows, reply.line = False, 1
    try:
        steps = compile_batch(sql)
    except NotCompiled as error:
        # Nothing of the batch runs; no 3013 follows (capture).
        _fail(session, error, COMMAND_NONE)
        reply.end()
    else:
        _run_all(session, steps)


def _run_all(session: Session, steps: list[Step]) -> None:
    for at, step in enumerate(steps):
        session.reply.more_follows = at < len(steps) - 1
        try:
            _run(session, step)
        except Cancelled as cancelled:
            session.reply.more_follows = False
            _fail(session, cancelled, step.statement.command)
            session.reply.end()
            session.reply.acknowledge_attention()
            return
        except Killed as error:
            _end_by_kill(session)
            raise ClientLost("the session was killed") from error
    if not steps:
        session.reply.done(COMMAND_NONE)
    session.reply.end()


def _run(session: Session, step: Step) -> None:
    session.reply.line = step.line
    try:
        step.statement.run(session)
    except Refused as error:
        # The batch goes on after a failed BACKUP (capture).
        _fail(session, error, step.statement.command)


def _fail(session: Session, error: Refused | Cancelled, command: int) -> None:
    for one in error.messages:
        session.reply.say(one)
    session.reply.done(command, status=ERROR)


def _end_by_kill(session: Session) -> None:
    """596, a DONE with the status 0x102, and the socket is closed (capture25)."""
    session.reply.more_follows = False
    session.reply.say(message(596))
    session.reply.done(COMMAND_NONE, status=ERROR | SERVER_ERROR)
    session.reply.end()
    session.wire.cut()
