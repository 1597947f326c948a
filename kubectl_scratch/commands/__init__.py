"""The verbs: one file each, with a function that returns the exit code."""
