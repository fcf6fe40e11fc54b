"""The gate: the only way between a browser and a desk, and between a desk and the portal.

It holds no data at rest. All it knows of a session stands in the session's file, so it can be killed and
started again while desks go on. The door of this room is `hub.gate.app.serve`.
"""
