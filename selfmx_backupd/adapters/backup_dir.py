"""The backup directory as this host sees it: the only module that touches its files.

What a name or a listing means is decided in `policy.inventory`; this module reads,
writes, renames and removes.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from selfmx_backupd.adapters import files, manifest
from selfmx_backupd.cancel import Cancel
from selfmx_backupd.errors import DirectoryUnusable, NotEnoughSpace
from selfmx_backupd.model import Backup
from selfmx_backupd.policy import inventory
from selfmx_backupd.policy.inventory import BACKUP, LOCK, MANIFEST, PART, PROBE, Listing

_PROBE_MODE = 0o644


@dataclass(frozen=True, slots=True)
class Space:
    """Free and total bytes of the directory's file system."""

    free_bytes: int
    total_bytes: int


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
        listing = self._read_once()
        # A rename while we looked can hide a file under both of its names: look again before
        # anybody calls it missing.
        return self._read_once() if _lacks_a_file(listing) else listing

    def _read_once(self) -> Listing:
        sizes, others, manifests = {}, [], {}
        with self._naming("read"):
            for entry in sorted(os.scandir(self.path), key=lambda each: each.name):
                name = _printable(entry.name)
                if not entry.is_file(follow_symlinks=False):
                    others.append(name)
                    continue
                # A job that holds the lock may rename or remove a file while we look.
                with suppress(FileNotFoundError):
                    size = entry.stat(follow_symlinks=False).st_size
                    stem = name.removesuffix(MANIFEST)
                    if name.endswith(MANIFEST) and inventory.is_stem(stem, self.prefix):
                        manifests[name] = self._read_manifest(name)
                    sizes[name] = size
        return Listing(sizes, tuple(others), manifests)

    def _read_manifest(self, name: str) -> Backup | str:
        try:
            with files.opened(self.path / name) as stream:
                return manifest.decode(stream.read())
        except manifest.UnreadableManifest as error:
            return str(error)

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
        try:
            status = (self.path / name).stat(follow_symlinks=False)
        except FileNotFoundError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def ensure_readable(self, file: str) -> None:
        """A `.part` that SQL Server wrote can be read by us.

        Raises:
            DirectoryUnusable: It cannot; the hint says how to share it.
        """
        with self._naming("read a file in"), files.opened(self._part(file)):
            pass

    def part_written_at(self, file: str) -> float | None:
        """When a `.part` was last written, seconds since the epoch; None if it is gone.

        It tells whether somebody still writes, never how old a backup is.
        """
        try:
            return self._part(file).stat(follow_symlinks=False).st_mtime
        except FileNotFoundError:
            return None

    def sha256(self, name: str, cancel: Cancel) -> str:
        """SHA-256 of a file, as lower-case hex; the wish to stop is heard after each MiB."""
        with self._naming("read a file in"):
            return files.sha256(self.path / name, cancel)

    def write_manifest(self, backup: Backup) -> None:
        """Write a backup's manifest whole."""
        with self._naming("write to"):
            files.write_whole(self._manifest(backup.file), manifest.encode(backup))

    def sync_part(self, file: str) -> bool:
        """Flush a `.part` that SQL Server wrote; a read-only descriptor suffices.

        Returns:
            False where the file system cannot (EINVAL on some network file systems).
        """
        with self._naming("flush a file in"):
            descriptor = os.open(self._part(file), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
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
        target = self.path / file
        with self._naming("rename a file in"):
            if os.path.lexists(target):
                # Never over a file that somebody put there meanwhile.
                raise FileExistsError(
                    errno.EEXIST, "the name has been taken meanwhile", str(target)
                )
            self._part(file).rename(target)
            files.sync_directory(self.path)

    def remove_unfinished(self, file: str) -> None:
        """Remove a `.part`: its manifest first, so that a crash leaves rubbish, not a loss."""
        self._remove(self._manifest(file).name)
        self._remove(self._part(file).name)

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

    @contextmanager
    def _naming(self, what: str) -> Iterator[None]:
        """Translate the system's refusals into errors that name the directory."""
        try:
            yield
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise NotEnoughSpace(
                    f"no space is left in {self.path}", hint=f"Type: df -h {self.path}"
                ) from error
            reason = (error.strerror or str(error)).lower()
            name = f" ({Path(os.fsdecode(error.filename)).name})" if error.filename else ""
            raise DirectoryUnusable(
                f"cannot {what} {self.path}: {reason}{name}", hint=self._hint(error)
            ) from error

    def _hint(self, error: OSError) -> str:
        if error.errno == errno.ENOENT:
            return f"Make the directory, or set backup.directory. Type: ls -ld {self.path}"
        if error.errno in (errno.EACCES, errno.EPERM):
            return (
                "SQL Server writes files of mode 0640, so the directory, its files and we must "
                f"share a group. Type: chgrp selfmx-backupd {self.path} {self.path}/{self.prefix}_*"
                f"; chmod 2770 {self.path}; chmod g+r {self.path}/{self.prefix}_*"
            )
        return f"Type: ls -la {self.path}"


def _lacks_a_file(listing: Listing) -> bool:
    stems = (name.removesuffix(MANIFEST) for name in listing.manifests)
    return any(listing.sizes.keys().isdisjoint((stem + BACKUP, stem + PART)) for stem in stems)


def _printable(name: str) -> str:
    """A name that can be printed and encoded; names of ours are not changed by it."""
    if name.isprintable():
        return name
    text = os.fsencode(name).decode(errors="backslashreplace")
    return text if text.isprintable() else text.encode("unicode_escape").decode()
