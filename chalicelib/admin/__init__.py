"""Administration: what an operator does to the stack's tables and keys, from the command line."""
