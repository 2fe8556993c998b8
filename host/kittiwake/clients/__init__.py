"""Clients of the broker for a person at a terminal: what arrives, and samples sent to a node."""
