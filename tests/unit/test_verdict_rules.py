"""Which rule hears a device's keyword; `[confirm]` is short for such rules."""

from kittiwake.bridge.settings import Settings
from kittiwake.bridge.verdicts import Judges
from kittiwake.config import load
from kittiwake.decide.settings import RuleSection
from tests.unit.test_verdicts import SECTION, Bench, asynchronous, settle


@asynchronous
async def test_rule_of_another_device_has_no_word_heard_and_the_first_that_is_for_it_does():
    bench = Bench()
    rules = [
        {"name": "other", "model": "/models/other.tflite", "devices": ["hall-*"]},
        {"name": "own", "model": "/models/own.tflite", "devices": ["dev-*"]},
    ]
    hear = {"keyword": "okay_nabu", "cutoff": 0.95}
    made = [RuleSection.model_validate({"kind": "keyword", "hear": hear, **rule}) for rule in rules]
    bench.judges = Judges([*made, *SECTION.rules()], bench.ears)
    bench.restart()
    bench.ears.answer.set()
    bench.add_word()
    await settle()
    (told,) = [body for body in bench.bodies() if body["kind"] == "keyword"]
    assert (told["verdict"], told["verdict_model"]) == ("rejected", "own.tflite")
    assert bench.judges.opinion("hall-1", "okay_nabu").model == "/models/other.tflite"
    assert bench.judges.opinion("lamp-1", "okay_nabu").hear.cutoff == 0.6  # [confirm] stands for every device
    assert bench.judges.opinion("dev-1", "alexa") is None


def test_confirm_is_short_for_rules():
    text = '[confirm]\nmodels = {okay_nabu = "a.tflite"}\ncutoff = 0.6\n[[devices]]\nport = "auto"\n'
    rule = (
        '[[decide.rules]]\nname = "confirm-0"\nkind = "keyword"\nmodel = "a.tflite"\n'
        'hear = {keyword = "okay_nabu", cutoff = 0.6}\n[[devices]]\nport = "auto"\n'
    )
    short, long = (load.parse(each, Settings, {}, "x").opinions() for each in (text, rule))
    assert short == long and len(long) == 1
