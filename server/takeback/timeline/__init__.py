"""Reading the stack: pages of operations, and what differs between two moments."""
