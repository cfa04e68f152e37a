"""What a logged-in client may send: batches, procedure calls, transaction requests, attentions."""

from pysqlbridge.tds.batch import parse_sql_batch, skip_all_headers
from pysqlbridge.tds.packet import PacketType, TdsProtocolError
from pysqlbridge.tds.rpc import parse_rpc
from pysqlbridge.tds.transaction import TransactionRequestType, parse_transaction_request

from tests.standin.batch import run_batch
from tests.standin.message_rows import STAND_IN
from tests.standin.messages import Message, Refused, message
from tests.standin.reply import ERROR
from tests.standin.session import Session, Statement
from tests.standin.statements.transactions import Begin, Commit, RollBack
from tests.standin.statements.type_info import EXECUTE, TypeInfo
from tests.standin.wire import ClientLost, Incoming

_REQUEST_TYPE_BYTES = 2
_TYPE_INFO = {"[sys].sp_datatype_info_100", "sp_datatype_info_100"}


def converse(session: Session) -> None:
    """Answer everything until the client leaves; raises ClientLost."""
    while True:
        incoming = session.wire.next_message()
        session.reply.more_follows, session.reply.line = False, 1
        try:
            _answer(session, incoming)
        except TdsProtocolError as error:
            raise ClientLost(str(error)) from error


def _answer(session: Session, incoming: Incoming) -> None:
    if incoming.type is PacketType.SQL_BATCH:
        run_batch(session, parse_sql_batch(incoming.payload))
    elif incoming.type is PacketType.RPC:
        _call(session, incoming.payload)
    elif incoming.type is PacketType.TRANSACTION_MANAGER:
        _manage_transaction(session, incoming.payload)
    elif incoming.type is PacketType.ATTENTION:
        # Nothing runs: the acknowledgement alone (capture25).
        session.reply.acknowledge_attention()
    else:
        raise ClientLost(f"the client sent {incoming.type.name}")


def _call(session: Session, payload: bytes) -> None:
    """The only procedure that Driver 18 calls by itself is sp_datatype_info (seen)."""
    call = parse_rpc(payload)
    numbers = [one.value for one in call.parameters if isinstance(one.value, int)]
    if call.procedure.casefold() in _TYPE_INFO and numbers:
        TypeInfo(numbers[0]).run(session)
    else:
        unknown = f"unknown procedure: {call.procedure} {call.sql or ''}"
        session.reply.say(message(STAND_IN, unknown.strip()))
        session.reply.done(EXECUTE, status=ERROR)
    session.reply.end()


def _manage_transaction(session: Session, payload: bytes) -> None:
    """A transaction through the driver's own interface: ENVCHANGE 8, 9, 10 ([MS-TDS] 2.2.6.9)."""
    request = parse_transaction_request(payload)
    statement = _transaction_statement(request.kind, payload)
    if statement is None:
        _say_failure(session, message(STAND_IN, f"transaction request {request.kind.name}"))
    else:
        try:
            statement.run(session)
        except Refused as error:
            _say_failure(session, *error.messages)
    session.reply.end()


def _transaction_statement(kind: TransactionRequestType, payload: bytes) -> Statement | None:
    if kind is TransactionRequestType.BEGIN_XACT:
        return Begin()
    if kind is TransactionRequestType.COMMIT_XACT:
        return Commit(_begins_another(payload))
    if kind is TransactionRequestType.ROLLBACK_XACT:
        return RollBack(_begins_another(payload))
    return None


def _begins_another(payload: bytes) -> bool:
    """Whether a commit or rollback asks for a new transaction at once (fBeginXact)."""
    at: int = skip_all_headers(payload) + _REQUEST_TYPE_BYTES
    flags_at = at + 1 + payload[at]
    return bool(payload[flags_at] & 1)


def _say_failure(session: Session, *messages: Message) -> None:
    for one in messages:
        session.reply.say(one)
    session.reply.done(0, status=ERROR)
