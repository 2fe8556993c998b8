"""Detectors, snapshots, summaries, the action in an interrupt: samples become drafted records. Pure."""
