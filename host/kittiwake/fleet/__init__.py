"""The fleet: which devices there are behind one broker, what they run, and which groups they belong to."""
