"""The model errors that a contract can catch: ok = 0 and a 4-byte selector in RETURNDATA."""

from models_registry.selectors import selector

MODEL_NOT_ACTIVE = selector("ModelNotActive()")
BAD_INPUT_SIZE = selector("BadInputSize()")
BAD_FIELD = selector("BadField()")
BAD_STORAGE_ARRAY = selector("BadStorageArray()")
INPUT_OUT_OF_RANGE = selector("InputOutOfRange()")
