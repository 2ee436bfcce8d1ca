"""Measures Takeback beside the tools that do the same work, and prints its budgets."""
