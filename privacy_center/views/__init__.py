"""Pages of the privacy center."""
