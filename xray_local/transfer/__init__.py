"""Traces out to files and in from files."""
