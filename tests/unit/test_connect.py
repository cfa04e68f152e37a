import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from selfmx_backupd.adapters.mssql.connect import (
    Driver,
    Target,
    choose_driver,
    connection_string,
    read_password,
)
from selfmx_backupd.errors import ConfigError

DRIVER_18 = Driver("ODBC Driver 18 for SQL Server")
FREETDS = Driver("FreeTDS")
AWKWARD = "a;b{c}d=e'f g}}"


def target(
    tmp_path: Path = Path("/nowhere"), *, encrypt: str = "yes", trust: bool = True, user: str = "u"
) -> Target:
    return Target(
        host="db",
        port=1433,
        user=user,
        password_file=tmp_path / "password",
        driver="auto",
        encrypt=encrypt,
        trust_server_certificate=trust,
        login_timeout_s=15,
    )


def odbc_pairs(text: str) -> dict[str, str]:
    """What an ODBC driver manager reads: braces hold any character, a brace is doubled."""
    pairs = re.findall(r"(\w+)=(\{(?:[^}]|\}\})*\}|[^;{]*)(?:;|$)", text)
    assert ";".join(f"{key}={value}" for key, value in pairs) == text
    return {
        key: value[1:-1].replace("}}", "}") if value.startswith("{") else value
        for key, value in pairs
    }


def test_microsofts_driver_gets_these_keywords() -> None:
    text = connection_string(target(), DRIVER_18, "secret", "selfmx-backupd/selfmx")
    assert odbc_pairs(text) == {
        "DRIVER": "ODBC Driver 18 for SQL Server",
        "SERVER": "tcp:db,1433",
        "UID": "u",
        "PWD": "secret",
        "Encrypt": "yes",
        "TrustServerCertificate": "yes",
        "MARS_Connection": "no",
        "ConnectRetryCount": "0",
        "DATABASE": "master",
        "APP": "selfmx-backupd/selfmx",
    }


def test_freetds_gets_these_keywords() -> None:
    text = connection_string(target(), FREETDS, "secret", "selfmx-backupd/selfmx")
    assert odbc_pairs(text) == {
        "DRIVER": "FreeTDS",
        "SERVER": "db",
        "PORT": "1433",
        "UID": "u",
        "PWD": "secret",
        "TDS_Version": "7.4",
        "ClientCharset": "UTF-8",
        "Encryption": "require",
        "DATABASE": "master",
        "APP": "selfmx-backupd/selfmx",
    }


@pytest.mark.parametrize("password", [AWKWARD, "}", "{", ";PWD=x", "}};UID=sa", "pass word", "ü"])
def test_microsofts_driver_takes_every_password(password: str) -> None:
    pairs = odbc_pairs(connection_string(target(user=password), DRIVER_18, password, "p"))
    assert (pairs["PWD"], pairs["UID"], pairs["DATABASE"]) == (password, password, "master")


@pytest.mark.parametrize("password", ["a{b}c=d'e f", "}", "{x}", "=", "'"])
def test_freetds_takes_a_password_bare(password: str) -> None:
    text = connection_string(target(), FREETDS, password, "p")
    assert f";PWD={password};TDS_Version=" in text


@pytest.mark.parametrize(("password", "user"), [("Hunter;2", "u"), ("Hunter2", "u;UID=sa")])
def test_freetds_refuses_a_semicolon_and_shows_no_password(password: str, user: str) -> None:
    with pytest.raises(ConfigError) as caught:
        connection_string(target(user=user), FREETDS, password, "p")
    assert caught.value.message.startswith("sqlserver.password_file: FreeTDS cannot send")
    assert "msodbc" in str(caught.value.hint)
    assert "Hunter" not in caught.value.message + str(caught.value.hint)


@pytest.mark.parametrize(("encrypt", "trust"), [("strict", True), ("yes", False)])
def test_freetds_refuses_what_it_cannot_keep(*, encrypt: str, trust: bool) -> None:
    with pytest.raises(ConfigError, match="FreeTDS can neither check certificates nor"):
        connection_string(target(encrypt=encrypt, trust=trust), FREETDS, "p", "p")


@pytest.mark.parametrize(
    ("encrypt", "trust", "microsoft"),
    [("strict", False, ("strict", "no")), ("no", True, ("no", "yes"))],
)
def test_microsofts_driver_is_told_how_to_encrypt(
    *, encrypt: str, trust: bool, microsoft: tuple[str, str]
) -> None:
    chosen = target(encrypt=encrypt, trust=trust)
    pairs = odbc_pairs(connection_string(chosen, DRIVER_18, "p", "p"))
    assert (pairs["Encrypt"], pairs["TrustServerCertificate"]) == microsoft


def test_freetds_encrypts_what_it_can_where_it_need_not() -> None:
    assert ";Encryption=request;" in connection_string(target(encrypt="no"), FREETDS, "p", "p")


