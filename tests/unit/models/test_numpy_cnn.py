"""The layers of the training network and their gradients."""

import numpy as np
import pytest

from models.numpy_cnn import (
    PARAMETERS,
    Adam,
    backward,
    forward,
    initial_weights,
    loss_and_gradient,
    patches,
    relu_pool,
    relu_pool_gradient,
    scatter_patches,
    train_step,
)

STEP = np.float32(1e-3)
LABELS = np.array([1, 2, 3, 4])


def test_patches_lists_each_window_row_by_row() -> None:
    x = np.arange(36, dtype=np.float32).reshape(1, 6, 6, 1)
    rows = patches(x)
    assert rows.shape == (1, 2, 2, 25)
    assert rows[0, 1, 1, :6].tolist() == [7, 8, 9, 10, 11, 13]


def test_scatter_patches_counts_the_windows_over_each_pixel() -> None:
    ones = np.ones((1, 2, 2, 25), np.float32)
    assert scatter_patches(ones, (1, 6, 6, 1))[0, :, :, 0].tolist() == [
        [1, 2, 2, 2, 2, 1],
        [2, 4, 4, 4, 4, 2],
        [2, 4, 4, 4, 4, 2],
        [2, 4, 4, 4, 4, 2],
        [2, 4, 4, 4, 4, 2],
        [1, 2, 2, 2, 2, 1],
    ]


def test_relu_pool_takes_the_largest_and_sends_its_gradient_back() -> None:
    x = np.array([[1, 2, -3, -4], [5, 3, -1, -2]], np.float32).reshape(1, 2, 4, 1)
    pooled = relu_pool(x)
    assert pooled.ravel().tolist() == [5, 0]
    gradient = np.array([7, 9], np.float32).reshape(1, 1, 2, 1)
    assert relu_pool_gradient(x, pooled, gradient).ravel().tolist() == [0, 0, 0, 0, 7, 0, 0, 0]


@pytest.mark.parametrize("name", PARAMETERS)
def test_gradient_is_the_slope_of_the_loss(name: str) -> None:
    rng = np.random.default_rng(1)
    weights = initial_weights(rng)
    x = rng.random((4, 28, 28, 1), dtype=np.float32)
    activations = forward(weights, x)
    _, d_logits = loss_and_gradient(activations.logits, LABELS)
    gradient = backward(weights, activations, d_logits)[name]
    steepest = np.unravel_index(np.abs(gradient).argmax(), gradient.shape)
    losses = []
    for move in (STEP, -STEP):
        moved = {**weights, name: weights[name].copy()}
        moved[name][steepest] += move
        losses.append(loss_and_gradient(forward(moved, x).logits, LABELS)[0])
    slope = (losses[0] - losses[1]) / (2 * STEP)
    assert slope == pytest.approx(gradient[steepest], rel=0.05)


def test_training_learns_four_images_by_heart() -> None:
    rng = np.random.default_rng(2)
    weights, adam = initial_weights(rng), Adam()
    x = rng.random((4, 28, 28, 1), dtype=np.float32)
    for _ in range(60):
        train_step(weights, adam, x, LABELS, 3e-3)
    assert forward(weights, x).logits.argmax(axis=1).tolist() == [1, 2, 3, 4]
