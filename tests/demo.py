"""`make demo`: the main job, shown to a person, against the stand-in."""

import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from tests.installation import DaemonProcess, Installation
from tests.standin.drivers import known


def main() -> int:
    """Show it; any failure ends non-zero."""
    began = time.monotonic()
    root = Path(tempfile.mkdtemp(prefix="selfmx-demo-"))
    say("selfmx-backupd: a demonstration")
    print("The SQL Server in it is a STAND-IN: it speaks the real wire protocol to a real")
    print("ODBC driver and keeps a small database SelfMX, but it is not SQL Server.")
    try:
        driver = next(name for name, each in known().items() if each.library)
        with Installation(root, driver=driver, standin=("--size", "24", "--rate", "16")) as site:
            print(f"stand-in on 127.0.0.1:{site.server.port}, ODBC driver {driver}")
            print(f"backups in {site.backups}")
            run_daemon(site)
            run_disaster(site, driver)
    finally:
        shutil.rmtree(root)
    say(f"done in {time.monotonic() - began:.0f} s: every step succeeded")
    return 0


def run_daemon(site: Installation) -> None:
    """The daemon's life, with a manual backup in the middle."""
    say("1. The daemon starts; nothing has ever been backed up, so all tiers are due")
    with DaemonProcess(site, tell=tell_systemd) as daemon:
        daemon.wait_for(lambda message: message.startswith("READY=1"))
        daemon.wait_for(lambda message: "1 verified backup" in message)
        say("2. selfmx-backup: one more, by hand")
        show(site, "selfmx-backup")
        say("3. selfmx-backup list")
        show(site, "selfmx-backup", "list")
        expect(site)
        say("4. SIGTERM to the daemon")
        log = daemon.stop()
    say("What the daemon logged:")
    print(log.strip())


def run_disaster(site: Installation, driver: str) -> None:
    """Rows are deleted; a restore brings them back, and an undo takes them away again."""
    say("5. A disaster: somebody deletes every e-mail")
    before = emails(site, driver)
    with closing(site.server.connect(driver)) as connection:
        connection.execute("DELETE FROM SelfMX.dbo.SentEmails")
    count("before the disaster", before)
    count("after it", emails(site, driver), wanted=0)
    say("6. selfmx-restore --latest --yes")
    show(site, "selfmx-restore", "--latest", "--yes")
    count("after the restore", emails(site, driver), wanted=before)
    say("7. selfmx-restore --undo --yes: the way back")
    show(site, "selfmx-restore", "--undo", "--yes")
    count("after the undo", emails(site, driver), wanted=0)
    say("8. and forward once more")
    show(site, "selfmx-restore", "--latest", "--yes")
    count("after the second restore", emails(site, driver), wanted=before)
    show(site, "selfmx-restore", "--drop-old", "--yes")
    if not site.app.is_running:
        raise SystemExit("the application does not run")


def emails(site: Installation, driver: str) -> int:
    """How many e-mails the database in service holds."""
    with closing(site.server.connect(driver)) as connection:
        row = connection.execute("SELECT COUNT(*) FROM SelfMX.dbo.SentEmails").fetchone()
    return int(row[0]) if row else 0


def count(when: str, number: int, wanted: int | None = None) -> None:
    """Print a count; end where it is not the wanted one."""
    print(f"   e-mails {when}: {number}", flush=True)
    if wanted not in (None, number):
        raise SystemExit(f"expected {wanted}")


def tell_systemd(message: str) -> None:
    """Print what the daemon reports to systemd, but for the watchdog's pings."""
    for line in message.splitlines():
        if line != "WATCHDOG=1":
            print(f"   to systemd: {line}")


def show(site: Installation, *words: str) -> None:
    """Run one of our commands before the reader's eyes, as with the default configuration."""
    print(f"$ {' '.join(words)}", flush=True)
    command = site.command(*words)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        for line in running.stdout:
            print(site.in_short(line), end="", flush=True)
    if running.returncode != 0:
        raise subprocess.CalledProcessError(running.returncode, command)


def expect(site: Installation) -> None:
    """What must be true at the end: one backup for all three tiers, and a manual one."""
    tiers = [(each["state"], tuple(each["tiers"])) for each in reversed(site.listed())]
    wanted = [("verified", ("daily", "weekly", "monthly")), ("verified", ("manual",))]
    if tiers != wanted:
        raise SystemExit(f"expected {wanted}, found {tiers}")


def say(headline: str) -> None:
    """A headline."""
    print(f"\n== {headline}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
