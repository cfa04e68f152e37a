"""Looks for what would one day spoil a backup or a restore, before it does.

Begin with `check.py`; `policy/traps.py` judges.
"""
