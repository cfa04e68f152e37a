"""One client's socket: bytes in, TDS messages out, and what interrupts a running statement."""

import contextlib
import socket
import time
from typing import NamedTuple

from pysqlbridge.tds.packet import PacketType, TdsProtocolError, reassemble
from pysqlbridge.tds.tls import TlsError, TlsTunnel

RECEIVE_BYTES = 65536


class ClientLost(Exception):
    """The client is gone, or the server is stopping: nothing more can be said to it."""


class Incoming(NamedTuple):
    """One whole message of the client."""

    type: PacketType
    payload: bytes


class Wire:
    """The socket of one session.

    Only the session's own thread uses it, except for `cut`, which any thread may call.

    Args:
        client: The accepted socket.
        notices_loss_after_s: How long a running statement goes on after its client has
            vanished (a real server notices at its next network write; report).
    """

    def __init__(self, client: socket.socket, *, notices_loss_after_s: float = 0.0) -> None:
        self._socket = client
        self._notices_loss_after_s = notices_loss_after_s
        self._arrived = bytearray()
        self._clear = bytearray()
        self._tunnel: TlsTunnel | None = None
        self._lost_at: float | None = None
        self._cut = False

    def cut(self) -> None:
        """Close the connection at once, from whichever side of it."""
        self._cut = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the socket back."""
        with contextlib.suppress(OSError):
            self._socket.close()

    def start_encryption(self, tunnel: TlsTunnel) -> None:
        """From here on bytes on the wire are TLS records."""
        self._tunnel = tunnel
        early = bytes(self._clear)
        self._clear.clear()
        self._accept(early)

    def stop_encryption(self) -> None:
        """From here on bytes on the wire are clear text: encryption was for the login only."""
        self._tunnel = None

    def next_message(self) -> Incoming:
        """The next whole message; waits for it."""
        while (message := self._take()) is None:
            try:
                data = self._socket.recv(RECEIVE_BYTES)
            except OSError as error:
                raise ClientLost(str(error)) from error
            if not data:
                raise ClientLost("the client closed the connection")
            self._accept(data)
        return message

    def attention_arrived(self) -> bool:
        """Whether the client has asked for the running statement to be cancelled.

        Looks without waiting. A vanished client raises ClientLost, after the grace that
        this wire was given.
        """
        try:
            data = self._socket.recv(RECEIVE_BYTES, socket.MSG_DONTWAIT)
        except BlockingIOError:
            pass
        except OSError:
            self._note_loss()
        else:
            if data:
                self._accept(data)
            else:
                self._note_loss()
        message = self._peek()
        if message is None or message.type is not PacketType.ATTENTION:
            return False
        self._take()
        return True

    def send(self, data: bytes) -> None:
        """Send bytes, encrypted where the session is."""
        if self._lost_at is not None:
            self._note_loss()
            return
        if self._tunnel is not None:
            data = self._tunnel.wrap(data)
        try:
            self._socket.sendall(data)
        except OSError:
            self._note_loss()

    def _note_loss(self) -> None:
        now = time.monotonic()
        if self._lost_at is None:
            self._lost_at = now
        if self._cut or now - self._lost_at >= self._notices_loss_after_s:
            raise ClientLost("the client is gone")

    def _accept(self, data: bytes) -> None:
        if self._tunnel is None:
            self._clear += data
            return
        try:
            self._clear += self._tunnel.unwrap(data)
        except TlsError as error:
            raise ClientLost(str(error)) from error

    def _peek(self) -> Incoming | None:
        try:
            message = reassemble(self._clear)
        except TdsProtocolError as error:
            raise ClientLost(str(error)) from error
        return None if message is None else Incoming(message.type, message.payload)

    def _take(self) -> Incoming | None:
        try:
            message = reassemble(self._clear)
        except TdsProtocolError as error:
            raise ClientLost(str(error)) from error
        if message is None:
            return None
        del self._clear[: message.consumed]
        return Incoming(message.type, message.payload)
