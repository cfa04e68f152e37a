"""For every test: signals as in a login shell, however the tests were started."""

import signal

# A shell without job control has Ctrl-C ignored in what it runs in the background, and a
# process that is started from there inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
