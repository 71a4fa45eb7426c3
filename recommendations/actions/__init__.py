"""Writes. One transaction each."""
