"""A virtual board that takes releases, and releases for it, of the firmware marked with a version."""

import hashlib
import json
import threading
import time

from kittiwake.deploy import deployment, inputs
from kittiwake.release import container, make
from kittiwake.release.keys import PrivateKey, id_of
from kittiwake.target.unix import UnixTarget
from kittiwake_node.update import manifest
from tests.support import release_keys
from tests.support.deployments import version_of

DEVICE = "kw-release"
RESTART_STATUS = 75


def release(counter, number=None, key=0, damage=None, boards=None, arch=None, firmware=None, **order):
    """A release of a marked firmware: its bytes.

    Args:
        counter: of it.
        number: mark of the firmware; None for the counter.
        key: number of the test key that signs.
        damage: path of a module -> source put behind its own.
        boards: names; None for `arch` alone.
        arch: of the board.
        firmware: path -> source; None for the marked one.
    """
    firmware = dict(firmware or version_of(counter if number is None else number))
    for path, source in (damage or {}).items():
        firmware[path] = firmware[path] + source
    made = make.Order(f"1.{counter}", counter, boards or [arch], **{"trial_s": 20, **order})
    return make.make(made, [PrivateKey(release_keys.private_key(key))], firmware)


def image_release(counter, image, arch):
    """A release of MicroPython's image, for boards that are no ESP32: its bytes."""
    files = {manifest.IMAGE_FILE: image}
    table = container.table_of(files)
    build = manifest.Build(arch, (), 1, len(image), len(table), hashlib.sha256(table).digest())
    flags = manifest.KEEPS | manifest.IMAGE
    raw_head = manifest.pack_head(manifest.Head(flags, counter, 20, (1, 24), (1, 99), f"1.{counter}", "", [build]))
    signer = PrivateKey(release_keys.private_key())
    signature = container.Signature(id_of(signer.modulus), signer.sign(manifest.MAGIC + raw_head))
    return container.pack(raw_head, [signature], [files])


class UpdatedBoard(UnixTarget):
    """A virtual board whose application lies in a slot, and that starts again whenever its node asks for it.

    Args:
        folder: for its files.
        config: of its node.
        keys: numbers of the test keys that it trusts.
        own: what else was provisioned about releases.
    """

    def __init__(self, folder, config, keys=(0,), own=None):
        super().__init__(work_dir=folder)
        self._own = own or {}
        self._node_config = config
        self._keys = keys
        self._is_over = False
        self.starts = 0

    def __enter__(self):
        super().__enter__()
        firmware = version_of(1)
        deployment.deploy_to(
            self, inputs.Deployment("unix", start=False), self._node_config, {}, firmware, lambda t: None
        )
        moduli = b"".join(release_keys.modulus_of(release_keys.private_key(key)) for key in self._keys)
        self.deploy(
            {
                "provision/release-0": moduli,
                "provision.json": json.dumps({"release": {"keys_file": "provision/release-0", **self._own}}).encode(),
            }
        )
        self.start_node()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self._supervisor.start()
        return self

    def __exit__(self, *error):
        self._is_over = True
        self._supervisor.join()
        super().__exit__(*error)

    def _supervise(self):
        while not self._is_over:
            if self._node is not None and self._node.poll() == RESTART_STATUS:
                self.start_node()
                self.starts += 1
            time.sleep(0.02)

    def marks(self):
        """Slot -> marks that it has."""
        names = ("ready", "trial", "tried")
        return {
            slot: {name for name in names if (self.board_dir / slot / name).exists()} for slot in ("app-a", "app-b")
        }


def key_id(number=0):
    return id_of(release_keys.modulus_of(release_keys.private_key(number)))
