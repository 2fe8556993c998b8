"""The firmware on a target held against the independent reference."""
