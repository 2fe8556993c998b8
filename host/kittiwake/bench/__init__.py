"""What the firmware costs on a target, and beside other implementations."""
