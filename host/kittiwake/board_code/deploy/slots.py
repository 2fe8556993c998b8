"""Files of a board's slots: told, hashed, removed, written. firmware/main.py reads what is written here."""

import binascii
import hashlib
import json
import os


def mark_number(path):
    """Give the number in a slot's mark.

    Args:
        path: of the mark: a slot that is whole has `ready`.

    Returns:
        It; 0 when the mark is not whole, or not there.
    """
    try:
        with open(path) as file:
            number, check = file.read(32).split()
        return int(number) if int(check, 16) == binascii.crc32(number.encode()) else 0
    except (OSError, ValueError):
        return 0


def files_under(folder, paths):
    """List the files of a folder and of those in it.

    Args:
        folder: one that is not there has none.
        paths: list that they are added to.

    Returns:
        That list.
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return paths
    for name in names:
        path = folder + "/" + name
        if os.stat(path)[0] & 0x4000:
            files_under(path, paths)
        else:
            paths.append(path)
    return paths


def file_hash(path):
    """Give a file's SHA-256.

    Args:
        path: of the file.

    Returns:
        It, in hexadecimal; "" when there is no such file.
    """
    digest = hashlib.sha256()
    piece = bytearray(512)
    try:
        with open(path, "rb") as file:
            while True:
                n = file.readinto(piece)
                if not n:
                    break
                digest.update(memoryview(piece)[:n])
    except OSError:
        return ""
    return binascii.hexlify(digest.digest()).decode()


def file_hashes(paths):
    """Give the SHA-256 of several files.

    Args:
        paths: of the files.

    Returns:
        One of each, as of `file_hash`.
    """
    return [file_hash(path) for path in paths]


def file_content(path):
    """Give a small file's content.

    Args:
        path: of the file.

    Returns:
        It, in base 64; "" when there is no such file.
    """
    if not file_hash(path):
        return ""
    with open(path, "rb") as file:
        return binascii.b2a_base64(file.read()).decode()


def file_piece(path, at, size):
    """Give a piece of a file.

    Args:
        path: of the file.
        at: first byte.
        size: bytes, less at the end.

    Returns:
        It, in base 64.
    """
    with open(path, "rb") as file:
        file.seek(at)
        return binascii.b2a_base64(file.read(size)).decode()


def list_slot(slot, say):
    """Say the hash and path of each file of a slot, by path, but for the mark that it is whole.

    Args:
        slot: its folder.
        say: called with each line.
    """
    for path in sorted(files_under(slot, [])):
        if path != slot + "/ready":
            say(file_hash(path) + " " + path)


def slot_digest(slot):
    """Give the SHA-256 of what `list_slot` says.

    Args:
        slot: its folder.

    Returns:
        It, in hexadecimal.
    """
    digest = hashlib.sha256()
    list_slot(slot, lambda line: digest.update((line + "\n").encode()))
    return binascii.hexlify(digest.digest()).decode()


def slot_bytes(slot):
    """Give the size of a slot's files.

    Args:
        slot: its folder.

    Returns:
        Bytes.
    """
    return sum([os.stat(path)[6] for path in files_under(slot, [])])


def file_system_bytes():
    """Give the size of the root's file system.

    Returns:
        Bytes.
    """
    stat = os.statvfs("/")
    return stat[1] * stat[2]


def remove_file(path):
    """Remove a file that may be there.

    Args:
        path: of the file.
    """
    try:
        os.remove(path)
    except OSError:
        pass


def clear_folder(folder):
    """Remove a folder with all that is in it.

    Args:
        folder: that is there.
    """
    for path in files_under(folder, []):
        remove_file(path)
    for name in os.listdir(folder):
        clear_folder(folder + "/" + name)
    os.rmdir(folder)


def remove_empty_folders(folder):
    """Remove what of a folder holds no file: LittleFS spends two blocks on each.

    Args:
        folder: it stays, itself; one that is not there has none.

    Returns:
        Whether there is nothing in it.
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return True
    for name in names:
        path = folder + "/" + name
        if os.stat(path)[0] & 0x4000 and remove_empty_folders(path):
            os.rmdir(path)
    return not os.listdir(folder)


def sync_files():
    """Have the file system write what it holds back, where it does."""
    if hasattr(os, "sync"):
        os.sync()


def write_text(path, text):
    """Write a small file, and `sync_files`.

    Args:
        path: of the file.
        text: its content.
    """
    with open(path, "w") as file:
        file.write(text)
    sync_files()


def print_json(value):
    """Print a value as JSON.

    Args:
        value: what JSON can carry.
    """
    print(json.dumps(value))
