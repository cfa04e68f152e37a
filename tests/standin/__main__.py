"""`python -m tests.standin`: see `--help`."""

import contextlib
import logging
import signal
import sys
from collections.abc import Sequence

from pysqlbridge.certificate import self_signed, server_context

from tests.standin import options
from tests.standin.faults import Faults
from tests.standin.instance import Instance
from tests.standin.preparation import prepare
from tests.standin.server import ADDRESS, Server
from tests.standin.store import Store

_ENDING = {signal.SIGTERM, signal.SIGINT}


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT."""
    given = options.parse(arguments)
    logging.basicConfig(level=logging.WARNING, format="stand-in: %(message)s")
    # Blocked here, before there are threads, so that only sigwait sees them.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    store = Store(given.data)
    with contextlib.ExitStack() as open_files:
        sql_log = None
        if given.sql_log is not None:
            sql_log = open_files.enter_context(given.sql_log.open("a", encoding="utf-8"))
        instance = Instance(given, store, Faults(given.faults), sql_log)
        prepare(instance)
        server = Server(instance, server_context(self_signed()))
        server.start()
        sys.stdout.write(f"listening on {ADDRESS}:{server.port}\n")
        sys.stdout.flush()
        signal.sigwait(_ENDING)
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
