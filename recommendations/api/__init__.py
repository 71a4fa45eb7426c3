"""The catalog's and the shelves' part of the API."""
