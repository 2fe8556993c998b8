"""What we use of jumpstarter, which brings some forty packages: it is tried in the soak."""
