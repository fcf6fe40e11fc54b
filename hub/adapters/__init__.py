"""How the house is stored: database, vault, session files, Hub API."""
