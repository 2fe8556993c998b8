"""Releases: an application for every kind of board of a fleet in one signed file (docs/spec/release.md)."""
