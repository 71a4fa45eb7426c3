"""Reads. Questions about consent always go to the database; there is no cache to go stale."""
