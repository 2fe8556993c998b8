"""Wake words on the unix target: TFLite Micro's outputs value by value, and pymicro_wakeword's decisions."""

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")
pytest.importorskip("pymicro_wakeword", reason="no wheel of pymicro-wakeword for this machine")

from kittiwake.model import wake
from kittiwake.model.run import oracle
from kittiwake.runs import listen
from kittiwake.signals import wav
from kittiwake.target import open_target
from tests.parity import models, wake_words
from tests.support.hil import SOAK

SPOKEN = 40 if SOAK else 4
# pymicro_wakeword's TensorFlow Lite gives other last bits: where a mean is this near its cutoff, that may decide.
MARGIN = 1 / 256
PHRASES = {"alexa": "alexa", "hey_jarvis": "hey jarvis", "hey_mycroft": "hey mycroft", "okay_nabu": "okay nabu"}


@pytest.fixture(scope="module")
def reference():
    with oracle.Oracle() as micro:
        yield wake_words.Reference(micro)


@pytest.fixture(scope="module")
def listener():
    plans = {name: wake.compile_word(wake.find(name), "viper") for name in wake.NAMES}
    with open_target("unix") as board:
        yield listen.Listener(board, plans, "viper", refractory_ms=0, traced=True, from_features=True)


def compared(listener, reference, samples, about):
    """Holds one recording against both references. Returns the names that fired, and those where its own outputs do."""
    integers, floats = wake_words.features(samples)
    expected = reference.hear(floats)
    listener.restart()
    found = list(listener.take(integers))
    trace = listener.close().trace
    for name, heard in expected.items():
        assert list(trace[name]) == heard.outputs, f"{about}: {name} differs from TFLite Micro"
        times = [round((480 + 160 * (3 * i + 2)) / 16000, 6) for i, above in enumerate(heard.above) if above]
        assert [round(d.time_s, 6) for d in found if d.model == name] == times, f"{about}: {name}"
    fired = {d.model for d in found}
    its_fired = {name for name, heard in expected.items() if heard.fired}
    for name in fired ^ its_fired:
        word = reference.words[name]
        away = abs(expected[name].its_peak(word.window) - word.cutoff)
        assert away <= MARGIN, f"{about}: pymicro_wakeword decides else on {name}, {away:.4f} from its cutoff"
    return fired, its_fired


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", wake.NAMES)
def test_spoken_word_gives_tflite_micros_trace_and_pymicro_wakewords_decisions(listener, reference, name):
    pytest.importorskip("espeakng_loader", reason="no wheel of espeakng-loader for this machine")
    from tests.support import voices

    hits = its_hits = tried = 0
    with voices.Voices() as mouth:
        for about, samples in voices.spoken(mouth, PHRASES[name], SPOKEN, seed=8):
            fired, its_fired = compared(listener, reference, samples, about)
            hits += name in fired
            its_hits += name in its_fired
            tried += 1
    assert tried == SPOKEN
    print(f"{name}: fired on {hits} of {tried} spoken, pymicro_wakeword on {its_hits}")


def test_recording_of_each_word_fires_its_own_model_only(listener, reference, data_dir):
    for path in sorted((data_dir / "wake").glob("*.wav")):
        fired, its_fired = compared(listener, reference, wake_words.numpy.array(wav.read_wav(path)), path.name)
        assert fired == its_fired == ({path.stem} & set(wake.NAMES)), path.name


def test_trace_with_a_mutated_weight_is_found_out(reference):
    word = wake.find("alexa")
    plan = bytearray(wake.compile_word(word, "viper"))
    samples = wake_words.numpy.random.default_rng(3).integers(-3000, 3000, 16000).astype("<i2")
    integers, floats = wake_words.features(samples)
    expected = reference.hear(floats)["alexa"].outputs
    for at in range(len(plan) // 2, len(plan) // 2 + 200):
        plan[at] ^= 0x20
    with open_target("unix") as board:
        changed = listen.Listener(
            board, {"alexa": models.resealed(bytes(plan))}, "viper", traced=True, from_features=True
        )
        list(changed.take(integers))
        assert list(changed.close().trace["alexa"]) != expected
