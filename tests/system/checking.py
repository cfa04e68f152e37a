"""An installation as README.md has it made, and what `selfmx-backupd check` says of it."""

import json
import os
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.installation import Installation
from tests.standin.process import PASSWORD

SCHEMA = Path(__file__).parents[2] / "packaging" / "json-schemas" / "check.schema.json"
# As README.md has it made; and with less.
LOGINS = (
    *("--login", "selfmx_backup:Secret-1:backup,createdb,viewstate"),
    *("--login", "blind:Secret-1:backup,createdb"),
    *("--login", "reader:Secret-1:createdb,viewstate"),
    *("--login", "writer:Secret-1:backup,viewstate"),
)


def installed(
    root: Path, driver: str = "freetds", *standin: str, user: str = "selfmx_backup"
) -> Installation:
    """An installation as README.md has it typed, on a host whose systemd says that all is well."""
    password = PASSWORD if user == "sa" else "Secret-1"
    site = Installation(
        root, driver=driver, user=user, password=password, standin=(*LOGINS, *standin)
    )
    for path in (site.password_file, site.restore_password_file):
        path.chmod(0o600)
    systemd_says(root)
    return site


def systemd_says(root: Path, *, clock: str = "yes", timer: str = "inactive") -> None:
    """Put what answers in place of this host's systemd on the search path."""
    (root / "bin").mkdir(exist_ok=True)
    for name, answer in (("timedatectl", clock), ("systemctl", timer)):
        (root / "bin" / name).write_text(f"#!/bin/sh\necho {answer}\n")
        (root / "bin" / name).chmod(0o755)


def run(site: Installation, *words: str) -> tuple[int, str]:
    """Exit code and what was printed, all of it on standard output."""
    env = {"PATH": f"{site.root / 'bin'}:{os.environ['PATH']}"}
    done = site.run("selfmx-backupd", "check", *words, env=env)
    assert done.stderr == ""
    return done.returncode, done.stdout


def wrong(site: Installation) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and what is not well by its subject; the document is as its schema says."""
    code, printed = run(site, "--json")
    document = json.loads(printed)
    Draft202012Validator(json.loads(SCHEMA.read_text())).validate(document)
    found = {each["subject"]: each for each in document["checks"] if each["severity"] != "ok"}
    return code, found
