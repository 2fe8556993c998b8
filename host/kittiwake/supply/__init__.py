"""Releases given to devices piece by piece, as they ask for them: over a bridge's links, and over MQTT."""
