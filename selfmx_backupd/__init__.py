"""Verified SQL Server backups for SelfMX: a daemon and three commands."""
