"""The store that needs no server."""
