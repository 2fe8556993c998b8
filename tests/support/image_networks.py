"""Networks on images: MobileNetV1 0.25's shape, as person detection and visual wake words have it; and a small one."""

from kittiwake.bench.cases.made_net import Net
from kittiwake.model.read.graph import Graph

MACS = 7_489_664  # of three colours; published networks have as many
SIDE = 96
# Channels and stride of each pair of a depthwise and a 1 x 1 filter.
_PAIRS = (
    *((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)),
    *[(128, 1)] * 5,
    *((256, 2), (256, 1)),
)


def mobilenet(colours: int) -> Graph:
    """Make a large one with random weights; the same every time.

    Args:
        colours: channels of the image.
    """
    net = Net()
    image = net.tensor((1, SIDE, SIDE, colours), scales=(0.0625,), zero_points=(-1,))
    x = net.convolution(image, (3, 3), (2, 2), 8)
    for channels, stride in _PAIRS:
        x = net.convolution(x, (3, 3), (stride, stride), net.tensors[x].shape[3], depthwise=True)
        x = net.convolution(x, (1, 1), (1, 1), channels)
    return net.ended(image, x, 2)


def first_layers_large(side: int) -> Graph:
    """Make a small one, whose first layers take most; the same every time.

    Args:
        side: rows and columns of the image, of one colour.
    """
    net = Net()
    image = net.tensor((1, side, side, 1), scales=(0.0625,), zero_points=(3,))
    x = net.convolution(image, (3, 3), (1, 1), 8)
    x = net.convolution(x, (3, 3), (1, 1), 8, depthwise=True)
    x = net.convolution(x, (3, 3), (2, 2), 8)
    x = net.convolution(x, (3, 3), (2, 2), 16)
    for _ in range(6):
        x = net.convolution(x, (3, 3), (1, 1), 16)
    return net.ended(image, x, 3)
