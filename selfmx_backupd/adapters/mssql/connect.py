"""Choosing a driver, and opening a session with it."""

import platform
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from selfmx_backupd.adapters.mssql import failures
from selfmx_backupd.adapters.mssql.odbc import pyodbc
from selfmx_backupd.adapters.mssql.session import Session
from selfmx_backupd.errors import ConfigError, DriverMissing, LoginRefused

_REGISTERED = ("ODBC Driver 18 for SQL Server", "ODBC Driver 17 for SQL Server")
_FREETDS = "FreeTDS"
_CREDENTIAL = "sqlserver-password"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where SQL Server is, and as whom to log in.

    Attributes:
        password_file: Holds the password; read when connecting.
        driver: "auto", a registered driver's name, or the path of a library.
        encrypt: "yes", "no" or "strict".
        login_timeout_s: How long to wait for an answer.
        keys: What the keys of name and password begin with: "" or "restore_".
    """

    host: str
    port: int
    user: str
    password_file: Path
    driver: str
    encrypt: str
    trust_server_certificate: bool
    login_timeout_s: int
    keys: str = ""

    @property
    def password_key(self) -> str:
        """The key that names the password's file."""
        return f"sqlserver.{self.keys}password_file"


@dataclass(frozen=True, slots=True)
class Driver:
    """An ODBC driver: a registered name or the path of a library."""

    name: str

    @property
    def is_freetds(self) -> bool:
        """Whether it wants FreeTDS's keywords rather than Microsoft's."""
        return "tds" in Path(self.name).name.lower()


def choose_driver(wanted: str) -> Driver:
    """The driver to use.

    Args:
        wanted: "auto", a registered driver's name, or the path of a library. "auto" takes
            Microsoft's Driver 18, then 17, then the library of the wheel
            mssql-python-odbc, then FreeTDS.

    Raises:
        DriverMissing: None is there.
    """
    if wanted != "auto":
        return Driver(wanted)
    registered = pyodbc.drivers()
    wheel = _wheel_library()
    candidates = [*(name for name in _REGISTERED if name in registered)]
    candidates += [str(wheel)] if wheel else []
    candidates += [_FREETDS] if _FREETDS in registered else []
    if not candidates:
        raise DriverMissing(
            "no ODBC driver for SQL Server is installed",
            hint="Type: pip install 'selfmx-backupd[msodbc]', or: apt-get install tdsodbc",
        )
    return Driver(candidates[0])


def _wheel_library() -> Path | None:
    """Microsoft's library inside the wheel, for this machine's processor."""
    package = find_spec("mssql_python_odbc")
    if package is None or package.origin is None:
        return None
    machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
    folder = Path(package.origin).parent / "libs" / "linux" / "debian_ubuntu" / machine / "lib"
    return next(iter(sorted(folder.glob("libmsodbcsql-18*.so*"))), None)


def connection_string(target: Target, driver: Driver, password: str, program: str) -> str:
    """The connection string; it holds the password and must never be shown.

    The session starts in master: with the database itself as the initial one an unknown
    or offline database could not be told from a refused login (4060, then 18456).

    Raises:
        ConfigError: The driver cannot do what the configuration asks.
    """
    if driver.is_freetds:
        pairs = _freetds(target, password)
    else:
        pairs = {
            "SERVER": f"tcp:{target.host},{target.port}",
            "UID": _braced(target.user),
            # Braces, with } doubled, let every character through (seen with Driver 18).
            "PWD": _braced(password),
            "Encrypt": target.encrypt,
            "TrustServerCertificate": "yes" if target.trust_server_certificate else "no",
            "MARS_Connection": "no",
            # A silent reconnect would go on without the session's state.
            "ConnectRetryCount": "0",
        }
    pairs = {"DRIVER": _braced(driver.name), **pairs, "DATABASE": "master", "APP": program}
    return ";".join(f"{keyword}={value}" for keyword, value in pairs.items())


def _freetds(target: Target, password: str) -> dict[str, str]:
    # FreeTDS takes braces literally, so a value must be bare and cannot hold a semicolon
    # (seen with FreeTDS 1.3.17).
    if ";" in password + target.user:
        raise ConfigError(
            (f"{target.password_key}: FreeTDS cannot send a name or password with a semicolon",),
            hint="Type: pip install 'selfmx-backupd[msodbc]', or choose another password.",
        )
    if target.encrypt == "strict" or not target.trust_server_certificate:
        raise ConfigError(
            ("sqlserver.driver: FreeTDS can neither check certificates nor encrypt strictly",),
            hint="Type: pip install 'selfmx-backupd[msodbc]'",
        )
    return {
        "SERVER": target.host,
        "PORT": str(target.port),
        "UID": target.user,
        "PWD": password,
        "TDS_Version": "7.4",
        "ClientCharset": "UTF-8",
        "Encryption": "require" if target.encrypt == "yes" else "request",
    }


def _braced(value: str) -> str:
    return "{" + value.replace("}", "}}") + "}"


def read_password(target: Target, credentials_directory: str | None) -> str:
    """The password: the systemd credential, or else the file.

    Args:
        target: Names the file.
        credentials_directory: systemd's CREDENTIALS_DIRECTORY, where there is one.

    Raises:
        ConfigError: Neither can be read, or it is empty.
    """
    path = target.password_file
    if credentials_directory and (Path(credentials_directory) / _CREDENTIAL).exists():
        path = Path(credentials_directory) / _CREDENTIAL
    try:
        password = path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise ConfigError(
            (f"{target.password_key}: cannot read {path}: {(error.strerror or '').lower()}",),
            hint=f"Write the password of {target.user} there, readable by us alone. "
            f"Type: ls -l {path}",
        ) from None
    except UnicodeDecodeError:
        raise ConfigError((f"{target.password_key}: {path} is not UTF-8 text",)) from None
    if not password:
        raise ConfigError((f"{target.password_key}: {path} is empty",))
    return password


def _without(password: str, error: pyodbc.Error) -> pyodbc.Error:
    """The same error, should a driver ever repeat the connection string; none was seen to."""
    words = [str(each) for each in error.args]
    for spelling in (_braced(password), password):
        words = [each.replace(f"PWD={spelling}", "PWD=***") for each in words]
    return type(error)(*words)


def connect(target: Target, program: str, credentials_directory: str | None) -> Session:
    """Open a session in master.

    Args:
        target: Where and as whom.
        program: What the server calls us, so that our orphans can be found.
        credentials_directory: systemd's CREDENTIALS_DIRECTORY, where there is one.

    Raises:
        ServerNotReached: Nobody answers, or the login is refused (LoginRefused).
        ConfigError: The password cannot be read.
    """
    driver = choose_driver(target.driver)
    password = read_password(target, credentials_directory)
    address = f"{target.host}:{target.port}"
    try:
        connection = pyodbc.connect(
            connection_string(target, driver, password, program),
            autocommit=True,  # BACKUP inside a transaction is error 3021
            timeout=target.login_timeout_s,
        )
    except pyodbc.Error as error:
        refusal = failures.while_connecting(_without(password, error), address)
        if isinstance(refusal, LoginRefused) and credentials_directory:
            # systemd copied the password when the service began, into a directory of its name.
            unit = Path(credentials_directory).name.removesuffix(".service")
            refusal.hint = f"{refusal.hint} Has it changed? Type: systemctl restart {unit}"
        if isinstance(refusal, LoginRefused) and target.keys:
            refusal.hint = (refusal.hint or "").replace("sqlserver.", f"sqlserver.{target.keys}")
        # `from None`: what the driver raised may know the connection string.
        raise refusal from None
    return Session(connection, address=address, driver=driver.name)
