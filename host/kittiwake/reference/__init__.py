"""Independent oracles, written from the definitions in exact arithmetic; they share nothing with the firmware."""
