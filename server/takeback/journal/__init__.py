"""The append-only record of operations: SQLite, checksummed rows, and a second copy beside it."""
