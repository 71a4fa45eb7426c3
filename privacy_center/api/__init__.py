"""The privacy center's part of the API."""
