"""Keeping histories in order: what must stay, what may go, what is broken, and whose history is whose."""
