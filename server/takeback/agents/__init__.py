"""Agents: how their hooks word what they do, and where their settings lie. Pure, and cheap to import."""
