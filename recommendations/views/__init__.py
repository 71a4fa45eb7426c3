"""Pages of the catalog and the shelves."""
