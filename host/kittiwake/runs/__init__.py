"""The firmware run over a recording or a live source, from the host."""
