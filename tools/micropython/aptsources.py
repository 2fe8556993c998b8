"""Read where this system gets Debian from, and write the same mirrors as source entries for another suite.

Pure but for reading files. Source: sources.list(5), both forms.
"""

from pathlib import Path


def debian_stanzas(apt: Path, os_release: Path) -> list[dict[str, str]]:
    """Find the entries that serve this Debian's main archive.

    Args:
        apt: the folder /etc/apt.
        os_release: the file /etc/os-release, which names the running suite.

    Returns:
        Stanzas with the fields of deb822 (URIs, Suites, Components and, where given, Signed-By), in the order of the
        files; empty when this is not Debian or its sources name no archive of the running suite.
    """
    system = _os_release(os_release)
    if system.get("ID") != "debian":
        return []
    suites = {system.get("VERSION_CODENAME", ""), "stable", "testing", "unstable", "sid"} - {""}
    stanzas = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if path.suffix == ".sources":
            stanzas += parse_deb822(_read(path))
        elif path.suffix == ".list":
            stanzas += parse_one_line(_read(path))
    return [
        stanza
        for stanza in stanzas
        if stanza.get("Enabled", "yes").lower() not in ("no", "false", "0", "off")
        and "main" in stanza.get("Components", "").split()
        and suites & set(stanza.get("Suites", "").split())
    ]


def parse_deb822(text: str) -> list[dict[str, str]]:
    """Read the newer form: paragraphs of `Field: value`, values going on in indented lines."""
    stanzas: list[dict[str, str]] = []
    stanza: dict[str, str] = {}
    field = ""
    for line in [*text.splitlines(), ""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if stanza:
                stanzas.append(stanza)
            stanza, field = {}, ""
        elif line[0] in " \t":
            if field:
                stanza[field] += "\n" + line
        elif ":" in line:
            field, _, value = line.partition(":")
            field = {"uris": "URIs", "signed-by": "Signed-By"}.get(field.lower(), field.capitalize())
            stanza[field] = value.strip()
    return stanzas


def parse_one_line(text: str) -> list[dict[str, str]]:
    """Read the older form: `deb [option=value ...] uri suite component ...`."""
    stanzas = []
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        kind, _, rest = line.partition(" ")
        if kind not in ("deb", "deb-src"):
            continue
        rest = rest.strip()
        stanza = {"Types": kind}
        if rest.startswith("["):
            options, _, rest = rest[1:].partition("]")
            for option in options.split():
                name, _, value = option.partition("=")
                if name.lower() == "signed-by":
                    stanza["Signed-By"] = value.replace(",", " ")
        words = rest.split()
        if len(words) >= 3:
            stanza |= {"URIs": words[0], "Suites": words[1], "Components": " ".join(words[2:])}
            stanzas.append(stanza)
    return stanzas


def source_entries(stanzas: list[dict[str, str]], suite: str) -> str:
    """Write entries for the source packages of `suite` on the mirrors of these stanzas.

    Returns:
        The text of a .sources file; each mirror once.
    """
    entries: dict[str, str] = {}
    for stanza in stanzas:
        lines = ["Types: deb-src", f"URIs: {stanza['URIs']}", f"Suites: {suite}", "Components: main"]
        if "Signed-By" in stanza:
            lines.append(f"Signed-By: {stanza['Signed-By']}")
        entries.setdefault(stanza["URIs"], "\n".join(lines) + "\n")
    return "\n".join(entries.values())


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""  # apt itself skips what it may not read


def _os_release(path: Path) -> dict[str, str]:
    fields = {}
    for line in _read(path).splitlines():
        name, _, value = line.partition("=")
        fields[name] = value.strip().strip("\"'")
    return fields
