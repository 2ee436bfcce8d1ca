"""Everything the front ends see: open a workspace, and the verbs on it, in plain data."""
