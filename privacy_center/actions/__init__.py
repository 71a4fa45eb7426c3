"""Writes. One transaction each: lock, check, write, tell the holders."""
