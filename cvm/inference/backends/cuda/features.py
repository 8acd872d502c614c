"""The operators of ai.onnx.ml that scale, mark, look up or choose features."""

from collections.abc import Callable
from types import MappingProxyType

import numpy as np

from cvm.inference.backends.cuda.choosing import add_slices, build_gather
from cvm.inference.backends.cuda.composition import Composer, Tensor, bits_of, dense_steps
from cvm.inference.backends.cuda.launch_builder import LaunchBuilder
from cvm.inference.operators.binarizer import BinarizerParameters
from cvm.inference.operators.feature_vectorizer import FeatureVectorizerParameters
from cvm.inference.operators.imputer import ImputerParameters
from cvm.inference.operators.label_encoder import LabelEncoderParameters
from cvm.inference.operators.normalizer import NormalizerParameters
from cvm.inference.operators.one_hot_encoder import OneHotEncoderParameters
from cvm.inference.operators.scaler import ScalerParameters

Builder = Callable[[LaunchBuilder], None]


def build_scaler(builder: LaunchBuilder) -> None:
    """Launch Scaler-1."""
    composer = Composer(builder)
    by: ScalerParameters = builder.node.parameters
    x = composer.cast(composer.operand(0), "float32")
    moved = composer.binary("sub", x, composer.constant(by.offset))
    composer.binary("mul", moved, composer.constant(by.scale), composer.result())


def build_normalizer(builder: LaunchBuilder) -> None:
    """Launch Normalizer-1."""
    composer = Composer(builder)
    by: NormalizerParameters = builder.node.parameters
    x = composer.cast(composer.operand(0), "float32").shaped(by.given.rows, by.given.features)
    if by.norm == "L2":
        squares = composer.fold("sums", composer.binary("mul", x, x), (1,))
        norm = composer.function("root", squares)
    else:
        sizes = composer.function("abs", x)
        norm = composer.fold("sums" if by.norm == "L1" else "maxima", sizes, (1,))
    divisor = composer.map("one_if_zero", norm)
    composer.binary("div", x, divisor, composer.result().shaped(*x.shape))


def build_binarizer(builder: LaunchBuilder) -> None:
    """Launch Binarizer-1: an integer is compared with the floor of the threshold."""
    composer = Composer(builder)
    by: BinarizerParameters = builder.node.parameters
    x, y = composer.operand(0), composer.result()
    if x.dtype == "float32":
        composer.map("is_above", x, y, [bits_of(by.threshold)])
        return
    floor, limits = int(np.floor(by.threshold)), np.iinfo(x.dtype)
    if limits.min <= floor < limits.max:
        bound = composer.constant(np.asarray(floor, x.dtype))
        composer.cast(composer.binary("greater", x, bound), y.dtype, y)
    else:
        composer.fill(composer.constant(np.asarray(floor < limits.min, x.dtype)), y)


def build_imputer(builder: LaunchBuilder) -> None:
    """Launch Imputer-1."""
    composer = Composer(builder)
    by: ImputerParameters = builder.node.parameters
    x, y = composer.operand(0), composer.result()
    if np.isnan(by.replaced):
        marked = composer.map("is_nan_float32", x, composer.scratch("bool", *x.shape))
    else:
        marked = composer.binary("equal", x, composer.constant(np.asarray(by.replaced, x.dtype)))
    composer.where(marked, composer.constant(by.imputed), x, y)


def build_label_encoder(builder: LaunchBuilder) -> None:
    """Launch LabelEncoder-2: where the key stands, then its value; the default stands last."""
    composer = Composer(builder)
    by: LabelEncoderParameters = builder.node.parameters
    x, y = composer.operand(0), composer.result()
    keys = composer.constant(by.keys)
    default = by.default.reshape(1).astype(by.values.dtype)
    values = composer.constant(np.concatenate([by.values, default]))
    places = composer.scratch("int32", x.size)
    words = (places.place, x.place, keys.place, x.size, keys.size)
    composer.launch("movement", f"find_keys_{x.dtype}", x.size, *words)
    add_slices(composer, values, (values.size, 1), places, y)


def build_one_hot_encoder(builder: LaunchBuilder) -> None:
    """Launch OneHotEncoder-1."""
    composer = Composer(builder)
    by: OneHotEncoderParameters = builder.node.parameters
    x = composer.cast(composer.operand(0), "int64")
    categories = composer.constant(by.categories.astype(np.int64))
    composer.cast(
        composer.binary("equal", x.shaped(x.size, 1), categories), "float32", composer.result()
    )


def build_feature_vectorizer(builder: LaunchBuilder) -> None:
    """Launch FeatureVectorizer-1: +0 everywhere, then the first columns of each input."""
    composer = Composer(builder)
    by: FeatureVectorizerParameters = builder.node.parameters
    y = composer.result()
    composer.fill(composer.number(0), y)
    first = 0
    for index, width in enumerate(by.widths):
        x: Tensor = composer.cast(composer.operand(index), "float32")
        kept = (x.shape[0], min(width, x.shape[1]))
        steps = dense_steps(x.shape)
        composer.walk(kept, x, steps, y.part(first, *y.shape), dense_steps(y.shape))
        first += width


ML_BUILDERS = MappingProxyType[str, Builder](
    {
        "ArrayFeatureExtractor": build_gather,
        "Binarizer": build_binarizer,
        "FeatureVectorizer": build_feature_vectorizer,
        "Imputer": build_imputer,
        "LabelEncoder": build_label_encoder,
        "Normalizer": build_normalizer,
        "OneHotEncoder": build_one_hot_encoder,
        "Scaler": build_scaler,
    }
)
