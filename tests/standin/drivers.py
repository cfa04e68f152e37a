"""The ODBC drivers of this machine, and how each wants to be told where to connect."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

DEBIAN_FREETDS = Path("/usr/lib/x86_64-linux-gnu/odbc/libtdsodbc.so")
_MICROSOFT_WHEEL = "libs/linux/debian_ubuntu/x86_64/lib"


@dataclass(frozen=True, slots=True)
class Where:
    """What a connection string is made of."""

    port: int
    user: str
    password: str
    database: str
    program: str


@dataclass(frozen=True, slots=True)
class Driver:
    """One ODBC driver: its short name, its library, and why it is missing if it is."""

    name: str
    library: Path | None
    missing_because: str = ""

    def connection_string(self, where: Where) -> str:
        """For an encrypted session with a server on the loopback."""
        if self.library is None:
            raise LookupError(self.missing_because)
        shared = f"DRIVER={{{self.library}}};UID={where.user};DATABASE={where.database};"
        if self.name == "freetds":
            # FreeTDS takes braces around a password literally.
            return (
                f"{shared}SERVER=127.0.0.1;PORT={where.port};PWD={where.password};"
                f"TDS_Version=7.4;Encryption=require;APP={where.program}"
            )
        quoted = where.password.replace("}", "}}")
        return (
            f"{shared}SERVER=tcp:127.0.0.1,{where.port};PWD={{{quoted}}};"
            f"Encrypt=yes;TrustServerCertificate=yes;APP={where.program}"
        )


def microsoft() -> Driver:
    """Microsoft's ODBC Driver 18, from the wheel mssql-python-odbc."""
    spec = importlib.util.find_spec("mssql_python_odbc")
    if spec is None or spec.origin is None:
        return Driver("msodbcsql18", None, "the package mssql-python-odbc is not installed")
    directory = Path(spec.origin).parent / _MICROSOFT_WHEEL
    libraries = sorted(directory.glob("libmsodbcsql-18*.so*"))
    if not libraries:
        return Driver("msodbcsql18", None, f"no libmsodbcsql-18 in {directory}")
    return Driver("msodbcsql18", libraries[-1])


def freetds() -> Driver:
    """FreeTDS, from Debian's package tdsodbc."""
    if not DEBIAN_FREETDS.exists():
        return Driver("freetds", None, f"{DEBIAN_FREETDS} is missing (Debian: tdsodbc)")
    return Driver("freetds", DEBIAN_FREETDS)


def known() -> dict[str, Driver]:
    """Both drivers by their short names, `msodbcsql18` and `freetds`."""
    return {driver.name: driver for driver in (microsoft(), freetds())}
