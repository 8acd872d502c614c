# pragma version ~=0.4.3
"""
@title A contract that reads handwritten digits
@license MIT
@notice The model takes a uint8 image of 28 x 28 and gives its label (int64[1]), then scores.
"""
import CVM

IMAGE_BYTES: constant(uint256) = 784

model_id: public(immutable(bytes32))
last_label: public(int64)


event Classified:
    sender: indexed(address)
    label: int64


@deploy
def __init__(model_id_: bytes32):
    model_id = model_id_


@external
def classify(image: Bytes[784]) -> int64:
    """
    @notice Classify an image, remember its label and log it.
    """
    label: int64 = self._label(image)
    self.last_label = label
    log Classified(sender=msg.sender, label=label)
    return label


@external
@view
def preview(image: Bytes[784]) -> int64:
    """
    @notice Classify an image without a transaction.
    """
    return self._label(image)


@external
@view
def is_ready() -> bool:
    """
    @notice Whether the model can be called at this height.
    """
    return CVM.is_active(model_id)


@internal
@view
def _label(image: Bytes[784]) -> int64:
    assert len(image) == IMAGE_BYTES, "784 bytes"
    return CVM.to_int64(CVM.infer(model_id, image), 0)
