"""A small TDS client that sees every byte: encryption for the login only, then clear text."""

import socket
import ssl
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.conformance.decoder import Token, decode
from tests.standin.process import PASSWORD

_HEADER = struct.Struct(">BBHHBB")
_END_OF_MESSAGE = 0x01
_LOGIN_TIMEOUT_S = 10.0

BATCH, ATTENTION, TRANSACTION, LOGIN, PRELOGIN = 0x01, 0x06, 0x0E, 0x10, 0x12

_TDS_74 = 0x74000004
# ALL_HEADERS with one transaction descriptor header ([MS-TDS] 2.2.5.3).
_ALL_HEADERS = struct.pack("<IIHQI", 22, 18, 2, 0, 1)


@dataclass(frozen=True, slots=True)
class Packet:
    """One packet: its status byte and its payload."""

    status: int
    payload: bytes

    @property
    def ends_message(self) -> bool:
        """Whether END_OF_MESSAGE is set."""
        return bool(self.status & _END_OF_MESSAGE)


class RawClient:
    """One connection, logged in.

    `login_tokens` is what the server said to the login; where it refused, nothing else
    can be asked.
    """

    def __init__(
        self, port: int, *, user: str = "sa", password: str = PASSWORD, database: str = ""
    ) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=_LOGIN_TIMEOUT_S)
        self._send(PRELOGIN, _prelogin())
        self.read_message()
        self._log_in(_login7(user, password, database))
        self.login_tokens = decode(self.read_message())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up without a word, as a killed process does."""
        self._socket.close()

    def ask(self, sql: str) -> list[Token]:
        """Send a batch and decode the whole answer."""
        self.send_batch(sql)
        return self.read_tokens()

    def send_batch(self, sql: str) -> None:
        """Send a batch and do not wait."""
        self._send(BATCH, _ALL_HEADERS + sql.encode("utf-16-le"))

    def send_attention(self) -> None:
        """Ask for the running statement to be cancelled."""
        self._send(ATTENTION, b"")

    def send_transaction_request(self, kind: int, payload: bytes) -> None:
        """A transaction manager request ([MS-TDS] 2.2.6.9)."""
        self._send(TRANSACTION, _ALL_HEADERS + struct.pack("<H", kind) + payload)

    def read_tokens(self) -> list[Token]:
        """Decode the next message."""
        return decode(self.read_message())

    def packets(self) -> Iterator[Packet]:
        """The next message, packet by packet, as each arrives."""
        while True:
            _, status, length, *_ = _HEADER.unpack(self._read(_HEADER.size))
            packet = Packet(status, self._read(length - _HEADER.size))
            yield packet
            if packet.ends_message:
                return

    def is_closed_by_server(self) -> bool:
        """Whether the server has hung up; waits for it."""
        return self._socket.recv(1) == b""

    def read_message(self) -> bytes:
        """The next message as it came."""
        return b"".join(packet.payload for packet in self.packets())

    def _send(self, kind: int, payload: bytes) -> None:
        length = _HEADER.size + len(payload)
        self._socket.sendall(_HEADER.pack(kind, _END_OF_MESSAGE, length, 0, 1, 0) + payload)

    def _read(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            piece = self._socket.recv(count - len(data))
            if not piece:
                raise ConnectionResetError("the server hung up in the middle of a message")
            data += piece
        return bytes(data)

    def _log_in(self, login: bytes) -> None:
        """TLS inside of PRELOGIN packets, LOGIN7 through it, then no TLS any more."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._send(PRELOGIN, outgoing.read())
                incoming.write(self.read_message())
        header = _HEADER.pack(LOGIN, _END_OF_MESSAGE, _HEADER.size + len(login), 0, 1, 0)
        tls.write(header + login)
        self._socket.sendall(outgoing.read())


def _prelogin() -> bytes:
    """VERSION and ENCRYPTION = OFF, which means: encrypt the login only."""
    options = ((0x00, bytes(6)), (0x01, b"\x00"))
    at = len(options) * 5 + 1
    table, data = b"", b""
    for token, value in options:
        table += struct.pack(">BHH", token, at + len(data), len(value))
        data += value
    return table + b"\xff" + data


def _login7(user: str, password: str, database: str) -> bytes:
    """LOGIN7 ([MS-TDS] 2.2.6.4) with a name, a password and a database."""
    scrambled = bytes(
        ((byte << 4 | byte >> 4) & 0xFF) ^ 0xA5 for byte in password.encode("utf-16-le")
    )
    plain = [text.encode("utf-16-le") for text in ("host", user)]
    texts = [
        *plain,
        scrambled,
        *(text.encode("utf-16-le") for text in ("raw client", "127.0.0.1", "", "raw", "")),
        database.encode("utf-16-le"),
    ]
    at, table, data = 94, b"", b""
    for text in texts:
        table += struct.pack("<HH", at + len(data), len(text) // 2)
        data += text
    end = at + len(data)
    table += bytes(6) + struct.pack("<HHHHHHI", end, 0, end, 0, end, 0, 0)
    fixed = struct.pack("<6I4BiI", end, _TDS_74, 4096, 0, 0, 0, 0, 0, 0, 0, 0, 1033)
    return fixed + table + data
