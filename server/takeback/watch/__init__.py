"""Seeing writes that nobody announced: notify (threads, the system's events) and settle (pure)."""
