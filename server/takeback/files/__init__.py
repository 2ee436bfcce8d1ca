"""Files of a workspace: looked at, read, staged and renamed, never through a link. Knows no history."""
