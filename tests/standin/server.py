"""The listener: loopback only, one thread for each client."""

import contextlib
import logging
import socket
import threading
import time
from ssl import SSLContext

from tests.standin.conversation import converse
from tests.standin.handshake import log_in
from tests.standin.instance import Instance
from tests.standin.wire import ClientLost, Wire

# The stand-in must not be reachable from anywhere else; there is no option for this.
ADDRESS = "127.0.0.1"
_STOP_TIMEOUT_S = 3.0

log = logging.getLogger("standin")


class Server:
    """Accepts clients until it is stopped."""

    def __init__(self, instance: Instance, tls: SSLContext) -> None:
        self._instance = instance
        self._tls = tls
        self._lock = threading.Lock()
        self._clients: dict[threading.Thread, Wire] = {}
        self._stopping = False
        self._listener = socket.create_server((ADDRESS, instance.options.port))

    @property
    def port(self) -> int:
        """Where it listens."""
        number: int = self._listener.getsockname()[1]
        return number

    def start(self) -> None:
        """Begin to accept, in a thread of its own."""
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Cut every connection and wait for running statements to clean up."""
        self._stopping = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            clients = list(self._clients.items())
        for _, wire in clients:
            wire.cut()
        deadline = time.monotonic() + _STOP_TIMEOUT_S
        for thread, _ in clients:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _accept(self) -> None:
        while not self._stopping:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            grace = self._instance.faults.seconds("orphan")
            wire = Wire(client, notices_loss_after_s=grace)
            thread = threading.Thread(target=self._serve, args=(wire,), daemon=True)
            with self._lock:
                self._clients[thread] = wire
            thread.start()

    def _serve(self, wire: Wire) -> None:
        try:
            self._converse(wire)
        except ClientLost as reason:
            log.debug("connection over: %s", reason)
        except Exception:
            # A bug of the stand-in: the client sees a lost connection, a person the traceback.
            log.exception("the session failed")
        finally:
            wire.close()
            with self._lock:
                self._clients.pop(threading.current_thread(), None)

    def _converse(self, wire: Wire) -> None:
        session = log_in(wire, self._instance, self._tls)
        try:
            converse(session)
        finally:
            self._instance.sessions.leave(session.member)
