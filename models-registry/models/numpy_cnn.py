"""A small convolutional network in NumPy: its layers, their gradients, and Adam.

Arrays are float32 and channels last inside this module. Training is not block code: its bits may
change with the BLAS library, so the ONNX files that it made are committed, not made again.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from cvm.inference.tensor_type import Array

KERNEL = 5
CHANNELS = (1, 8, 16)
CLASSES = 10
FEATURES = 4 * 4 * CHANNELS[2]
"""28 -> conv 24 -> pool 12 -> conv 8 -> pool 4, times the channels."""

PARAMETERS = ("conv1_w", "conv1_b", "conv2_w", "conv2_b", "dense_w", "dense_b")

Weights = dict[str, Array]
"""float32 arrays by the names of `PARAMETERS`; conv weights are [5 * 5 * inputs, outputs]."""


@dataclass(frozen=True, slots=True)
class Activations:
    """What the forward pass leaves for the backward pass, and what quantisation measures."""

    patches1: Array
    conv1: Array
    pool1: Array
    patches2: Array
    conv2: Array
    pool2: Array
    logits: Array


@dataclass(slots=True)
class Adam:
    """Adam (Kingma and Ba, 2015) with the usual constants."""

    step: int = 0
    means: Weights = field(default_factory=dict)
    squares: Weights = field(default_factory=dict)

    def update(self, weights: Weights, gradients: Weights, rate: float) -> None:
        """Move the weights one step against the gradients, in place."""
        self.step += 1
        correction = rate * np.sqrt(1 - 0.999**self.step) / (1 - 0.9**self.step)
        for name, gradient in gradients.items():
            mean = 0.9 * self.means.get(name, np.float32(0)) + np.float32(0.1) * gradient
            square = 0.999 * self.squares.get(name, np.float32(0)) + np.float32(0.001) * gradient**2
            weights[name] -= np.float32(correction) * mean / (np.sqrt(square) + np.float32(1e-8))
            self.means[name], self.squares[name] = mean, square


def initial_weights(rng: np.random.Generator) -> Weights:
    """Draw weights by He's rule (He et al., 2015); biases start at zero."""

    def he(inputs: int, outputs: int) -> Array:
        draws: Array = rng.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)
        return draws.astype(np.float32)

    return {
        "conv1_w": he(KERNEL * KERNEL * CHANNELS[0], CHANNELS[1]),
        "conv1_b": np.zeros(CHANNELS[1], np.float32),
        "conv2_w": he(KERNEL * KERNEL * CHANNELS[1], CHANNELS[2]),
        "conv2_b": np.zeros(CHANNELS[2], np.float32),
        "dense_w": he(FEATURES, CLASSES),
        "dense_b": np.zeros(CLASSES, np.float32),
    }


def to_channels_last(images: Array) -> Array:
    """Turn uint8 [n, 1, 28, 28] into float32 [n, 28, 28, 1] between 0 and 1."""
    return images.transpose(0, 2, 3, 1).astype(np.float32) * np.float32(1 / 255)


def patches(x: Array) -> Array:
    """Lay out each 5x5 window as a row: [n, h, w, c] gives [n, h - 4, w - 4, 25 * c] (im2col)."""
    n, height, width, channels = x.shape
    out_h, out_w = height - KERNEL + 1, width - KERNEL + 1
    rows = np.empty((n, out_h, out_w, KERNEL * KERNEL, channels), np.float32)
    for tap in range(KERNEL * KERNEL):
        top, left = divmod(tap, KERNEL)
        rows[:, :, :, tap] = x[:, top : top + out_h, left : left + out_w]
    return rows.reshape(n, out_h, out_w, -1)


def scatter_patches(rows: Array, shape: tuple[int, ...]) -> Array:
    """Add the gradient of each window back to the pixels it came from (col2im)."""
    n, out_h, out_w, _ = rows.shape
    rows = rows.reshape(n, out_h, out_w, KERNEL * KERNEL, shape[3])
    x = np.zeros(shape, np.float32)
    for tap in range(KERNEL * KERNEL):
        top, left = divmod(tap, KERNEL)
        x[:, top : top + out_h, left : left + out_w] += rows[:, :, :, tap]
    return x


