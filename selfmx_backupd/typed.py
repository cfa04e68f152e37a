"""How commands have to be typed where there is more than one configuration.

Hints name commands as the operator of an only database types them. Beside a second one the
same words would act on the first, so before anybody reads them each of our commands gets its
`--config`, and each unit the name of its instance.
"""

import re
import shlex
from pathlib import Path

# Where the template unit looks: /etc/selfmx-backupd/%i.toml.
_INSTANCES = Path("/etc/selfmx-backupd")
# Not a path, a unit, a package's extra, or the name of a group.
_COMMAND = re.compile(
    r"(?<![\w/@.-])"
    r"(selfmx-(?:backup|restore)|selfmx-backupd(?= (?:run|check|status|schedule|simulate)\b))"
    r"(?![\w/@\[-]|\.\w| --config)"
)
_UNIT = re.compile(r"(systemctl [a-z-]+|journalctl -u) selfmx-backupd(?![\w@.-])")


class _Process:
    """What this process works with; None is the default configuration."""

    config: Path | None = None


def work_with(config: Path | None) -> None:
    """Say which configuration this process works with; None where it is the default one."""
    _Process.config = config


def typed(sentence: str) -> str:
    """A sentence as the operator of this process's configuration has to read it."""
    config = _Process.config
    return sentence if config is None else for_configuration(sentence, config)


def for_configuration(sentence: str, config: Path) -> str:
    """A sentence with each command of ours made to act on that configuration.

    Args:
        sentence: What an operator of the default configuration would read.
        config: Another configuration's file.
    """
    option = f" --config {shlex.quote(str(config))}"
    said = _COMMAND.sub(lambda found: found[0] + option, sentence)
    if config.parent != _INSTANCES:
        return said
    unit = f"selfmx-backupd@{config.stem}"
    return _UNIT.sub(lambda found: f"{found[1]} {unit}", said)
