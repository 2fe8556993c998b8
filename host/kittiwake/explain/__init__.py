"""What a node's configuration will do, in figures a user must be told before relying on it."""
