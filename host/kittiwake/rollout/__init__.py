"""Roll-outs: one release to many boards in waves, each judged by what its boards report before the next begins."""
