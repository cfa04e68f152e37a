"""The commands: one file each, and one door for every error."""
