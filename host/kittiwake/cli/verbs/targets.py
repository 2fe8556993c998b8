"""`kittiwake targets`: where the firmware can run here."""

from kittiwake.cli.output import Json, print_json


def targets(as_json: Json = False) -> None:
    """List where firmware can run here, and why not where it cannot."""
    from kittiwake import target

    rows = []
    for name in target.names():
        problem = target.available(name)
        row = {"target": name, "available": problem is None}
        if problem is not None:
            row |= {"reason": problem.message, "mend": problem.mend}
        rows.append(row)
    if as_json:
        print_json({"targets": rows})
        return
    for row in rows:
        print(f"{row['target']:<20} {'ready' if row['available'] else 'no: ' + row['reason'] + '; ' + row['mend']}")
    print(f"{'PORT':<20} a real board: auto, a path such as /dev/ttyUSB0, id:SERIAL, socket:// or rfc2217://")
