"""A fleet that is made: the firmware's sessions and records from devices that do not exist, for tests and sizing."""
