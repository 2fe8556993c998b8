"""Vectors of `kittiwake verify`: each is asked by itself."""


def ask(function, argument):
    """Print what a suite's function answers. Its exception is that vector's answer: those behind it are still asked.

    Args:
        function: prints one line.
        argument: of it.
    """
    try:
        function(argument)
    except Exception as error:  # noqa: BLE001 - whatever the firmware raises is to be seen in the report
        print(repr(error))
