"""The demo: a virtual board, a broker, the bridge and a subscriber on one machine, audited against the reference."""
