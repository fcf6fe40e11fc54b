"""The `vitrine` command: what the office does on the server itself, and the services' entry points."""
