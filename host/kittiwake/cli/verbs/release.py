"""`kittiwake release`: keys, and signed files that bring a new application to every board of a fleet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import kittiwake
from kittiwake.cli import broker_options
from kittiwake.cli.output import Json, print_json, progress

if TYPE_CHECKING:
    from kittiwake.release.container import Release
    from kittiwake.release.keys import Signer
    from kittiwake.release.token import Place

_VARIABLE = "KITTIWAKE_RELEASE_PASSPHRASE"
_FROM = f"A file with the passphrase, - for stdin; else {_VARIABLE} of the environment, else it is asked for."
_PassphraseFile = Annotated[str, typer.Option(metavar="FILE", help=_FROM)]
_PIN_VARIABLE = "KITTIWAKE_RELEASE_PIN"
_URI = (
    "A token's: pkcs11:token=NAME;object=NAME?module-path=LIBRARY, and &pin-source=FILE for the PIN, "
    f"else {_PIN_VARIABLE} of the environment, else it is asked for."
)
_File = Annotated[Path, typer.Argument(help="A release, .kwu.")]

group = typer.Typer(name="release", help="Signed releases: make, show and verify them.", no_args_is_help=True)
key_group = typer.Typer(name="key", help="Keys that sign releases.", no_args_is_help=True)
group.add_typer(key_group)


@key_group.command("new")
def new_key(
    file: Annotated[Path, typer.Argument(help="The private key; the public one goes beside it, .pub.")],
    passphrase_file: _PassphraseFile = "",
    token: Annotated[
        str, typer.Option(metavar="URI", help=f"Make it in a token; FILE.pub alone is written. {_URI}")
    ] = "",
    as_json: Json = False,
) -> None:
    """Make a key: the private one encrypted with a passphrase or in a token, the public one to verify by."""
    from kittiwake.errors import UsageError
    from kittiwake.release import keys
    from kittiwake.release import token as tokens

    public, private = keys.public_path(file), token or str(file)
    if token:
        if public.exists():
            raise UsageError(f"{public} is there already", "name another file")
        keys.check_library()
        place = tokens.parse(token)
        modulus = tokens.make(place, _pin(place))
        keys.write_public(public, modulus)
    else:
        modulus = keys.make(file, _new_passphrase(file, passphrase_file))
    name = keys.id_of(modulus).hex()
    if as_json:
        print_json({"key": name, "private": private, "public": str(public)})
    else:
        print(f"key {name}: {private} signs, {public} verifies")


@group.command()
def make(
    output: Annotated[Path, typer.Option("-o", "--output", help="The release, .kwu.")],
    key: Annotated[
        list[str], typer.Option("--key", help=f"The private key that signs, a file or a token's; repeatable. {_URI}")
    ],
    board: Annotated[
        list[str], typer.Option("--board", "-b", help="As kittiwake boards lists it, or an architecture; repeatable.")
    ],
    version: Annotated[str, typer.Option("--version", help="A name for people, 1.4 say.")],
    counter: Annotated[int, typer.Option(help="Above that of every release before.", min=0, max=0xFFFFFFFF)] = 0,
    after: Annotated[Path | None, typer.Option(help="Instead: the release before, whose counter grows by one.")] = None,
    config: Annotated[
        Path | None, typer.Option("-c", "--config", help="The nodes' configuration; else boards keep theirs.")
    ] = None,
    models: Annotated[list[Path] | None, typer.Option("--models", "-m", help="A .kwm file; may be repeated.")] = None,
    trial: Annotated[int, typer.Option(help="Seconds that it has to prove itself on a board.", min=10, max=3600)] = 300,
    notes: Annotated[str, typer.Option(help="What people ought to know, a line.")] = "",
    downgrade: Annotated[bool, typer.Option("--downgrade", help="It may take the place of a later release.")] = False,
    config_alone: Annotated[
        bool, typer.Option("--config-alone", help="Configuration and models; the application that runs stays.")
    ] = False,
    image: Annotated[
        Path | None,
        typer.Option(help="MicroPython's own image for an ESP32 with two partitions, .app-bin: it comes alone."),
    ] = None,
    trust: Annotated[
        list[Path] | None,
        typer.Option(help="A public key that boards with this release trust from then on, and no other; up to 4."),
    ] = None,
    passphrase_file: _PassphraseFile = "",
) -> None:
    """Make a signed release: the same bytes for the same firmware, configuration, options and keys.

    Names, networks, certificates and the places of link and journal are a board's own: a release never changes them.
    """
    from kittiwake.deploy import inputs
    from kittiwake.errors import KittiwakeError, UsageError
    from kittiwake.release import keys
    from kittiwake.release import make as work

    if bool(counter) == (after is not None):
        raise UsageError("name a counter or the release before, one of them", "--counter 1 for the first")
    if after is not None:
        counter = _read(after).head.counter + 1
    order = work.Order(
        version,
        counter,
        board,
        inputs.read_config(inputs.Deployment("", config=config)),
        inputs.read_models(tuple(models or ())),
        trial,
        notes,
        downgrade,
        config_alone,
        keys.joined(trust or ()),
        _image(image) if image else b"",
    )
    signers = [_signer(name, passphrase_file) for name in key]
    raw = work.make(order, signers, _firmware())
    try:
        output.write_bytes(raw)
    except OSError as error:
        raise KittiwakeError(f"{output} cannot be written: {error.strerror}", "name another place with -o") from error
    progress(f"{output}: {len(raw)} bytes, release {version}, counter {counter}")


@group.command()
def show(file: _File, as_json: Json = False) -> None:
    """Tell what a release holds, and that it is whole; whose it is, only `verify` says."""
    release = _read(file)
    facts = _facts(release)
    if as_json:
        print_json(facts)
        return
    head = release.head
    versions = (*head.oldest, *head.newest)
    print(f"release      {head.version}, counter {head.counter}")
    if head.allows_downgrade:
        print("replaces     later releases, too")
    if head.keeps_application:
        print(f"brings       {'MicroPython itself' if head.brings_image else 'configuration'} alone")
    if trusted := _trusted(release):
        print(f"then trusts  {', '.join(trusted)}, no others")
    if head.notes:
        print(f"notes        {head.notes}")
    print(f"trial        {head.trial_s} s")
    print("MicroPython  {}.{} to {}.{}".format(*versions))
    print(f"signed by    {', '.join(each.key_id.hex() for each in release.signatures)} (not verified)")
    for build in head.builds:
        chips = ", ".join(build.chips) or "any chip"
        print(f"build        {build.arch} ({chips}): {build.files} files, {build.size_bytes} bytes")


@group.command()
def verify(
    file: _File,
    key: Annotated[list[Path], typer.Option("--key", help="A public key that is trusted; may be repeated.")],
    as_json: Json = False,
) -> None:
    """Hold a release against public keys and every hash in it; exit 5 when it is not whole or not signed by one."""
    from kittiwake.errors import VerificationError
    from kittiwake.release import keys

    release = _read(file)
    good = [keys.id_of(modulus).hex() for modulus in map(keys.read_public, key) if release.signer(modulus) is not None]
    if not good:
        raise VerificationError(
            f"{file} is whole, and signed by none of these keys", "kittiwake release show names them"
        )
    if as_json:
        print_json({**_facts(release), "verified_by": good})
    else:
        print(f"{file}: release {release.head.version} is whole, signed by {', '.join(good)}")


@group.command()
def serve(
    folder: Annotated[
        Path, typer.Argument(help="With releases, .kwu, as a bridge has it.", exists=True, file_okay=False)
    ],
    broker: broker_options.Broker = "",
    config: broker_options.Config = None,
    base: broker_options.Base = "",
    url: Annotated[
        str,
        typer.Option(help="Where those are fetched from that are named with their sha256 and not there: https://…/"),
    ] = "",
) -> None:
    """Give releases to boards that speak MQTT themselves, until stopped; those behind a bridge get theirs from it.

    Which release a board is to have stands at the broker. Nothing is kept here: it may be stopped at any time.
    """
    import asyncio

    from kittiwake.errors import UsageError
    from kittiwake.observe import logs
    from kittiwake.supply import server

    if url and not (url.startswith("https://") and url.endswith("/")):
        raise UsageError(f"{url} is not where releases are fetched from", "write https://HOST/FOLDER/")
    gateway = broker_options.Gateway.of(config, broker, base)
    logs.set_up("text", "info")
    asyncio.run(server.serve(gateway.broker, gateway.base, str(folder), url))


def _image(path: Path) -> bytes:
    from kittiwake.errors import UsageError

    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", "name MicroPython's .app-bin") from error


def _facts(release: Release) -> dict[str, object]:
    head = release.head
    return {
        "version": head.version,
        "counter": head.counter,
        "notes": head.notes,
        "trial_s": head.trial_s,
        "micropython": [list(head.oldest), list(head.newest)],
        "allows_downgrade": head.allows_downgrade,
        "keeps_application": head.keeps_application,
        "brings_image": head.brings_image,
        "trusts": _trusted(release),
        "signed_by": [each.key_id.hex() for each in release.signatures],
        "builds": [
            {
                "arch": build.arch,
                "chips": list(build.chips),
                "bytes": build.size_bytes,
                "files": {each.path: len(each.content) for each in release.files(number)},
            }
            for number, build in enumerate(head.builds)
        ],
    }


def _trusted(release: Release) -> list[str]:
    """Names of the keys that boards with a release trust from then on; none where it leaves theirs."""
    from kittiwake.release import keys
    from kittiwake_node.update import manifest

    brought = {file.path: file.content for file in release.files(0)}.get(manifest.KEYS, b"")
    return [keys.id_of(modulus).hex() for modulus in keys.split(brought)]


def _read(file: Path) -> Release:
    from kittiwake.release import container

    return container.load(file)


def _firmware() -> dict[str, bytes]:
    return kittiwake.firmware_files()


def _signer(name: str, passphrase_file: str) -> Signer:
    from kittiwake.release import keys
    from kittiwake.release import token as tokens

    if name.startswith(tokens.SCHEME):
        place = tokens.parse(name)
        return tokens.TokenKey(place, lambda: _pin(place))
    return keys.read_private(Path(name), lambda: _passphrase(Path(name), passphrase_file))


def _pin(place: Place) -> bytes:
    from kittiwake.config import credentials

    return credentials.secret(f"PIN of {place.token}", place.pin_file, _PIN_VARIABLE)


def _new_passphrase(path: Path, passphrase_file: str) -> bytes:
    from kittiwake.errors import UsageError

    passphrase = _passphrase(path, passphrase_file)
    is_typed = not passphrase_file and _VARIABLE not in os.environ
    if is_typed and _passphrase(path, passphrase_file) != passphrase:
        raise UsageError("the passphrases differ", "type the same one twice")
    return passphrase


def _passphrase(path: Path, passphrase_file: str) -> bytes:
    from kittiwake.config import credentials

    return credentials.secret(f"passphrase of {path}", passphrase_file, _VARIABLE)
