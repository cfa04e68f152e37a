"""What the server says: tokens, cut into packets, sent as soon as they are complete.

BACKUP and RESTORE send every message as an INFO with a DONE of its own (capture), in a
packet of its own, so that a client sees them live. Only the last packet of an answer
carries END_OF_MESSAGE.
"""

import contextlib
from collections.abc import Iterator

from pysqlbridge.tds.packet import (
    DEFAULT_PACKET_SIZE,
    HEADER_SIZE,
    PacketStatus,
    PacketType,
    build_packet,
)
from pysqlbridge.tds.token import EnvChangeType, done, env_change, error, info

from tests.standin.columns import RowSet
from tests.standin.messages import Message
from tests.standin.wire import Wire

# DONE status bits ([MS-TDS] 2.2.7.6).
MORE = 0x01
ERROR = 0x02
COUNT = 0x10
ATTENTION = 0x20
SERVER_ERROR = 0x100

_DONE, _DONE_PROC, _DONE_IN_PROC = 0xFD, 0xFE, 0xFF
_RETURN_STATUS = 0x79

# CurCmd of an answer to a batch that failed to compile, and of an attention (capture).
COMMAND_NONE = 253


class Reply:
    """The answers of one session.

    Attributes:
        more_follows: Whether statements come after the present one in its batch.
        line: The present statement's line in its batch.
    """

    def __init__(self, wire: Wire, *, spid: int, server_name: str, tds_version: int) -> None:
        self._wire = wire
        self._spid = spid
        self._server_name = server_name
        self._tds_version = tds_version
        self._pending = bytearray()
        self._packet_id = 1
        self._procedure_depth = 0
        self.more_follows = False
        self.line = 1

    def say(self, message: Message) -> None:
        """An INFO or ERROR token."""
        encode = error if message.is_error else info
        self._pending += encode(
            message.number,
            message.text,
            state=message.state,
            severity=message.severity,
            server=self._server_name,
            line=self.line,
            tds_version=self._tds_version,
        )

    def changed(self, setting: EnvChangeType, new: str | bytes, old: str | bytes) -> None:
        """An ENVCHANGE token."""
        self._pending += env_change(setting, new, old)

    def tokens(self, encoded: bytes) -> None:
        """Tokens that are encoded already."""
        self._pending += encoded

    def rows(self, rows: RowSet) -> None:
        """COLMETADATA and ROW tokens."""
        self._pending += rows.encode(self._tds_version)

    def done(
        self,
        command: int,
        *,
        count: int | None = None,
        more: bool = False,
        status: int = 0,
        kind: int | None = None,
    ) -> None:
        """A DONE token, or DONEINPROC inside of EXEC."""
        if more or self.more_follows or self._procedure_depth:
            status |= MORE
        if count is not None:
            status |= COUNT
        usual = _DONE_IN_PROC if self._procedure_depth else _DONE
        token = done(
            status=status,
            current_command=command,
            row_count=count or 0,
            tds_version=self._tds_version,
        )
        self._pending += bytes([kind or usual]) + token[1:]

    @contextlib.contextmanager
    def procedure(self, command: int, *, return_status: int | None = None) -> Iterator[None]:
        """What is said inside belongs to EXEC or a procedure; closes with DONEPROC."""
        self._procedure_depth += 1
        outer = self.more_follows
        try:
            yield
        finally:
            self._procedure_depth -= 1
            self.more_follows = outer
        if return_status is not None:
            self._pending += bytes([_RETURN_STATUS]) + return_status.to_bytes(4, "little")
        self.done(command, kind=_DONE_PROC)

    def announce(self, message: Message, command: int) -> None:
        """A message of BACKUP or RESTORE with its own DONE, sent at once."""
        self.say(message)
        self.done(command, more=True)
        self.flush()

    def flush(self) -> None:
        """Send what is pending; the answer goes on."""
        self._send(last=False)

    def end(self) -> None:
        """Send what is pending as the end of the answer."""
        self._send(last=True)
        self._packet_id = 1

    def acknowledge_attention(self) -> None:
        """The message of its own that a client waits for after it cancelled (capture25)."""
        self.done(COMMAND_NONE, status=ATTENTION)
        self.end()

    def _send(self, *, last: bool) -> None:
        body = DEFAULT_PACKET_SIZE - HEADER_SIZE
        while len(self._pending) > body:
            self._packet(bytes(self._pending[:body]), last=False)
            del self._pending[:body]
        if self._pending or last:
            self._packet(bytes(self._pending), last=last)
            self._pending.clear()

    def _packet(self, payload: bytes, *, last: bool) -> None:
        self._wire.send(
            build_packet(
                PacketType.TABULAR_RESULT,
                payload,
                status=PacketStatus.END_OF_MESSAGE if last else PacketStatus.NORMAL,
                spid=self._spid,
                packet_id=self._packet_id % 256,
            )
        )
        self._packet_id += 1
