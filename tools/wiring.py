"""Draw how sensors, microphone and action are wired to each board, from the pins in its board.toml.

    python tools/wiring.py            # writes docs/wiring/NAME.svg

Knows where lines go on the paper; pins come from the boards' files, so that pictures and defaults are the same.
"""

from pathlib import Path
from xml.sax.saxutils import escape

from kittiwake.boards import catalog, description

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "wiring"
_RED, _BLACK, _BLUE, _GREEN, _ORANGE = "#b3261e", "#333", "#2b5f9e", "#2e7d4f", "#b3541e"
_ROW = 26
_BOARD_X, _BOARD_WIDTH = 380, 240
_PART_WIDTH = 190


def drawing(board: description.Board) -> str:
    """The picture of one board as SVG.

    Args:
        board: with pins; those it lacks are left out.
    """
    left, right = [], []
    pins = board.pins
    if pins.i2c is not None:
        wires = [("VCC", "3V3", _RED), ("GND", "GND", _BLACK), ("SCL", _pin(pins.i2c.scl), _BLUE)]
        left.append(("LIS3DH or MPU-6050", "acceleration, I2C", [*wires, ("SDA", _pin(pins.i2c.sda), _GREEN)]))
    if pins.adc is not None:
        wires = [("V+", "3V3", _RED), ("GND", "GND", _BLACK), ("OUT", _pin(pins.adc), _BLUE)]
        left.append(("analogue sensor", "0 to 3.3 V, never more", wires))
    if pins.i2s is not None:
        wires = [("VDD", "3V3", _RED), ("GND, L/R", "GND", _BLACK), ("SCK", _pin(pins.i2s.sck), _BLUE)]
        wires += [("WS", _pin(pins.i2s.ws), _GREEN), ("SD", _pin(pins.i2s.sd), _ORANGE)]
        right.append(("I2S microphone", "INMP441 and its like", wires))
    if pins.action is not None:
        wires = [("IN, 330 Ω to LED", _pin(pins.action), _ORANGE), ("GND", "GND", _BLACK)]
        right.append(("action", "LED, or a relay's driver", wires))
    height = 150 + max(_height(left), _height(right))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 {height}" font-size="14"'
        ' font-family="Helvetica, Arial, sans-serif">',
        f"<title>{escape(board.title)}: what is wired to which pin</title>",
        f'<rect width="1000" height="{height}" fill="#fff"/>',
        f'<rect x="{_BOARD_X}" y="60" width="{_BOARD_WIDTH}" height="{height - 120}" rx="10" fill="#eef4f8"'
        ' stroke="#9fb8c8"/>',
        _text(500, 28, board.title, "middle", "#2b5670", bold=True),
        f'<path d="M500 {height - 60}V{height - 26}" stroke="#555" stroke-width="3"/>',
        _text(512, height - 30, f"{board.link.port.split(',')[0]}: link and supply", "start", "#555", size=12),
    ]
    for parts, is_left in ((left, True), (right, False)):
        y = 80
        for name, note, wires in parts:
            out += _part(name, note, wires, y, is_left)
            y += _height([(name, note, wires)])
    return "\n".join([*out, "</svg>", ""])


def _part(name: str, note: str, wires: list[tuple[str, str, str]], y: int, is_left: bool) -> list[str]:
    x = 20 if is_left else 1000 - 20 - _PART_WIDTH
    inner, edge = (x + _PART_WIDTH, _BOARD_X) if is_left else (x, _BOARD_X + _BOARD_WIDTH)
    near, far = ("end", "start") if is_left else ("start", "end")
    step = -10 if is_left else 10
    out = [
        f'<rect x="{x}" y="{y}" width="{_PART_WIDTH}" height="{30 + _ROW * len(wires)}" rx="6" fill="#fff"'
        ' stroke="#555"/>',
        _text(x + 10, y + 18, name, "start", "#111", bold=True),
        _text(x, y + 44 + _ROW * len(wires), note, "start", "#555", size=11),
    ]
    for number, (label, pin, colour) in enumerate(wires):
        row = y + 38 + _ROW * number
        out += [
            f'<path d="M{inner} {row}H{edge}" stroke="{colour}" stroke-width="2"/>',
            *(f'<circle cx="{end}" cy="{row}" r="3" fill="{colour}"/>' for end in (inner, edge)),
            _text(inner + step, row + 5, label, near, "#333", size=12),
            _text(edge - step, row + 5, pin, far, "#333", size=12),
        ]
    return out


def _height(parts: list[tuple[str, str, list[tuple[str, str, str]]]]) -> int:
    return sum(74 + _ROW * len(wires) for _, _, wires in parts)


def _pin(pin: int | str | None) -> str:
    if pin is None:
        raise ValueError("a bus without its pin")
    return f"GPIO {pin}" if isinstance(pin, int) else pin


def _text(x: int, y: int, text: str, anchor: str, colour: str, size: int = 14, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" font-size="{size}" fill="{colour}"{weight}>{escape(text)}</text>'
    )


def main() -> None:
    """Write the pictures of all boards that are flashed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in catalog.names():
        board = catalog.find(name)
        if not board.is_virtual:
            (FOLDER / f"{name}.svg").write_text(drawing(board), encoding="utf-8")


if __name__ == "__main__":
    main()
