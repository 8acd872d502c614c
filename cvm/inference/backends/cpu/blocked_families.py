"""Which convolutions run on blocked images, and which take in the nodes that follow them."""

from cvm.inference.backends.cpu import image_conv_f32, image_conv_int8
from cvm.inference.graph import Node


def is_blockable(node: Node) -> bool:
    """Say whether a convolution reads blocked images, and writes them where its groups allow."""
    if node.spec.domain:
        return False
    if node.spec.name == "Conv":
        return image_conv_f32.is_blockable(node)
    is_integer = node.spec.name in ("ConvInteger", "QLinearConv")
    return is_integer and image_conv_int8.is_blockable(node)


def may_fuse(node: Node) -> bool:
    """Say whether a node may bound its results, and perhaps add to them, in registers."""
    return not node.spec.domain and node.spec.name == "Conv" and image_conv_f32.may_fuse(node)


def may_restore(node: Node) -> bool:
    """Say whether a node that `may_fuse` may have to turn results +0 into -0.

    Then it takes no addend, and no lower bound below +0.
    """
    return image_conv_f32.may_restore(node)