def relu_pool(x: Array) -> Array:
    """Take the largest of each 2x2 block, not below zero; Relu and MaxPool commute."""
    rows = np.maximum(x[:, 0::2], x[:, 1::2])
    return np.maximum(np.maximum(rows[:, :, 0::2], rows[:, :, 1::2]), np.float32(0))


def relu_pool_gradient(x: Array, pooled: Array, gradient: Array) -> Array:
    """Send the gradient of `relu_pool` to the largest element of each block."""
    gradient = np.where(pooled > 0, gradient, np.float32(0))
    out = np.empty_like(x)
    for top in (0, 1):
        for left in (0, 1):
            is_largest = x[:, top::2, left::2] == pooled
            out[:, top::2, left::2] = np.where(is_largest, gradient, np.float32(0))
    return out


def forward(weights: Weights, x: Array) -> Activations:
    """Run the network on float32 images [n, 28, 28, 1]."""
    patches1 = patches(x)
    conv1 = patches1 @ weights["conv1_w"] + weights["conv1_b"]
    pool1 = relu_pool(conv1)
    patches2 = patches(pool1)
    conv2 = patches2 @ weights["conv2_w"] + weights["conv2_b"]
    pool2 = relu_pool(conv2)
    logits = pool2.reshape(len(x), -1) @ weights["dense_w"] + weights["dense_b"]
    return Activations(patches1, conv1, pool1, patches2, conv2, pool2, logits)


def backward(weights: Weights, a: Activations, d_logits: Array) -> Weights:
    """Return the gradient of every weight, given that of the logits."""
    n = len(d_logits)
    d_pool2 = (d_logits @ weights["dense_w"].T).reshape(a.pool2.shape)
    d_conv2 = relu_pool_gradient(a.conv2, a.pool2, d_pool2)
    d_pool1 = scatter_patches(d_conv2 @ weights["conv2_w"].T, a.pool1.shape)
    d_conv1 = relu_pool_gradient(a.conv1, a.pool1, d_pool1)
    return {
        "conv1_w": flat(a.patches1).T @ flat(d_conv1),
        "conv1_b": flat(d_conv1).sum(axis=0),
        "conv2_w": flat(a.patches2).T @ flat(d_conv2),
        "conv2_b": flat(d_conv2).sum(axis=0),
        "dense_w": a.pool2.reshape(n, -1).T @ d_logits,
        "dense_b": d_logits.sum(axis=0),
    }


def flat(x: Array) -> Array:
    """Join all axes but the last."""
    return x.reshape(-1, x.shape[-1])


def loss_and_gradient(logits: Array, labels: Array) -> tuple[float, Array]:
    """Return the mean cross entropy and its gradient with respect to the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    exponents = np.exp(shifted)
    chances = exponents / exponents.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = -float(np.mean(np.log(chances[rows, labels] + np.float32(1e-12))))
    chances[rows, labels] -= 1
    return loss, chances / np.float32(len(labels))


def train_step(weights: Weights, adam: Adam, x: Array, labels: Array, rate: float) -> float:
    """Improve the weights on one batch, in place; returns the loss before the step."""
    activations = forward(weights, x)
    loss, d_logits = loss_and_gradient(activations.logits, labels)
    adam.update(weights, backward(weights, activations, d_logits), rate)
    return loss


def shift_images(images: Array, rng: np.random.Generator) -> Array:
    """Move each image by up to two pixels in each direction, filling with zeros."""
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)))
    moved = np.empty_like(images)
    tops, lefts = rng.integers(0, 5, (2, len(images)))
    for i, (top, left) in enumerate(zip(tops, lefts, strict=True)):
        moved[i] = padded[i, top : top + 28, left : left + 28]
    return moved


def count_correct(weights: Weights, batches: Iterable[tuple[Array, Array]]) -> int:
    """Count the images whose largest logit (the lowest index of a tie) is their label."""
    return sum(
        int(np.sum(forward(weights, x).logits.argmax(axis=1) == labels)) for x, labels in batches
    )
