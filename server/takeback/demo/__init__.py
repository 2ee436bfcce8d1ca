"""The main job, shown and checked on a copy of a repository."""
