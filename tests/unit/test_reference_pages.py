"""The site's reference is whole: every verb, option, setting, topic and field of the code is on its page."""

import re

import pytest

from kittiwake import errors
from kittiwake.boards.description import Board
from kittiwake.bridge.settings import Settings
from kittiwake.publish.publisher import KINDS
from kittiwake_node.link import payload
from tools.docs import command_line, markdown, models, pictures, python_api, rooms, topics


def test_command_line_page_has_every_verb_and_every_option():
    page = command_line.page()
    every = list(command_line.verbs())
    assert len(every) >= 30
    for path, command in every:
        assert re.search(rf"^##+ {' '.join(('kittiwake', *path))}$", page, re.M)
        for parameter in command.params:
            if parameter.param_type_name == "option" and "--help" not in parameter.opts:
                assert markdown.code(parameter.opts[0]) in page
    assert "| `--bits` | whole number, 1 to 23 | `12` |" in page
    assert "| `--port`, `-p` | text, repeatable |" in page


def test_command_line_page_has_every_exit_code():
    codes = {int(code.strip("`")) for code, _, _ in command_line.exit_codes()}
    assert codes == {value for name, value in vars(errors).items() if name.startswith("EXIT_")}


def _leaves(schema, definitions):
    for name, part in schema.get("properties", {}).items():
        inner = [part, *part.get("anyOf", ()), *part.get("allOf", ()), part.get("items", {})]
        references = [each["$ref"].rpartition("/")[2] for each in inner if "$ref" in each]
        if references:
            for reference in references:
                yield from _leaves(definitions[reference], definitions)
        else:
            yield name


@pytest.mark.parametrize("model", [Settings, Board])
def test_page_of_a_model_has_every_setting_of_its_schema(model):
    schema = model.model_json_schema()
    wanted = sorted(_leaves(schema, schema["$defs"]))
    shown = sorted(row.name for _, section in models.sections(model) for row in models.rows(section))
    assert len(wanted) > 25
    assert shown == wanted


def test_rows_of_a_model_have_type_unit_default_and_bounds():
    rows = {(name, row.name): row for name, section in models.sections(Settings) for row in models.rows(section)}
    keepalive = rows["[broker]", "keepalive_s"]
    assert (keepalive.kind, keepalive.unit, keepalive.default, keepalive.bounds) == (
        "whole number",
        "s",
        "`15`",
        "2 to 3600",
    )
    assert rows["[confirm]", "cutoff"].bounds == "above 0, at most 1"
    assert rows["[[devices]]", "port"].default == "required"
    assert rows["[[devices]]", "window"].unit == "records"
    assert rows["[broker]", "client_id"].bounds == "at most 64 characters"


def test_every_number_of_a_model_that_is_a_quantity_has_a_unit():
    bare = {
        row.name
        for model in (Settings, Board)
        for _, section in models.sections(model)
        for row in models.rows(section)
        if row.kind in ("whole number", "number") and not row.unit
    }
    # Numbers of things, ids and addresses.
    assert bare <= {
        "cutoff", "output", "offset", "chip_id", "id", "base", "vid", "pid", "storage_address", "romfs_address",
    }  # fmt: skip


def test_topics_page_has_every_kind_and_every_counter():
    page = topics.page()
    formed = topics.messages()
    assert set(formed) == {*KINDS.values(), "opaque"}
    for kind in formed:
        assert f"\n## {kind}\n" in page
    for field in payload.HEALTH_FIELDS:
        assert f"| `{field}` |" in page
    assert {body["detector"] for _, body in formed["alert"]} == {"zscore", "drift", "baseline"}


def test_topics_page_refuses_a_field_that_nobody_explains(monkeypatch):
    formed = topics.messages()
    formed["time"][0][1]["colour"] = "red"
    monkeypatch.setattr(topics, "messages", lambda: formed)
    with pytest.raises(ValueError, match="colour"):
        topics.page()


def test_api_page_has_modules_whose_public_functions_say_what_they_take():
    import importlib

    assert len(python_api.PUBLIC) >= 10
    for name in python_api.PUBLIC:
        assert importlib.import_module(name).__doc__


def test_rooms_page_says_of_every_room_what_it_is_for():
    page = rooms.page()
    assert "| `detect` |" in page
    assert "| `reference` |" in page
    assert not re.search(r"^\| `[^|]*` \|\s*\|", page, re.M)


def test_picture_that_does_not_show_what_its_page_says_is_refused():
    scene = pictures.SCENES["zscore"]
    spans = [span[0] for span in scene.seen.values()]
    pictures.check("zscore", scene, spans)
    with pytest.raises(ValueError, match="spike"):
        pictures.check("zscore", scene, spans[1:])
    with pytest.raises(ValueError, match="slow drift"):
        pictures.check("zscore", scene, [*spans, 2300])
    with pytest.raises(ValueError, match="elsewhere 1"):
        pictures.check("zscore", scene, [*spans, 5])
