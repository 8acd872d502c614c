"""Turn the trained float32 weights into the integers of the int8 form.

Activations are uint8 with zero point 0, so that saturation at 0 is the Relu; weights are int8,
symmetric, one scale per output channel in the convolutions and one in all for the classifier,
whose int32 sums are the scores and must share one unit. Biases are int32 in the unit of the sum.
"""

from dataclasses import dataclass

import numpy as np

from cvm.inference.tensor_type import Array
from models.numpy_cnn import Weights, forward, to_channels_last

IMAGE_SCALE = np.float32(1 / 255)
SMALLEST_SCALE = np.float32(2.0**-30)
"""Floor for the scale of a channel whose weights are all zero; scales must be normal numbers."""


@dataclass(frozen=True, slots=True)
class QuantisedConv:
    """Integers and scales of one QLinearConv; weights are [outputs, inputs, 5, 5]."""

    input_scale: np.float32
    weights: Array
    weight_scales: Array
    output_scale: np.float32
    bias: Array


@dataclass(frozen=True, slots=True)
class QuantisedDigits:
    """The whole int8 network; `dense_weights` are [256, 10], and a score is in `score_unit`."""

    conv1: QuantisedConv
    conv2: QuantisedConv
    dense_weights: Array
    dense_bias: Array
    score_unit: np.float32


def conv_weights(weights: Weights, layer: str) -> Array:
    """Return the weights of a convolution in ONNX layout [outputs, inputs, rows, columns]."""
    rows = weights[f"{layer}_w"]
    inputs, outputs = rows.shape[0] // 25, rows.shape[1]
    return np.ascontiguousarray(rows.reshape(5, 5, inputs, outputs).transpose(3, 2, 0, 1))


def dense_weights(weights: Weights) -> Array:
    """Return the classifier's weights [256, 10] for features flattened channels first."""
    rows = weights["dense_w"].reshape(4, 4, 16, 10)
    return np.ascontiguousarray(rows.transpose(2, 0, 1, 3).reshape(256, 10))


def quantise(weights: Weights, images: Array) -> QuantisedDigits:
    """Quantise the network; activation ranges are the maxima over `images` (training images)."""
    activations = forward(weights, to_channels_last(images))
    scale1 = np.float32(activations.pool1.max() / np.float32(255))
    scale2 = np.float32(activations.pool2.max() / np.float32(255))
    dense = dense_weights(weights)
    dense_scale = symmetric_scale(dense)
    score_unit = np.float32(scale2 * dense_scale)
    return QuantisedDigits(
        quantise_conv(weights, "conv1", IMAGE_SCALE, scale1),
        quantise_conv(weights, "conv2", scale1, scale2),
        to_int8(dense / dense_scale),
        np.rint(weights["dense_b"] / score_unit).astype(np.int32),
        score_unit,
    )


def quantise_conv(
    weights: Weights, layer: str, input_scale: np.float32, output_scale: np.float32
) -> QuantisedConv:
    """Quantise one convolution, each output channel by its own largest weight."""
    values = conv_weights(weights, layer)
    scales = np.array([symmetric_scale(channel) for channel in values], np.float32)
    bias = np.rint(weights[f"{layer}_b"] / (input_scale * scales)).astype(np.int32)
    return QuantisedConv(
        input_scale, to_int8(values / scales[:, None, None, None]), scales, output_scale, bias
    )


def symmetric_scale(values: Array) -> np.float32:
    """Return the scale at which the largest magnitude becomes 127."""
    return np.float32(max(np.abs(values).max() / np.float32(127), SMALLEST_SCALE))


def to_int8(values: Array) -> Array:
    """Round half to even and saturate at -127 and 127."""
    return np.clip(np.rint(values), -127, 127).astype(np.int8)
