"""The backup directory as this host sees it: the only module that touches its files.

What a name or a listing means is decided in `policy.inventory`; this module reads,
writes, renames and removes.
"""

import errno
import os
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from selfmx_backupd.adapters import files, listing, manifest, refusals
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.model import Backup
from selfmx_backupd.policy import inventory
from selfmx_backupd.policy.inventory import ASIDE, BACKUP, LOCK, MANIFEST, PART, PROBE, Listing

_PROBE_MODE = 0o644


@dataclass(frozen=True, slots=True)
class Space:
    """Free and total bytes of the directory's file system."""

    free_bytes: int
    total_bytes: int


@dataclass(frozen=True, slots=True)
class Stamp:
    """Tells whether somebody still writes to a file, never how old a backup is.

    `written_at` is in seconds since the epoch.
    """

    size_bytes: int
    written_at: float


class BackupDir:
    """The directory, with the prefix that our names begin with.

    Attributes:
        path: The directory as this host sees it.
        server_path: The same directory as SQL Server sees it, in its container.
    """

    def __init__(self, path: Path, server_path: str, prefix: str) -> None:
        self.path = path
        self.server_path = server_path
        self.prefix = prefix

    @property
    def lock_path(self) -> Path:
        """The lock that every job holds."""
        return self.path / (self.prefix + LOCK)

    @property
    def probe_path(self) -> Path:
        """The empty file by which both sides find out whether they see the same directory."""
        return self.path / (self.prefix + PROBE)

    def read(self) -> Listing:
        """Read names, sizes and manifests.

        Raises:
            DirectoryUnusable: The directory, or a manifest in it, cannot be read. A
                manifest that we may not read is an error, never an unknown backup.
        """
        seen, closed = self.look()
        if closed:
            with self._naming("read"):
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), closed[0])
        return seen

    def look(self) -> tuple[Listing, tuple[str, ...]]:
        """Read what we may, for whoever only looks.

        Returns:
            The listing without the backups whose manifests we may not read, and the names of
            these manifests.

        Raises:
            DirectoryUnusable: The directory itself cannot be read.
        """
        with self._naming("read"):
            return listing.read(self.path, self.prefix)

    def free_name(self, local: datetime) -> str:
        """The name of a new backup: `<prefix>_YYYYMMDD_HHMMSS.bak`, the first that is free.

        Args:
            local: The start in the schedule's zone.
        """
        while True:
            stem = f"{self.prefix}_{local:%Y%m%d_%H%M%S}"
            # A link that leads nowhere also takes a name: SQL Server would write through it.
            if not any(os.path.lexists(self.path / (stem + e)) for e in (BACKUP, PART, MANIFEST)):
                return stem + BACKUP
            local += timedelta(seconds=1)

    def write_probe(self) -> None:
        """Write the empty probe.

        Everybody may read it: it holds nothing, and SQL Server, which owns the backups
        that it writes, need not share a group with us. Always a new file: root must not
        follow a link that somebody in SQL Server's container may have put there.
        """
        self.remove_probe()
        with self._naming("write to"):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.probe_path, flags, _PROBE_MODE)
            try:
                os.fchmod(descriptor, _PROBE_MODE)
                files.adopt_owner(descriptor, self.path)
            finally:
                os.close(descriptor)

    def remove_probe(self) -> None:
        """Remove the probe, if it is there."""
        with self._naming("remove from"):
            self.probe_path.unlink(missing_ok=True)

    def size_of(self, name: str) -> int | None:
        """Bytes of a regular file; None where there is none of that name, or a link."""
        stamp = self.stamp_of(name)
        return stamp.size_bytes if stamp else None

    def stamp_of(self, name: str) -> Stamp | None:
        """Size and last change of a regular file; None where there is none, or a link."""
        with self._naming("read"):
            try:
                status = (self.path / name).stat(follow_symlinks=False)
            except FileNotFoundError:
                return None
        return Stamp(status.st_size, status.st_mtime) if stat.S_ISREG(status.st_mode) else None

    def ensure_readable(self, file: str) -> None:
        """A `.part` that SQL Server wrote can be read by us.

        Raises:
            DirectoryUnusable: It cannot; the hint says how to share it.
        """
        with self._naming("read a file in"), files.opened(self._part(file)):
            pass

    def sha256(self, name: str, cancel: Cancel, tell: Callable[[int], object]) -> str:
        """SHA-256 of a file, as lower-case hex.

        The wish to stop is heard after each MiB, and `tell` told how many bytes have been read.
        """
        with self._naming("read a file in"):
            return files.sha256(self.path / name, cancel, tell)

    def write_manifest(self, backup: Backup) -> None:
        """Write a backup's manifest whole."""
        with self._naming("write to"):
            files.write_whole(self._manifest(backup.file), manifest.encode(backup))

    def sync(self, name: str) -> bool:
        """Flush a file that somebody else wrote; a read-only descriptor suffices.

        Returns:
            False where the file system cannot (EINVAL on some network file systems).
        """
        with self._naming("flush a file in"):
            descriptor = os.open(self.path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.fsync(descriptor)
            except OSError as error:
                if error.errno in (errno.EINVAL, errno.ENOTSUP):
                    return False
                raise
            finally:
                os.close(descriptor)
        return True

    def publish(self, file: str) -> None:
        """Give a proven `.part` its name."""
        with self._naming("rename a file in"):
            self._ensure_free(file)
            self._part(file).rename(self.path / file)
            files.sync_directory(self.path)

    def set_aside(self, file: str) -> tuple[str, str]:
        """Give a backup and its manifest names that are not ours; return these.

        The file first: killed between the two, it is missing, and the same call ends it.
        """
        manifest_name = self._manifest(file).name
        names = [manifest_name] if self.is_half_aside(file) else [file, manifest_name]
        with self._naming("rename a file in"):
            for name in names:
                self._ensure_free(name + ASIDE)
            for name in names:
                (self.path / name).rename(self.path / (name + ASIDE))
                files.sync_directory(self.path)
        return file + ASIDE, manifest_name + ASIDE

    def is_half_aside(self, file: str) -> bool:
        """Whether `set_aside` was killed between its two renames."""
        return os.path.lexists(self.path / (file + ASIDE)) and self.size_of(file) is None

    def _ensure_free(self, name: str) -> None:
        """Never over a file that somebody put there meanwhile."""
        if os.path.lexists(self.path / name):
            raise FileExistsError(errno.EEXIST, "the name has been taken", str(self.path / name))

    def remove_unfinished(self, file: str) -> None:
        """Remove a `.part`: its manifest first, so that a crash leaves rubbish, not a loss."""
        self._remove(self._manifest(file).name)
        self._remove(self._part(file).name)

    def remove_manifest(self, file: str) -> None:
        """Remove the manifest alone, of a backup that is gone or has another name now."""
        self._remove(self._manifest(file).name)

    def remove_backup(self, file: str) -> None:
        """Remove a backup whose manifest says `going`: the file, then its manifest."""
        self._remove(file)
        self._remove(self._manifest(file).name)

    def remove_leftover(self, name: str) -> None:
        """Remove a temporary file of ours."""
        self._remove(name)

    def _remove(self, name: str) -> None:
        """Unlink through the directory's descriptor: a name, never a path."""
        with self._naming("remove from"):
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=descriptor)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def space(self) -> Space:
        """Free bytes (for us, not for root) and total bytes of the file system."""
        with self._naming("read"):
            status = os.statvfs(self.path)
        return Space(status.f_bavail * status.f_frsize, status.f_blocks * status.f_frsize)

    def server_path_of(self, name: str) -> str:
        """Where SQL Server sees a file of the directory."""
        return f"{self.server_path}/{name}"

    @property
    def server_probe_path(self) -> str:
        """Where SQL Server sees the probe."""
        return self.server_path_of(self.probe_path.name)

    def _part(self, file: str) -> Path:
        return self.path / inventory.part_of(file)

    def _manifest(self, file: str) -> Path:
        return self.path / (file.removesuffix(BACKUP) + MANIFEST)

    def _naming(self, what: str) -> AbstractContextManager[None]:
        """Translate the system's refusals into errors that name the directory."""
        return refusals.translated(what, self.path, self.prefix)
