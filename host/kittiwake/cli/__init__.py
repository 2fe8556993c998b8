"""The command `kittiwake`: arguments and printing only; the work is in other rooms."""
