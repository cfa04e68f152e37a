"""What touches the world: SQL Server, the directory, locks, state, systemd."""
