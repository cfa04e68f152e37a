"""The rules of the house that neither ruff nor import-linter holds."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGE = REPOSITORY / "selfmx_backupd"
LONGEST_FILE = 300
LONGEST_FUNCTION = 40

OURS = {
    path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(PACKAGE.rglob("*.py"))
}
EVERY = {
    path.relative_to(REPOSITORY).as_posix(): path.read_text(encoding="utf-8")
    for directory in ("selfmx_backupd", "tests")
    for path in sorted((REPOSITORY / directory).rglob("*.py"))
}

# Third-party packages and the modules, or folders of modules, that may import them.
HOMES = {
    "pyodbc": ("adapters/mssql/",),
    "apscheduler": ("adapters/timers.py",),
    "sdnotify": ("adapters/systemd.py",),
    "pydantic": ("config.py",),
    "pydantic_core": ("config.py",),
    "pydantic_settings": ("config.py",),
    "structlog": ("log.py", "jobs/run.py"),
    "tqdm": ("cli/progress.py",),
    "tzlocal": ("wiring.py",),
}
CLOCKS = {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}
CLOCKS |= {("time", "time"), ("time", "time_ns")}


def imported(source: str) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Each function and its length in lines; decorators and docstring left aside."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            words = ast.get_docstring(node, clean=False)
            told = words.count("\n") + 1 if words is not None else 0
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1 - told


def clocks(source: str) -> Iterator[str]:
    """Every look at the wall clock, `datetime.now` or `dt.datetime.now`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
            if (name, node.attr) in CLOCKS:
                yield f"{name}.{node.attr}"


@pytest.mark.parametrize("name", EVERY)
def test_a_file_can_be_read_in_one_go(name: str) -> None:
    assert EVERY[name].count("\n") <= LONGEST_FILE


@pytest.mark.parametrize("name", EVERY)
def test_a_function_fits_on_a_screen(name: str) -> None:
    long = {each: lines for each, lines in functions(EVERY[name]) if lines > LONGEST_FUNCTION}
    assert long == {}


@pytest.mark.parametrize("package", HOMES)
def test_a_third_party_package_has_one_home(package: str) -> None:
    users = {name for name, source in OURS.items() if package in imported(source)}
    assert users
    assert {name for name in users if not name.startswith(HOMES[package])} == set()


def test_the_only_clock_is_in_the_wiring() -> None:
    looks = {name: list(clocks(source)) for name, source in OURS.items()}
    assert {name: found for name, found in looks.items() if found} == {
        "wiring.py": ["datetime.now"]
    }


@pytest.mark.parametrize("name", OURS)
def test_a_module_is_named_for_what_it_does(name: str) -> None:
    vague = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
    assert not vague & set(re.split(r"[/._]", name))


def is_of_the_package(name: str) -> bool:
    """Whether a name between backticks looks like a path or a module of the package."""
    if "/" in name:
        return re.fullmatch(r"(selfmx_backupd/)?([a-z_]+/)+([a-z_]+\.py)?", name) is not None
    return re.fullmatch(r"[a-z_]+\.py|selfmx_backupd(\.[a-z_]+)+", name) is not None


def exists(name: str) -> bool:
    """Whether there is such a file or folder; a bare file's name may be anywhere."""
    path = name.replace(".", "/") if name.startswith("selfmx_backupd.") else name
    here = [PACKAGE / path, REPOSITORY / path, REPOSITORY / f"{path}.py"]
    anywhere = "/" not in name and any(PACKAGE.rglob(name))
    return anywhere or any(each.exists() for each in here)


def test_everything_that_the_architecture_names_exists() -> None:
    text = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")
    names = {name for name in re.findall(r"`([^`\n]+)`", text) if is_of_the_package(name)}
    assert len(names) > 5
    assert {name for name in names if not exists(name)} == set()


def test_a_name_that_does_not_exist_would_be_noticed() -> None:
    assert is_of_the_package("adapters/lock.py")
    assert is_of_the_package("policy/")
    assert is_of_the_package("selfmx_backupd.jobs.run")
    assert not is_of_the_package("/etc/selfmx-backupd/config.toml")
    assert not is_of_the_package("backup.directory")
    assert exists("adapters/lock.py")
    assert exists("lock.py")
    assert exists("selfmx_backupd.jobs.run")
    assert not exists("adapters/diary.py")
    assert not exists("diary.py")
    assert not exists("selfmx_backupd.jobs.walk")
