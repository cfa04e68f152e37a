"""Root file systems of Debian that hold what README.md's installation fetches.

Each is made once and kept in .cache/roots, under a name that says what went into it.
Nothing is fetched after that: the tests run without a network.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tests.machine import cgroups

REPOSITORY = Path(__file__).resolve().parents[2]
CACHE = REPOSITORY / ".cache" / "roots"
SUITES = ("bookworm", "trixie")

# Of README.md, the second driver, and what monitoring types with.
_PACKAGES = (
    *("systemd", "systemd-sysv", "dbus"),
    *("python3-venv", "unixodbc", "libgssapi-krb5-2", "tdsodbc", "sudo"),
)
_LOCK = REPOSITORY / "packaging" / "requirements-dev.lock"
_PROJECT = REPOSITORY / "pyproject.toml"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_OUTWARD = (
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_PROXY", "PIP_CERT"),
    *("SSL_CERT_FILE", "http_proxy", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"),
)
_TOOLS = ("mmdebstrap", "systemd-nspawn", "nsenter", "unshare")
_VENV = "/opt/selfmx-backupd"
_STAND_IN = "/opt/stand-in"
STAND_IN_PYTHON = f"{_STAND_IN}/bin/python"


def missing_because() -> str:
    """Why this machine can boot none, and what to type; empty where it can."""
    if os.geteuid() != 0:
        return "only root can boot a container: sudo make test-system"
    missing = [tool for tool in _TOOLS if shutil.which(tool) is None]
    if missing:
        return f"{', '.join(missing)} is missing: packaging/prepare.sh --with-machines"
    mounting = ("unshare", "--mount", "true")
    may_mount = subprocess.run(mounting, capture_output=True, check=False)
    if may_mount.returncode != 0 or not cgroups.may_make():
        return "root may not mount or make control groups here: use a virtual machine"
    return ""


def root_of(suite: str) -> Path:
    """The root file system of a Debian; it is made where it is missing, in a minute or two.

    Args:
        suite: `bookworm` or `trixie`.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    root = CACHE / f"{suite}-{_what_goes_in(suite)}"
    with (CACHE / f"{suite}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not root.is_dir():
            for old in CACHE.glob(f"{suite}-*"):
                shutil.rmtree(old)
            _make(suite, root)
    return root


def _what_goes_in(suite: str) -> str:
    parts = (suite, *_PACKAGES, *_requirements(), *_constraints(), Path(__file__).read_text())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _requirements() -> tuple[str, ...]:
    """What the product needs, and what builds it."""
    project = tomllib.loads(_PROJECT.read_text())
    extra = project["project"]["optional-dependencies"]["msodbc"]
    return (*project["project"]["dependencies"], *extra, *project["build-system"]["requires"])


def _constraints() -> tuple[str, ...]:
    """The lock's versions; its hashes would be asked of the product itself, too."""
    return tuple(re.findall(r"^[\w.-]+==[^\s\\]+", _LOCK.read_text(), re.MULTILINE))


def _make(suite: str, root: Path) -> None:
    making = root.with_name(f"{suite}-making")
    packages = ",".join(_PACKAGES)
    # The mirror is mmdebstrap's own, or what the host's apt has been told.
    _run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={packages}", suite, str(making))
    (making / "constraints.txt").write_text("\n".join(_constraints()) + "\n")
    inside = (
        *("systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--as-pid2"),
        *(f"--directory={making}", "--resolv-conf=bind-host", *_way_out()),
    )
    for venv, wanted in ((_VENV, _requirements()), (_STAND_IN, ("pysqlbridge",))):
        _run(*inside, "python3", "-m", "venv", venv)
        pip = (f"{venv}/bin/pip", "install", "--quiet", "--constraint=/constraints.txt")
        # First what builds: what comes without a wheel is built with it, and with nothing else.
        _run(*inside, *pip, "setuptools")
        _run(*inside, *pip, "--use-pep517", "--no-build-isolation", *wanted)
    making.rename(root)


def _way_out() -> Iterator[str]:
    """What lets pip fetch in there as it does on this host: its certificates, proxy and index."""
    told = dict(os.environ)
    for key in ("index-url", "extra-index-url", "trusted-host", "proxy"):
        asked = (sys.executable, "-m", "pip", "config", "get", f"global.{key}")
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            told.setdefault(f"PIP_{key.replace('-', '_').upper()}", done.stdout.strip())
    if _CERTIFICATES.exists():
        yield f"--bind-ro={_CERTIFICATES}"
        told |= {"PIP_CERT": str(_CERTIFICATES), "SSL_CERT_FILE": str(_CERTIFICATES)}
    yield from (f"--setenv={name}={told[name]}" for name in _OUTWARD if name in told)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
