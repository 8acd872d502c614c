"""Einsum of two tensors: both transposed into stacks of matrices, a product, a transposition."""

from cvm.inference.backends.cuda.composition import Composer
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder
from cvm.inference.backends.cuda.products_f32 import add_plain_product
from cvm.inference.operators.einsum import EinsumParameters, joined


def build(builder: LaunchBuilder) -> None:
    """Launch Einsum-12."""
    composer = Composer(builder)
    by: EinsumParameters = builder.node.parameters
    a = composer.permuted(composer.operand(0), joined(by.a_parts))
    b = composer.permuted(composer.operand(1), joined(by.b_parts))
    made = composer.scratch("float32", *by.made_shape)
    add_plain_product(builder, by.product, made.place, a.place, b.place)
    composer.permuted(made, by.result_order, composer.result())
