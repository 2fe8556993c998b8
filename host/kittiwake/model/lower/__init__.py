"""From operators to steps, one kernel call each: what every operator of TFLite becomes on the board."""
