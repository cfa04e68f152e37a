"""The one door to pyodbc, whose wheel cannot even be imported without libodbc.so.2."""

from selfmx_backupd.errors import DriverMissing

try:
    import pyodbc
except ImportError as error:
    raise DriverMissing(
        f"the ODBC driver manager is missing: {error}",
        hint="Type: apt-get install unixodbc libgssapi-krb5-2",
    ) from error

# A pooled connection could be handed out while the server still ends our last BACKUP.
# It is read once, at the first connect.
pyodbc.pooling = False

__all__ = ["pyodbc"]
