"""A backup directory with real files and true manifests, and our commands in this process."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from selfmx_backupd.adapters import manifest
from selfmx_backupd.adapters.clock import FILE, Boot, Ticks, this_boot
from selfmx_backupd.cli.door import enter
from selfmx_backupd.config import load
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Backup, Tier
from selfmx_backupd.wiring import now, world_of
from tests.build import backup


class Directory:
    """Directories and a configuration below `root`; the zone is UTC.

    Attributes:
        at: The time for which backups are dated, the real one: commands know no other.
        option: What a hint says behind a command's name, so that it acts on this configuration.
    """

    def __init__(self, root: Path, *, zone: str = "UTC") -> None:
        self.path = root / "backups"
        self.state = root / "state"
        self.config = root / "config.toml"
        self.option = f"--config {self.config}"
        self.at = now().replace(microsecond=0)
        self.path.mkdir(parents=True)
        self.state.mkdir()
        self.watch_clock(timedelta(hours=25))
        self.config.write_text(
            f'backup.directory = "{self.path}"\n'
            f'state.directory = "{self.state}"\n'
            f'schedule.timezone = "{zone}"\n'
        )

    def watch_clock(self, span: timedelta) -> None:
        """Let a daemon have watched a steady clock for so long."""
        (self.state / FILE).unlink(missing_ok=True)
        boot, span_s = this_boot(), span.total_seconds()
        Ticks(self.state, Boot(boot.boot_id, lambda: boot.elapsed_s() - span_s)).beat(now() - span)

    def add(
        self,
        days_old: int,
        tiers: Iterable[Tier] = (Tier.MANUAL,),
        content: bytes = b"some pages",
        **changed: Any,  # noqa: ANN401  # passed on
    ) -> Backup:
        """A backup, of which everything is true that its manifest says."""
        made = backup(self.at - timedelta(days=days_old), tiers)
        sha256 = hashlib.sha256(content).hexdigest()
        made = replace(made, **{"size_bytes": len(content), "sha256": sha256, **changed})
        (self.path / made.file).write_bytes(content)
        self.write(made)
        return made

    def write(self, made: Backup) -> None:
        """Write a manifest."""
        (self.path / made.file).with_suffix(".json").write_bytes(manifest.encode(made))

    def read(self, file: str) -> Backup:
        """What a manifest says."""
        return manifest.decode((self.path / file).with_suffix(".json").read_bytes())

    def world(self, at: datetime | None = None) -> World:
        """What recipes work with, at the time for which backups are dated or another one."""
        time = at or self.at
        return replace(world_of(load(self.config)), now=lambda: time)

    def type(self, *words: str) -> int:
        """Run `selfmx-backup` with these words; return its exit code."""
        return enter("selfmx-backup", [*words, "--config", str(self.config)])

    def names(self) -> set[str]:
        """Every name but the lock's, which never goes."""
        return {each.name for each in self.path.iterdir() if each.suffix != ".lock"}
