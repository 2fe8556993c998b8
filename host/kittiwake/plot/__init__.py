"""Pictures of a series: its samples, the detector's own threshold, its alarms, and labelled windows."""
