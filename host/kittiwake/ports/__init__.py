"""Serial ports of this machine: opened as byte streams, and what answers on them."""
