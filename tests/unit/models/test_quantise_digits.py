"""The integers of the int8 form, and the canonical files that hold them."""

import numpy as np
import onnx
import pytest

from models.digit_graphs import encode, float32_model, int8_model
from models.numpy_cnn import Weights, initial_weights
from models.quantise_digits import (
    QuantisedDigits,
    conv_weights,
    dense_weights,
    quantise,
    symmetric_scale,
    to_int8,
)

IMAGES = np.random.default_rng(3).integers(0, 256, (4, 1, 28, 28), np.uint8)


@pytest.fixture
def weights() -> Weights:
    return initial_weights(np.random.default_rng(4))


@pytest.fixture
def digits(weights: Weights) -> QuantisedDigits:
    return quantise(weights, IMAGES)


@pytest.mark.parametrize(
    ("value", "integer"),
    [
        pytest.param(0.5, 0, id="tie to even, down"),
        pytest.param(1.5, 2, id="tie to even, up"),
        pytest.param(-2.5, -2, id="negative tie"),
        pytest.param(127.6, 127, id="saturates high"),
        pytest.param(-128.0, -127, id="saturates low, symmetric"),
    ],
)
def test_rounds_half_to_even_and_saturates(value: float, integer: int) -> None:
    assert to_int8(np.array([value], np.float32)).tolist() == [integer]


def test_each_channel_uses_the_whole_range(digits: QuantisedDigits) -> None:
    for conv in (digits.conv1, digits.conv2):
        largest = np.abs(conv.weights.astype(np.int32)).max(axis=(1, 2, 3))
        assert largest.tolist() == [127] * len(conv.weights)


def test_a_channel_of_zeros_keeps_a_normal_scale() -> None:
    assert symmetric_scale(np.zeros(25, np.float32)) == np.float32(2.0**-30)


def test_conv_weights_move_from_taps_first_to_outputs_first(weights: Weights) -> None:
    onnx_layout = conv_weights(weights, "conv2")
    assert onnx_layout.shape == (16, 8, 5, 5)
    tap, source, output = 1 * 5 + 3, 6, 11
    assert onnx_layout[output, source, 1, 3] == weights["conv2_w"][tap * 8 + source, output]


def test_dense_weights_follow_features_flattened_channels_first(weights: Weights) -> None:
    row, column, channel = 2, 3, 5
    onnx_row = channel * 16 + row * 4 + column
    trained_row = (row * 4 + column) * 16 + channel
    assert (dense_weights(weights)[onnx_row] == weights["dense_w"][trained_row]).all()


@pytest.mark.parametrize("form", ["float32", "int8"])
def test_encoded_models_are_canonical(form: str, weights: Weights, digits: QuantisedDigits) -> None:
    content = encode(float32_model(weights) if form == "float32" else int8_model(digits))
    parsed = onnx.load_from_string(content)
    assert parsed.SerializeToString(deterministic=True) == content
    assert [(entry.domain, entry.version) for entry in parsed.opset_import] == [("", 21)]
