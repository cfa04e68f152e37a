"""Restoring: check first, harm last.

restore      what the command does under the lock; where to begin reading
beside       the usual way: a checked copy beside the live database, then a swap
in_place     over the live database, for disks that cannot hold both
copy_only    a copy under a name of its own
undo         the swap the other way, and the end of what was kept

survey       what is there and what is asked for, before anything is touched
source       the backup: what its file holds, and its proof
steps        what every way of restoring takes
copying      RESTORE and CHECKDB
adapt        what the live database has and a restored one lacks
swap         names change hands
application  stopping, starting, waiting for health
heal         what an interrupted or failed restore wants
report       what came of it
"""
