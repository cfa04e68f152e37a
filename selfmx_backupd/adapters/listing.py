"""Reading the backup directory: names, sizes, and what the manifests say."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from selfmx_backupd.adapters import files, manifest
from selfmx_backupd.model import Backup
from selfmx_backupd.policy import inventory
from selfmx_backupd.policy.inventory import BACKUP, MANIFEST, PART, Listing


def read(directory: Path, prefix: str) -> tuple[Listing, tuple[str, ...]]:
    """Read a directory.

    Returns:
        What is there, without the backups whose manifests we may not read, for nobody can
        tell what they are worth; and the names of these manifests.

    Raises:
        OSError: The directory, or a manifest in it, cannot be read for another reason.
    """
    listing, closed = _read_once(directory, prefix)
    # A rename while we looked can hide a file under both of its names: look again before
    # anybody calls it missing.
    return _read_once(directory, prefix) if _lacks_a_file(listing) else (listing, closed)


def _read_once(directory: Path, prefix: str) -> tuple[Listing, tuple[str, ...]]:
    others: list[str] = []
    sizes: dict[str, int] = {}
    manifests: dict[str, Backup | str] = {}
    closed = []
    for entry in _entries(directory):
        name = _printable(entry.name)
        if not entry.is_file(follow_symlinks=False):
            others.append(name)
            continue
        # A job that holds the lock may rename or remove a file while we look.
        with suppress(FileNotFoundError):
            size = entry.stat(follow_symlinks=False).st_size
            if name.endswith(MANIFEST) and inventory.is_stem(name.removesuffix(MANIFEST), prefix):
                try:
                    manifests[name] = _content(directory / name)
                except PermissionError:
                    closed.append(name)
            sizes[name] = size
    hidden = {name.removesuffix(MANIFEST) for name in closed}
    seen = {name: size for name, size in sizes.items() if name.partition(".")[0] not in hidden}
    return Listing(seen, tuple(others), manifests), tuple(closed)


def _entries(directory: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(directory) as entries:
        yield from sorted(entries, key=lambda each: each.name)


def _content(path: Path) -> Backup | str:
    """What a manifest says, or why it cannot be read as one."""
    try:
        with files.opened(path) as stream:
            return manifest.decode(stream.read())
    except manifest.UnreadableManifest as error:
        return str(error)


def _lacks_a_file(listing: Listing) -> bool:
    stems = (name.removesuffix(MANIFEST) for name in listing.manifests)
    return any(listing.sizes.keys().isdisjoint((stem + BACKUP, stem + PART)) for stem in stems)


def _printable(name: str) -> str:
    """A name that can be printed and encoded; names of ours are not changed by it."""
    if name.isprintable():
        return name
    text = os.fsencode(name).decode(errors="backslashreplace")
    return text if text.isprintable() else text.encode("unicode_escape").decode()
