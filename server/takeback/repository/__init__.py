"""A read-only window on the user's repository: the only package that uses GitPython, and it never writes there."""
