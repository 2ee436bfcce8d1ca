"""The MCP server: decodes what an agent calls, asks the core, and encodes what it answers."""
