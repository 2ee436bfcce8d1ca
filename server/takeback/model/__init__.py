"""Values: ids, paths, file states, operations. No clock, disk, process or randomness."""
