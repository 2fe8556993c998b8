"""Configuration files and secrets of the host: TOML read and checked, with the line at fault."""
