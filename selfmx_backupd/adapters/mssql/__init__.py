"""SQL Server through pyodbc: the only T-SQL and the only ODBC of this program."""
