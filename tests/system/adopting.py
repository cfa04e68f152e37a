"""An installation in whose directory somebody else has been at work, and one run of adoption.

Run as a program with a configuration's path it repairs, adopts whatever may be adopted, file
after file, and ends: `python -m tests.system.adopting CONFIG`. The daemon does the same.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from selfmx_backupd import log
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.config import load
from selfmx_backupd.jobs.adopt import Adoption
from selfmx_backupd.jobs.backup import back_up_now
from selfmx_backupd.jobs.reconcile import reconcile_alone
from selfmx_backupd.jobs.run import Run, run_job
from selfmx_backupd.jobs.world import World
from selfmx_backupd.model import Progress
from selfmx_backupd.outcomes import Job
from selfmx_backupd.wiring import world_of
from tests.installation import SERVER_PATH, Installation

Result = TypeVar("Result")

LONG_AGO = 1_000_000_000


class AdoptSite(Installation):
    """Backups as the old script took them, and what an operator does to files."""

    def world(self) -> World:
        """What recipes work with, as a process sees it that has just been started."""
        log.set_up()
        return world_of(load(self.config))

    def sql(self, *batches: str) -> None:
        """Run batches as `sa`."""
        connection = self.server.connect("msodbcsql18")
        try:
            for sql in batches:
                cursor = connection.execute(sql)
                while cursor.nextset():
                    pass
        finally:
            connection.close()

    def script(self, stamp: str, database: str = "SelfMX", options: str = "INIT") -> str:
        """What the old script does: a plain BACKUP, without checksums; the file's name."""
        name = f"selfmx_{stamp}.bak"
        self.sql(f"BACKUP DATABASE [{database}] TO DISK = N'{SERVER_PATH}/{name}' WITH {options}")
        self.age(name)
        return name

    def ours(self) -> str:
        """A backup of ours, manual, with its manifest; its name."""
        world = self.world()
        return do(world, Job.BACKUP, lambda run: back_up_now(world, run)).file

    def bak(self, name: str) -> Path:
        return self.backups / name

    def json(self, name: str) -> Path:
        return self.bak(name).with_suffix(".json")

    def manifest(self, name: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.json(name).read_text())
        return content

    def change_manifest(self, name: str, **changed: object) -> dict[str, Any]:
        """Edit a manifest; what it says now."""
        content = {**self.manifest(name), **changed}
        self.json(name).write_text(json.dumps(content))
        return content

    def restart_server(self, *arguments: str) -> None:
        """The same server again, with these faults or none."""
        self.server.stop()
        self.server.args = arguments
        self.server.start()

    def age(self, name: str) -> None:
        """As if nobody had written to it for long."""
        os.utime(self.bak(name), (LONG_AGO, LONG_AGO))

    def move(self, name: str, to: str) -> str:
        """`mv` of the file alone; its new name."""
        self.bak(name).rename(self.bak(to))
        return to

    def copy(self, name: str, to: str) -> str:
        """`cp -p` of the file alone; the copy's name."""
        shutil.copy2(self.bak(name), self.bak(to))
        return to

    def states(self) -> dict[str, str]:
        """Each backup's state."""
        return {each.file: each.state for each in self.world().inventory().entries}

    def empty(self) -> None:
        for path in (*self.backups.iterdir(), *self.state.glob("*")):
            path.unlink()


def do(
    world: World,
    job: Job,
    recipe: Callable[[Run], Result],
    progress: Callable[[Progress], None] = lambda _: None,
) -> Result:
    """A run of a recipe in this process."""
    return run_job(world, job, str(job), recipe, cancel=Cancel(), progress=progress)


def adopt_all(
    world: World, adoption: Adoption, progress: Callable[[Progress], None] = lambda _: None
) -> int:
    """Run the job as long as there is something to do; how often it ran."""
    runs = 0
    while adoption.wants(world, world.inventory()):
        runs += 1
        do(world, Job.VERIFY, lambda run: adoption.adopt_next(world, run), progress)
    return runs


@contextmanager
def unchanged(site: AdoptSite, *names: str) -> Iterator[None]:
    """Hold that what these files hold, and when they were written, stays as it is."""
    before = {name: look(site.bak(name)) for name in names}
    yield
    assert {name: look(site.bak(name)) for name in names} == before


def look(path: Path) -> tuple[bytes, int]:
    return path.read_bytes(), path.stat().st_mtime_ns


def begin(world: World) -> None:
    """What a daemon does first of all, then what it adopts."""
    do(world, Job.VERIFY, lambda run: reconcile_alone(world, run))
    adopt_all(world, Adoption())


if __name__ == "__main__":
    log.set_up()
    begin(world_of(load(Path(sys.argv[1]))))
