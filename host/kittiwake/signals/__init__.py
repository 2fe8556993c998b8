"""Samples from outside: columns of CSV files, WAV files, the computer's microphone, and synthetic vibration."""
