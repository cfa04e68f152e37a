"""A stand-in for SQL Server that speaks TDS to real drivers, for demo and tests only.

It may only do what a real server was seen or documented to do. Every behaviour
names its source:

    capture     what SQL Server 2022 (16.0.4236.2, Linux container) put on the wire
    capture25   the same, from SQL Server 2025
    docs        Microsoft's reference pages and the dump of sys.messages
    report      output of a real server that somebody else published
    inferred    a deduction that nobody has checked; product code must be right both ways

A statement that it does not know is an error, never silence.
"""