@pytest.mark.parametrize(
    ("name", "is_freetds"),
    [
        ("FreeTDS", True),
        ("/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so", True),
        ("ODBC Driver 18 for SQL Server", False),
        ("/opt/tds/libmsodbcsql-18.6.so.1.1", False),
    ],
)
def test_freetds_is_known_by_its_name(name: str, *, is_freetds: bool) -> None:
    assert Driver(name).is_freetds is is_freetds


def test_a_named_driver_is_taken_as_it_is() -> None:
    assert choose_driver("/opt/x.so") == Driver("/opt/x.so")


CHOOSE = """
import sys
if sys.argv[1] == "no-wheel":
    sys.modules["mssql_python_odbc"] = None
from selfmx_backupd.adapters.mssql.connect import choose_driver
from selfmx_backupd.errors import ServerNotReached
try:
    print(choose_driver("auto").name)
except ServerNotReached as error:
    print(error.message, error.hint)
"""


def chosen(tmp_path: Path, registered: tuple[str, ...], wheel: str) -> str:
    """What a process chooses that finds these drivers registered with unixODBC."""
    sections = "".join(f"[{name}]\nDriver=/nowhere.so\n" for name in registered)
    (tmp_path / "odbcinst.ini").write_text(sections)
    answer = subprocess.run(
        [sys.executable, "-c", CHOOSE, wheel],
        env={**os.environ, "ODBCSYSINI": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    return answer.stdout.strip()


EVERY = ("FreeTDS", "ODBC Driver 17 for SQL Server", "ODBC Driver 18 for SQL Server")


@pytest.mark.parametrize(
    ("registered", "wheel", "driver"),
    [
        (EVERY, "wheel", "ODBC Driver 18 for SQL Server"),
        (EVERY[:2], "wheel", "ODBC Driver 17 for SQL Server"),
        (EVERY[:1], "wheel", "libmsodbcsql-18"),
        (EVERY[:1], "no-wheel", "FreeTDS"),
        (("PostgreSQL",), "no-wheel", "no ODBC driver for SQL Server is installed Type: pip"),
    ],
)
def test_auto_takes_the_best_driver_that_is_there(
    tmp_path: Path, registered: tuple[str, ...], wheel: str, driver: str
) -> None:
    assert driver in chosen(tmp_path, registered, wheel)


@pytest.mark.parametrize(
    ("content", "password"),
    [
        (b"secret\n", "secret"),
        (b"secret\r\n", "secret"),
        (b"secret", "secret"),
        (b" se cret \n", " se cret "),
        (b"secret\n\n", "secret\n"),
        ("geheimß\n".encode(), "geheimß"),
    ],
)
def test_a_trailing_newline_is_no_part_of_the_password(
    tmp_path: Path, content: bytes, password: str
) -> None:
    (tmp_path / "password").write_bytes(content)
    assert read_password(target(tmp_path), None) == password


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n"])
def test_an_empty_password_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "password").write_bytes(content)
    with pytest.raises(ConfigError, match=r"sqlserver\.password_file: .*/password is empty"):
        read_password(target(tmp_path), None)


def test_systemds_credential_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("of the file\n")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    assert read_password(target(tmp_path), str(credentials)) == "of the file"
    (credentials / "sqlserver-password").write_text("of systemd\n")
    assert read_password(target(tmp_path), str(credentials)) == "of systemd"


def test_a_password_that_cannot_be_read_names_the_file_and_the_login(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or directory") as caught:
        read_password(target(tmp_path, user="selfmx_backup"), None)
    assert str(tmp_path / "password") in caught.value.message
    assert "selfmx_backup" in str(caught.value.hint)
    (tmp_path / "password").mkdir()
    with pytest.raises(ConfigError, match="is a directory"):
        read_password(target(tmp_path), None)


def test_a_password_that_is_not_utf8_is_refused_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"Hunter\xff2\n")
    with pytest.raises(ConfigError, match="is not UTF-8 text") as caught:
        read_password(target(tmp_path), None)
    assert "Hunter" not in caught.value.message


def test_what_is_wrong_with_the_password_that_restores_is_said_of_its_own_key(
    tmp_path: Path,
) -> None:
    restores = replace(target(tmp_path), keys="restore_")
    with pytest.raises(ConfigError, match=r"sqlserver\.restore_password_file: cannot read"):
        read_password(restores, None)
    for content, problem in ((b"", "is empty"), (b"\xff", "is not UTF-8 text")):
        restores.password_file.write_bytes(content)
        with pytest.raises(ConfigError, match=rf"sqlserver\.restore_password_file: .* {problem}"):
            read_password(restores, None)
    with pytest.raises(ConfigError, match=r"sqlserver\.restore_password_file: FreeTDS"):
        connection_string(restores, FREETDS, "a;b", "x")
