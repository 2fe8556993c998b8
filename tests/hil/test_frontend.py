"""The firmware's front end over minutes of audio, one state for all of it, against pymicro-features."""

import base64
import binascii
import random
from array import array

import pytest

pytest.importorskip("pymicro_features", reason="no wheel of pymicro-features for this machine")
pytest.importorskip("espeakng_loader", reason="no wheel of espeakng-loader for this machine")

import pymicro_features

from kittiwake.verify.suites.frontend import sound
from tests.support import voices
from tests.support.hil import SOAK, fastest_kernel

_PIECE = 1600
_RUN = 5 * 16000  # samples of one kind
_SHORT_RUN = 4 * _PIECE
_TEXT = "the pump in hall four is quiet today, check the bearing before noon, oil pressure fell by two bar"
_ON_BOARD = """
from array import array
from binascii import a2b_base64, crc32
from kittiwake_node import kernels
from kittiwake_node.speech.frontend import Frontend
def _open(kernel):
    global _f, _wanted
    _f = Frontend(kernels.load(kernel))
    _wanted = 480
def _piece(text, size):
    global _wanted
    buf = array('h', a2b_base64(text))
    at = count = crc = 0
    while at < len(buf):
        stop = min(at + size, len(buf))
        while at < stop:
            new = _f.feed(buf, at, stop)
            _wanted -= new - at
            at = new
            if not _wanted:
                _wanted = 160
                count += 1
                crc = crc32(_f.features, crc)
    print(count, crc & 0xffffffff)
"""


def recording(seconds, seed=23):
    """Tenths of a second of speech and of every kind of `sound`: noise, tones, clipping, DC, impulses, silence."""
    rng = random.Random(seed)
    given = 0
    with voices.Voices() as mouth:
        while given < seconds * 16000:
            samples = array("h", sound(rng, _RUN if seconds >= 60 else _SHORT_RUN))
            if rng.random() < 0.4:
                said = mouth.say(_TEXT, rng.choice(voices.VOICES), rng.randint(120, 220), rng.randint(20, 80))
                gain, noise = rng.choice((0.1, 0.5, 1.0, 4.0)), rng.choice(voices.NOISES)
                samples = array("h", voices.staged(said, noise=noise, gain=gain, seed=given).tobytes())
            for at in range(0, len(samples) // _PIECE * _PIECE, _PIECE):
                yield samples[at : at + _PIECE]
                given += _PIECE


def checksum(frames):
    """Of frames of features, floats of pymicro-features, as the firmware's integers."""
    return binascii.crc32(b"".join(round(f * 25.6).to_bytes(2, "little") for features in frames for f in features))


class Oracle:
    """pymicro-features over pieces of audio."""

    def __init__(self):
        self._frontend = pymicro_features.MicroFrontend()

    def hear(self, piece):
        """Frames that a piece completes. It takes whole steps of 160 samples only, as pieces are."""
        raw, frames = piece.tobytes(), []
        for at in range(0, len(raw), 320):
            made = self._frontend.process_samples(raw[at : at + 320])
            assert made.samples_read == 160
            if made.features:
                frames.append(made.features)
        return frames


def said_of(board, piece, size):
    text = base64.b64encode(piece.tobytes()).decode()
    return tuple(map(int, board.exec(f"_piece({text!r}, {size})", 60).split()))


def assert_alike(board, seconds):
    rng, oracle, frames = random.Random(24), Oracle(), 0
    board.reboot()
    board.exec(_ON_BOARD + f"_open({fastest_kernel(board)!r})")
    for place, piece in enumerate(recording(seconds)):
        expected = oracle.hear(piece)
        found = said_of(board, piece, rng.choice((1, 7, 159, 160, 161, 480, 4096)))
        assert found == (len(expected), checksum(expected)), f"in tenth {place} of a second"
        frames += found[0]
    assert frames >= seconds * 100 - 2
    print(f"{board.name}: {frames} frames alike, {frames / 6000:.1f} minutes")


@pytest.mark.timeout(3600 if SOAK else 240)
def test_frontend_over_changing_audio_gives_pymicro_features_integers(board):
    short, long = (60, 600) if board.name == "unix" else (0.5, 60)  # a console is slow
    assert_alike(board, long if SOAK else short)


def test_frontend_with_one_weight_of_its_window_changed_is_found(board):
    rng = random.Random(25)
    piece = array("h", [round(rng.gauss(0, 4000)) for _ in range(_PIECE)])
    frames = Oracle().hear(piece)
    board.exec(_ON_BOARD + f"_open({fastest_kernel(board)!r})")
    assert said_of(board, piece, _PIECE) == (len(frames), checksum(frames))
    board.exec(f"_open({fastest_kernel(board)!r})\n_f._shape[240] += 64")
    assert said_of(board, piece, _PIECE)[1] != checksum(frames)
