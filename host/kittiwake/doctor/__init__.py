"""What is wrong with a board, and what to do: asked of the board piece by piece (ask), then judged (judge)."""
