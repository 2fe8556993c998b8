"""SLIP, as RFC 1055 frames packets on a serial line."""

END, ESC, ESC_END, ESC_ESC = 0xC0, 0xDB, 0xDC, 0xDD


def slip(packet):
    """Frame a packet."""
    stuffed = packet.replace(b"\xdb", b"\xdb\xdd").replace(b"\xc0", b"\xdb\xdc")
    return b"\xc0" + stuffed + b"\xc0"


class SlipReader:
    """Packets out of a stream of bytes; what comes before the first END is none."""

    def __init__(self):
        self.reset()

    def reset(self):
        """Begin anew, as after a restart."""
        self._packet, self._escaped = None, False

    def feed(self, data):
        """Take bytes; give the packets that they complete, each as soon as it is complete."""
        for byte in data:
            if byte == END:
                if self._packet:
                    yield bytes(self._packet)
                self._packet, self._escaped = bytearray(), False
            elif self._packet is not None:
                if self._escaped:
                    byte = {ESC_END: END, ESC_ESC: ESC}.get(byte, byte)
                    self._escaped = False
                elif byte == ESC:
                    self._escaped = True
                    continue
                self._packet.append(byte)
