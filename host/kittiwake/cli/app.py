"""The command `kittiwake`: arguments and printing only.

Data goes to stdout, progress and errors to stderr. Every verb imports its work when it is called, so that `--help` and
usage errors answer at once. This module must not decide anything that a library user could not.
"""

import os
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

import kittiwake
from kittiwake.cli import verbs
from kittiwake.errors import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE, KittiwakeError

app = typer.Typer(
    name="kittiwake",
    help="An edge sentinel on stock MicroPython: exact anomaly detection, every record delivered to MQTT.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    if version:
        print(f"kittiwake {kittiwake.__version__}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


for _verb in verbs.ALL:
    if isinstance(_verb, typer.Typer):
        app.add_typer(_verb)
    else:
        app.command()(_verb)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command without leaving the process.

    Args:
        arguments: what follows the command's name; the process's own when None.

    Returns:
        The exit code: 0 done, 1 failed, 2 usage or configuration, 3 no device, 4 port busy, 5 verification failed.
    """
    try:
        result = app(args=arguments, prog_name="kittiwake", standalone_mode=False)
    except KittiwakeError as error:
        return _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        result = EXIT_INTERRUPTED
    except BrokenPipeError:
        # The reader of our output left (`| head`); stop the interpreter from failing again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    except Exception as error:  # the last line of defence: a traceback is no answer
        if hasattr(error, "format_message"):  # the argument parser's own errors, whose class typer does not export
            verb = getattr(getattr(error, "ctx", None), "command_path", None) or "kittiwake"
            return _fail(f"{error.format_message()} See {verb} --help.".replace("\n", " "), EXIT_USAGE)
        if os.environ.get("KITTIWAKE_TRACEBACK"):
            raise
        problem = f"{type(error).__name__}: {error}".splitlines()[0]
        return _fail(f"internal error: {problem}; this is a bug: KITTIWAKE_TRACEBACK=1 shows where", EXIT_FAILED)
    if result == EXIT_INTERRUPTED:  # typer turns Ctrl-C into this number, or into Abort, depending on its version
        return _fail("interrupted", EXIT_INTERRUPTED)
    return result if isinstance(result, int) else 0


def main() -> None:
    """Run the command on the process's arguments and leave with its exit code."""
    sys.exit(run())


def _fail(line: str, code: int) -> int:
    print(f"kittiwake: {line}", file=sys.stderr)
    return code
