"""The same records as MQTT messages, for a board that speaks to its broker itself. Pure; no clock, no socket."""
