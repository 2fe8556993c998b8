"""The journal and what lies beside it, on a file system that is given. No port, no clock, no mount."""
