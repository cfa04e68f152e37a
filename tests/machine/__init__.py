"""The product under a real systemd: whole Debians, booted in containers.

`roots` makes their file systems, once for each; `machine` boots a throw-away copy of one;
`install` types what README.md says; `service` is one of our units in it.
"""
