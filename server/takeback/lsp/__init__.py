"""The language server: decodes what an editor says, asks the core, and encodes what it answers."""
