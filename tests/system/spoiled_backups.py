"""Backups that cannot be trusted, and how each one is told."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.system.restore_site import DEVICE, RestoreSite


@dataclass(frozen=True)
class Case:
    """One way to spoil the backup; `error` and `hint` are patterns."""

    name: str
    spoil: Callable[[RestoreSite], None]
    code: int
    error: str
    hint: str = "The list: selfmx-restore"


def bak(site: RestoreSite) -> Path:
    return site.backups / site.file


def remove(site: RestoreSite) -> None:
    bak(site).unlink()


def remove_with_its_manifest(site: RestoreSite) -> None:
    bak(site).unlink()
    bak(site).with_suffix(".json").unlink()


def cut(site: RestoreSite) -> None:
    content = bak(site).read_bytes()
    bak(site).write_bytes(content[: len(content) // 2])


def cut_without_manifest(site: RestoreSite) -> None:
    cut(site)
    bak(site).with_suffix(".json").unlink()


def flip_a_bit(site: RestoreSite) -> None:
    content = bytearray(bak(site).read_bytes())
    content[-1000] ^= 1
    bak(site).write_bytes(content)


def flip_without_manifest(site: RestoreSite) -> None:
    flip_a_bit(site)
    bak(site).with_suffix(".json").unlink()


def make_it_text(site: RestoreSite) -> None:
    bak(site).write_text("Dear diary,\n" * 1000)
    bak(site).with_suffix(".json").unlink()


def make_it_empty(site: RestoreSite) -> None:
    bak(site).write_bytes(b"")
    bak(site).with_suffix(".json").unlink()


def take_it_of_another_database(site: RestoreSite) -> None:
    remove_with_its_manifest(site)
    device = f"{DEVICE}/{site.file}"
    site.sql("CREATE DATABASE Other", f"BACKUP DATABASE Other TO DISK = N'{device}'")
    site.sql("DROP DATABASE Other")


def append_a_second_set(site: RestoreSite) -> None:
    bak(site).with_suffix(".json").unlink()
    site.sql(f"BACKUP DATABASE SelfMX TO DISK = N'{DEVICE}/{site.file}' WITH COMPRESSION")


def change_the_manifest(site: RestoreSite, **changed: object) -> None:
    path = bak(site).with_suffix(".json")
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def give_it_anothers_manifest(site: RestoreSite) -> None:
    path = bak(site).with_suffix(".json")
    backup_set = json.loads(path.read_text())["backup_set"]
    guid = "00000000-0000-0000-0000-000000000001"
    change_the_manifest(site, backup_set={**backup_set, "guid": guid})


def give_it_another_sum(site: RestoreSite) -> None:
    change_the_manifest(site, sha256="0" * 64)


def call_it_damaged(site: RestoreSite) -> None:
    damaged = {"at": "2026-11-24T03:00:00+00:00", "by": "proof", "reason": "a bad page"}
    change_the_manifest(site, damaged=damaged)


def say_a_newer_server(site: RestoreSite) -> None:
    server = {"name": "sqlserver", "version": "17.0.1000.7", "edition": "Developer Edition"}
    change_the_manifest(site, server=server)


def make_it_a_link(site: RestoreSite) -> None:
    elsewhere = site.root / "elsewhere.bak"
    bak(site).rename(elsewhere)
    bak(site).symlink_to(elsewhere)
    bak(site).with_suffix(".json").unlink()


CASES = (
    Case("missing", remove, 6, "there is no backup selfmx_.* in"),
    Case("missing with its manifest", remove_with_its_manifest, 6, "there is no backup selfmx_"),
    Case("cut short", cut, 6, r"selfmx_.* is damaged: its size is \d+ bytes, \d+ were written"),
    Case("cut short and without a manifest", cut_without_manifest, 6, "selfmx_"),
    Case("one bit flipped", flip_a_bit, 6, r"error 3189"),
    Case("flipped and without a manifest", flip_without_manifest, 6, r"3189"),
    Case("not a backup", make_it_text, 6, r"error 3241"),
    Case("an empty file", make_it_empty, 6, r"error 3254"),
    Case(
        "of another database",
        take_it_of_another_database,
        6,
        "holds a backup of Other, not of SelfMX",
    ),
    Case("of two sets", append_a_second_set, 6, "holds 2 backup sets"),
    Case("with another's manifest", give_it_anothers_manifest, 6, "another backup set than its"),
    Case("with another sum", give_it_another_sum, 6, "has not the SHA-256"),
    Case("known to be damaged", call_it_damaged, 6, "selfmx_.* is damaged: a bad page"),
    Case(
        "of a newer server",
        say_a_newer_server,
        5,
        r"was taken from SQL Server 17\.0\.1000\.7, and 16\.0\.4236\.2 can neither prove nor",
        "where that version or a newer one runs",
    ),
    Case("a symbolic link", make_it_a_link, 6, "or it is no regular file"),
)
