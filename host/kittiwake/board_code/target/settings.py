"""Writing a node's settings."""


def write_settings(path, text):
    """Write them in place of what was there.

    Args:
        path: of the file.
        text: JSON.
    """
    with open(path, "w") as file:
        file.write(text)
