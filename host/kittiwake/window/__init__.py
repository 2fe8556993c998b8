"""The window: what a person sees of a running system, in a browser. A broker's subscriber with pages in front of it."""
