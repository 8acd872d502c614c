"""Which convolutions run on blocked images, and which take in the nodes that follow them."""

from cvm.inference.backends.cpu import image_conv_f32
from cvm.inference.graph import Node


def is_blockable(node: Node) -> bool:
    """Say whether a convolution reads blocked images, and writes them where its groups allow."""
    return not node.spec.domain and node.spec.name == "Conv" and image_conv_f32.is_blockable(node)


def may_fuse(node: Node) -> bool:
    """Say whether a node may add and bound its results before it stores them."""
    return not node.spec.domain and node.spec.name == "Conv" and image_conv_f32.may_fuse(node)
