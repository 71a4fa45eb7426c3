"""Forms people fill in."""
