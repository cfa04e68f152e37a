"""A batch: compiled as a whole, then run statement by statement, whatever each one says.

In a TRY block an error is not said: the rest of the block is passed over and the CATCH
block runs (docs). That the failed statement then ends with a DONE that tells nothing is
inferred.
"""

from dataclasses import dataclass
from typing import ClassVar

from tests.standin.blocks import Parts, TryParts, parts_of
from tests.standin.messages import Message, NotCompiled, Refused, message, unknown_statement
from tests.standin.reply import COMMAND_NONE, ERROR, SERVER_ERROR
from tests.standin.session import Cancelled, Killed, Session, Statement, Thrown
from tests.standin.statements.control import controlled
from tests.standin.statements.fault_points import after_statement
from tests.standin.statements.table import understand
from tests.standin.statements.type_info import EXECUTE
from tests.standin.tsql import Pattern, Token, Unreadable, tokens, written
from tests.standin.wire import ClientLost

_EXECUTE = Pattern.of("EXEC({sql:text})")


@dataclass(frozen=True, slots=True)
class Step:
    """One statement of a batch, how it was written and the line it begins on."""

    statement: Statement
    text: str
    line: int


@dataclass(frozen=True, slots=True)
class TryCatch:
    """BEGIN TRY ... END TRY BEGIN CATCH ... END CATCH."""

    body: tuple["Step | TryCatch", ...]
    handler: tuple["Step | TryCatch", ...]


Steps = tuple[Step | TryCatch, ...]


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
        try:
            with session.reply.procedure(EXECUTE):
                for step in steps:
                    _run(session, step)
        finally:
            if session.database != outer:
                session.use(outer)


def compile_batch(sql: str) -> Steps:
    """All statements of a text; raises NotCompiled where one of them is not known."""
    try:
        found = tokens(sql)
    except Unreadable as error:
        raise unknown_statement(str(error)) from error
    return _compiled(parts_of(found))


def _compiled(parts: Parts) -> Steps:
    return tuple(
        TryCatch(_compiled(part.body), _compiled(part.handler))
        if isinstance(part, TryParts)
        else Step(_understand(part), written(part), part[0].line)
        for part in parts
    )


def _understand(part: tuple[Token, ...]) -> Statement:
    executed = _EXECUTE.match(part)
    if executed is not None:
        return Execute(executed.value("sql"))
    return controlled(part, _understand) or understand(part)


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
        _fail(session, error.messages, COMMAND_NONE)
        reply.end()
    else:
        _run_all(session, steps)


def _run_all(session: Session, steps: Steps) -> None:
    reply = session.reply
    session.try_depth = 0
    try:
        for at, step in enumerate(steps):
            reply.more_follows = at < len(steps) - 1
            _run(session, step)
    except Thrown as thrown:
        reply.more_follows = False
        _fail(session, thrown.messages, COMMAND_NONE)
    except Cancelled as cancelled:
        reply.more_follows = False
        _fail(session, cancelled.messages, cancelled.command)
        reply.end()
        reply.acknowledge_attention()
        return
    except Killed as error:
        _end_by_kill(session)
        raise ClientLost("the session was killed") from error
    if not steps:
        reply.done(COMMAND_NONE)
    reply.end()


def _run(session: Session, step: Step | TryCatch) -> None:
    if isinstance(step, TryCatch):
        _try(session, step)
        return
    session.reply.line = step.line
    try:
        step.statement.run(session)
    except Cancelled as cancelled:
        cancelled.command = step.statement.command
        raise
    except Refused as error:
        if session.try_depth or isinstance(error, Thrown):
            raise
        # The batch goes on after a failed BACKUP (capture).
        _fail(session, error.messages, step.statement.command)
    else:
        after_statement(session, step.text)


def _try(session: Session, block: TryCatch) -> None:
    reply, is_last = session.reply, not session.reply.more_follows
    reply.more_follows = True
    session.try_depth += 1
    caught: tuple[Message, ...] | None = None
    try:
        for step in block.body:
            _run(session, step)
    except Refused as error:
        caught = error.messages
    finally:
        session.try_depth -= 1
    if caught is not None:
        reply.done(COMMAND_NONE)
        outer, session.caught = session.caught, caught
        for step in block.handler:
            _run(session, step)
        session.caught = outer
    reply.more_follows = not is_last
    if is_last:
        reply.done(COMMAND_NONE)


def _fail(session: Session, messages: tuple[Message, ...], command: int) -> None:
    for one in messages:
        session.reply.say(one)
    session.reply.done(command, status=ERROR)


def _end_by_kill(session: Session) -> None:
    """596, a DONE with the status 0x102, and the socket is closed (capture25)."""
    session.reply.more_follows = False
    session.reply.say(message(596))
    session.reply.done(COMMAND_NONE, status=ERROR | SERVER_ERROR)
    session.reply.end()
    session.wire.cut()
