"""Verified SQL Server backups for SelfMX: a daemon and its commands."""

__version__ = "0.1.0"
