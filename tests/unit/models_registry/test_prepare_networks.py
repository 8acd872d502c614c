"""Whole networks: those that the onnx package carries, and damaged files of one of them."""

from pathlib import Path
from random import Random

import onnx
import pytest

from cvm.inference.faults import InvalidModel
from cvm.inference.model_file import parse_model
from models_registry.cli.prepare import CannotPrepare, Options, prepare_model

NETWORKS = Path(onnx.__file__).parent / "backend/test/data/light"


@pytest.mark.parametrize(
    ("name", "macs"),
    [
        pytest.param("bvlc_alexnet", 654_560_384, id="AlexNet"),
        pytest.param("densenet121", 2_834_161_664, id="DenseNet-121"),
        pytest.param("inception_v1", 1_431_556_352, id="Inception v1"),
        pytest.param("inception_v2", 2_018_851_840, id="Inception v2"),
        pytest.param("shufflenet", 124_664_528, id="ShuffleNet"),
        pytest.param("squeezenet", 349_151_936, id="SqueezeNet"),
    ],
)
def test_a_network_of_the_onnx_package_is_prepared(name: str, macs: int) -> None:
    data = (NETWORKS / f"light_{name}.onnx").read_bytes()
    prepared = prepare_model(data, Options()).data
    assert parse_model(prepared).cost.macs == macs
    assert prepare_model(prepared, Options()).data == prepared


def test_a_network_with_more_weights_than_a_model_may_have_is_refused() -> None:
    data = (NETWORKS / "light_vgg19.onnx").read_bytes()
    with pytest.raises((CannotPrepare, InvalidModel), match=r"elements, limit|bytes, limit"):
        parse_model(prepare_model(data, Options()).data)


def test_damaged_files_are_refused_or_prepared() -> None:
    data = (NETWORKS / "light_squeezenet.onnx").read_bytes()
    random = Random(20)
    refused = prepared = 0
    for _ in range(100):
        damaged = bytearray(data)
        for _ in range(random.choice((1, 2, 5))):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        try:
            parse_model(prepare_model(bytes(damaged), Options()).data)
            prepared += 1
        except (CannotPrepare, InvalidModel):
            refused += 1
    assert refused > 30
    assert prepared > 0
