"""Keeping traces: one SQLite file, one process that writes, any number that read."""
