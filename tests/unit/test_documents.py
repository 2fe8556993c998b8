"""The documents hold: references lead somewhere, and every line of the program that they show can be read by it."""

import re

import pytest

from kittiwake.bridge import command_codec
from tests.support.documents import ROOT, anchors, documents, parse, references, shell_lines
from tools.docs import pictures, root_pages, site

DOCUMENTS = documents()
_GENERATED = ROOT / "docs" / site.FOLDER
_LINES_MOST = 300


@pytest.fixture(scope="module")
def generated():
    """Name of every generated file of the site -> its text."""
    return site.pages() | {f"{name}.svg": "" for name in pictures.SCENES}


def _name(path):
    return str(path.relative_to(ROOT))


def test_documents_are_there():
    names = {_name(path) for path in DOCUMENTS}
    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/index.md", "docs/glossary.md"} <= names
    assert not any(name.startswith(f"docs/{site.FOLDER}/") for name in names)


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_references_of_a_document_lead_somewhere(path, generated):
    broken = []
    for target in references(path.read_text()):
        place, _, anchor = target.partition("#")
        to = (path.parent / place).resolve() if place else path
        if to.parent == _GENERATED:
            text = generated.get(to.name)
        else:
            text = (to.read_text() if to.suffix == ".md" else "") if to.is_file() else None
        if text is None or anchor and anchor not in anchors(text):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_documents_hold_one_concept_each(path):
    assert path.read_text().count("\n") <= _LINES_MOST


def test_readme_is_short():
    assert (ROOT / "README.md").read_text().count("\n") <= 90


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_lines_of_the_program_in_a_document_can_be_read_by_it(path):
    for line in shell_lines(path.read_text(), "kittiwake"):
        parse(line)


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_files_that_a_document_names_are_there(path):
    named = re.findall(r"`((?:\w[\w-]*/)+[\w.-]+\.(?:py|md|toml|S|h|svg))`", path.read_text())
    places = (
        ROOT,
        path.parent,
        ROOT / "firmware/kittiwake_node",
        ROOT / "host/kittiwake",
        ROOT / "firmware",
        ROOT / "firmware/assembler",
    )
    missing = [name for name in named if not any((place / name).exists() for place in places)]
    assert [name for name in missing if "NAME" not in name] == []


def test_documents_show_every_verb():
    shown = {parse(line) for path in DOCUMENTS for line in shell_lines(path.read_text(), "kittiwake")}
    assert len(shown) >= 25


@pytest.mark.parametrize(
    "line",
    [
        "kittiwake fly",
        "kittiwake detect x.csv --colour red",
        "kittiwake bridge chek",
        "kittiwake bridge check --port /dev/ttyUSB0",
        "kittiwake explain a.toml b.toml",
    ],
)
def test_a_line_that_the_program_does_not_know_is_refused(line):
    with pytest.raises(ValueError, match=line.split()[1]):
        parse(line)


@pytest.mark.parametrize(
    ("line", "verb"),
    [
        ("kittiwake", ()),
        ("kittiwake --version", ()),
        ("kittiwake bridge -c gateway.toml  # a comment", ("bridge",)),
        ("kittiwake journal journal.img", ("journal", "show")),
        ("/opt/kittiwake/bin/kittiwake model add okay_nabu -o x.kwm", ("model", "add")),
    ],
)
def test_a_line_of_the_program_gives_its_verb(line, verb):
    assert parse(line) == verb


def test_shell_lines_are_found_in_blocks_and_in_sentences():
    text = "Say `kittiwake\nports`.\n\n    kittiwake watch   # live\n\n```toml\nkittiwake = 1\n```\n\n"
    text += "```\n$ kittiwake boards\n```\n"
    assert shell_lines(text, "kittiwake") == ["kittiwake watch   # live", "kittiwake boards", "kittiwake ports"]


def test_make_targets_in_documents_exist():
    there = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {line.split()[1] for path in DOCUMENTS for line in shell_lines(path.read_text(), "make") if " " in line}
    named = {name for name in named if "=" not in name}
    assert named >= {"demo", "test", "docs", "boards"}
    assert named - there == set()


def test_page_of_commands_has_every_operation_and_every_status():
    text = (ROOT / "docs/howto/commands.md").read_text()
    operations, statuses = text.split("| op |")[1].split("| status |")
    shown = {name for row in re.findall(r"^\| (`.*?) \|", operations, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert shown == command_codec.OPERATIONS
    told = (ROOT / "host/kittiwake/bridge").glob("command_*.py")
    sources = "\n".join(path.read_text() for path in told)
    for status in re.findall(r"^\| `(\w+)` \|", statuses, re.M):
        assert f'"{status}"' in sources


def test_security_contact_is_one_marked_setting():
    text = (ROOT / "SECURITY.md").read_text()
    assert text.count("<!-- SETTING:") == 1
    assert re.search(r"<!-- SETTING:[^>]*-->\nContact: \S", text)
    assert len(re.findall(r"^Contact:", text, re.M)) == 1


def test_pre_commit_fetches_nothing():
    text = (ROOT / ".pre-commit-config.yaml").read_text()
    assert re.findall(r"repo: (\S+)", text) == ["local"]
    programs = re.findall(r"entry: (\S+)", text)
    assert programs
    assert all(program.startswith(".venv/bin/") for program in programs)


def test_pages_from_the_root_refer_to_what_is_there():
    for name, page in root_pages.pages().items():
        for target in references(page):
            place = (_GENERATED / target.partition("#")[0]).resolve()
            assert place.exists() or place.name in root_pages.pages(), f"{name}: {target}"
