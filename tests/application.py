"""An application that a restore stops and starts: a command in a container's place."""

from pathlib import Path
from typing import Any

# `calls` is what was asked of it, in order; `running` is there while it runs; the other files
# are what is wrong with it.
_SCRIPT = """\
#!/bin/sh
cd "$(dirname "$0")" || exit 1
echo "$1" >>calls
if [ -e absent ]; then
    echo "Error response from daemon: No such container: selfmx-app" >&2
    exit 1
fi
if [ -e "wont-$1" ]; then
    echo "Error response from daemon: cannot $1 container: selfmx-app" >&2
    exit 1
fi
[ ! -e "slow-$1" ] || sleep "$(cat "slow-$1")"
case "$1" in
    stop) rm -f running ;;
    start) touch running ;;
    health) [ -e running ] && echo '{"status": "ok"}' ;;
esac
"""


class Application:
    """It runs when it is made. `directory` is its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(exist_ok=True)
        self._script = directory / "application"
        self._script.write_text(_SCRIPT)
        self._script.chmod(0o755)
        (directory / "running").touch()

    def settings(self) -> dict[str, Any]:
        """The section [application] that names it."""
        words = {each: [str(self._script), each] for each in ("stop", "start", "health")}
        return {**words, "health_timeout_s": 2}

    def make(self, what: str, content: str = "") -> None:
        """Let something be wrong: `absent`, `wont-stop`, `wont-health`, `slow-stop` …"""
        (self._directory / what).write_text(content)

    def repair(self, what: str) -> None:
        """Let nothing of that be wrong any more."""
        (self._directory / what).unlink()

    def start_by_hand(self) -> None:
        """Somebody starts it, who is not a restore."""
        (self._directory / "running").touch()

    def be_stopped(self) -> None:
        """It does not run."""
        (self._directory / "running").unlink()

    @property
    def is_running(self) -> bool:
        return (self._directory / "running").exists()

    @property
    def calls(self) -> list[str]:
        """What was asked of it since it was made."""
        path = self._directory / "calls"
        return path.read_text().split() if path.exists() else []
