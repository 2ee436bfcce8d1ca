"""Takeback records every write in a workspace, whoever made it, and takes back exactly what you choose."""

__version__ = "0.1.0"
