"""A node from the outside: a configuration to start from, its schema, and a board that is kept running."""
