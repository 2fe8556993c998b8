"""What a process shows of itself: its log, and pages for Prometheus and for probes."""
