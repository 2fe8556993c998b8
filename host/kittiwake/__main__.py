"""`python -m kittiwake`: the command without its script on PATH."""

from kittiwake.cli.app import main

main()
