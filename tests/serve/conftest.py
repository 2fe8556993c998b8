"""What the tests of the inference service share."""

import pytest

from tests.serve import models
from tests.serve.asking import Asker


@pytest.fixture
def folder(tmp_path):
    """A folder with one model of each form of probabilities."""
    models.put(tmp_path / "anomaly_detector.onnx", models.classifier())
    models.put(tmp_path / "maps.onnx", models.classifier(form="maps"))
    models.put(tmp_path / "column.onnx", models.classifier(form="column"))
    return tmp_path


@pytest.fixture
def asker(folder):
    return Asker(folder, default="anomaly_detector")
