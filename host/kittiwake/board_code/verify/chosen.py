"""The kernels that answer vectors of `kittiwake verify`, and which of their modules did."""

from kittiwake_node import kernels

# Names of the modules that were asked for, such as "viper_zscore".
modules_used = set()


class NotedKernel(kernels.Kernel):
    """A set of kernels that notes each module which it gives."""

    def part(self, stage):
        """As kernels.Kernel.part."""
        module = super().part(stage)
        modules_used.add(module.__name__.split(".")[-1])
        return module


def chosen(name):
    """Load a set of kernels. None comes in another's place: a set that the board refuses fails the vector.

    Args:
        name: one of kernels.SETS, or "assembler": the fastest that a board of this kind has (`fastest`, the host says).
    """
    name = fastest if name == "assembler" else name  # noqa: F821 - set by the host
    kernels.load(name)
    return NotedKernel(name)
