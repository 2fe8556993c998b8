"""Imaging: MicroPython's image of a slot's release, on boards that have two places for one."""

from .update import slots


def image_of(fs, slot, is_new=False):
    """Give the image that a slot's release brought, or is to bring.

    Args:
        fs: file system with the slots.
        slot: of the release.
        is_new: it is to bring one.

    Returns:
        update.image.Image; None where there is none.

    Raises:
        StorageError: this board has no second place for an image.
    """
    if not is_new and not slots.read(fs, slot + "/" + slots.IMAGE):
        return None
    from .io import build_facts

    partition = build_facts.partition()
    from .update import image  # ESP32s alone have it

    return image.Image(partition, fs, slot)


def on_trial(fs, slot, trial):
    """Give the trial of a slot's application together with the image that it came with, if any.

    Args:
        fs: file system with the slots.
        slot: on trial.
        trial: update.trial.Trial, of its application.
    """
    image = image_of(fs, slot)
    return image.trial_with(trial) if image else trial


def undo(fs, slot):
    """After the failed trial of a slot's release, have the image before run; see update.image.Image.undo.

    Args:
        fs: file system with the slots.
        slot: whose trial failed.

    Returns:
        Whether the board is to be reset for that.
    """
    image = image_of(fs, slot)
    return image is not None and image.undo()
