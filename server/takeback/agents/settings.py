"""Where each agent's settings lie."""

AGENTS = ("claude", "codex", "copilot", "cursor", "gemini", "opencode")
