"""Golden vectors of ai.onnx.ml: what prepares rows for a model and looks up its results."""

import math
from fractions import Fraction

from tests.oracle import float32
from tests.oracle.ml_cases import NAN, TENTH, THIRD, matrix, ml_case, rows_of
from tests.oracle.ml_models import floats
from tests.oracle.tensors import Json, Tensor, f32, ints

ROWS = f32((3, 3), 1.0, -THIRD, 2.5, 0.0, "80000000", 0.0, "7f7fffff", "00000001", -TENTH)
TALL = ints("int64", (2, 2), 2**24 + 1, -(2**40), 3, 0)


def scaler_cases() -> list[Json]:
    """Return Scaler: a number for all, one a feature, integers, NaN and overflow."""
    offset, scale = [TENTH, -1.0, 0.5], [3.0, THIRD, -2.0]

    def scaled(value: float, index: int) -> float:
        return float32.multiply(float32.subtract(value, offset[index]), scale[index])

    def result(rows: list[list[float]], one: bool = False) -> Tensor:
        return matrix([[scaled(v, 0 if one else i) for i, v in enumerate(r)] for r in rows])

    each = {"offset": floats(*offset), "scale": floats(*scale)}
    single = {"offset": floats(*offset[:1]), "scale": floats(*scale[:1])}
    hostile = f32((1, 3), "7f800000", "ff800000", NAN)
    rounded = [[float32.from_int(int(v)) for v in row] for row in rows_of(TALL)]
    return [
        ml_case("a number for each feature", "Scaler", [ROWS], result(rows_of(ROWS)), each),
        ml_case("one number", "Scaler", [ROWS], result(rows_of(ROWS), True), single),
        ml_case("integers", "Scaler", [TALL], result(rounded, True), single),
        ml_case("no finite number", "Scaler", [hostile], result(rows_of(hostile)), each),
    ]


def normalizer_cases() -> list[Json]:
    """Return Normalizer: every norm, rows of zeros, long rows, integers, overflow."""
    op = "Normalizer"
    long = f32((1, 300), *(float32.from_bits(f"{0x3E000000 + 7919 * i:08x}") for i in range(300)))
    cases = []
    for norm in ("L1", "L2", "MAX"):
        for name, x in (("small", ROWS), ("two chunks", long))[: 1 if norm == "MAX" else 2]:
            rows = [_normalised(row, norm) for row in rows_of(x)]
            cases.append(ml_case(f"{norm}, {name}", op, [x], matrix(rows), {"norm": norm}))
    rounded = [[float32.from_int(int(v)) for v in row] for row in rows_of(TALL)]
    result = matrix([_normalised(row, "MAX") for row in rounded])
    cases.append(ml_case("integers, MAX by default", op, [TALL], result))
    return cases


def _normalised(row: list[float], norm: str) -> list[float]:
    if norm == "MAX":
        size = max(map(abs, row))
    elif norm == "L1":
        size = float32.chunked_sum([abs(value) for value in row])
    else:
        squares = float32.chunked_sum([float32.multiply(value, value) for value in row])
        size = math.inf if math.isinf(squares) else _root(squares)
    return [float32.divide(value, size or 1.0) for value in row]


def _root(value: float) -> float:
    """Return the root of a float32, rounded once: float64 roots of float32 round rightly again."""
    return float32.rounded(Fraction(math.sqrt(value)))


def binarizer_cases() -> list[Json]:
    """Return Binarizer: thresholds on and between values, NaN, integers beyond float32."""
    op = "Binarizer"
    x = f32((6,), 0.5, "3f000001", "80000000", NAN, "7f800000", "ff800000")
    wide = ints("int64", (4,), 2**24, 2**24 + 1, -(2**63), 2**63 - 1)
    narrow = ints("int32", (3,), -3, -2, -1)
    return [
        ml_case("a half", op, [x], f32((6,), 0, 1, 0, 0, 1, 0), {"threshold": floats(0.5)[0]}),
        ml_case("zero by default", op, [x], f32((6,), 1, 1, 0, 0, 1, 0)),
        ml_case(
            "int64 beyond float32",
            op,
            [wide],
            ints("int64", (4,), 0, 1, 0, 1),
            {"threshold": floats(2.0**24)[0]},
        ),
        ml_case(
            "int32 between two",
            op,
            [narrow],
            ints("int32", (3,), 0, 1, 1),
            {"threshold": floats(-2.5)[0]},
        ),
        ml_case(
            "above every int32",
            op,
            [narrow],
            ints("int32", (3,), 0, 0, 0),
            {"threshold": floats(2.0**31)[0]},
        ),
        ml_case(
            "below every int64",
            op,
            [wide],
            ints("int64", (4,), 1, 1, 1, 1),
            {"threshold": floats(-(2.0**70))[0]},
        ),
    ]


def imputer_cases() -> list[Json]:
    """Return Imputer: NaN, a number, zeros of both signs, integers."""
    op = "Imputer"
    x = f32((2, 2), NAN, 1.0, -1.0, "ffc12345")
    zeros = f32((1, 3), 0.0, "80000000", NAN)
    whole = ints("int64", (2, 2), 5, -1, -1, 5)
    nan = {"float": NAN}
    return [
        ml_case(
            "NaN, a value for each feature",
            op,
            [x],
            f32((2, 2), 7.0, 1.0, -1.0, 9.0),
            {"imputed_value_floats": floats(7.0, 9.0), "replaced_value_float": nan},
        ),
        ml_case(
            "NaN, one value",
            op,
            [x],
            f32((2, 2), 7.0, 1.0, -1.0, 7.0),
            {"imputed_value_floats": floats(7.0), "replaced_value_float": nan},
        ),
        ml_case(
            "zero of either sign",
            op,
            [zeros],
            f32((1, 3), 2.0, 2.0, NAN),
            {"imputed_value_floats": floats(2.0)},
        ),
        ml_case(
            "integers",
            op,
            [whole],
            ints("int64", (2, 2), 5, 8, 2**62, 5),
            {"imputed_value_int64s": [2**62, 8], "replaced_value_int64": -1},
        ),
    ]


def label_encoder_cases() -> list[Json]:
    """Return LabelEncoder: both dtypes both ways, defaults, zeros, NaN, keys out of order."""
    op = "LabelEncoder"
    x = ints("int64", (2, 3), 9, -4, 0, 2**62, 1, 9)
    y = f32((5,), 0.5, "80000000", NAN, "7f800000", 7.0)
    integers = {"keys_int64s": [9, -4, 2**62], "default_int64": 77}
    return [
        ml_case(
            "int64 to int64",
            op,
            [x],
            ints("int64", (2, 3), 1, 2, 77, 3, 77, 1),
            {**integers, "values_int64s": [1, 2, 3]},
        ),
        ml_case(
            "int64 to float, default -0",
            op,
            [x],
            f32((2, 3), 0.5, -1.5, "80000000", 2.0, "80000000", 0.5),
            {"keys_int64s": [9, -4, 2**62], "values_floats": floats(0.5, -1.5, 2.0)},
        ),
        ml_case(
            "float to int64, default -1",
            op,
            [y],
            ints("int64", (5,), 3, 4, -1, -1, 5),
            {"keys_floats": floats(0.5, 0.0, 7.0), "values_int64s": [3, 4, 5]},
        ),
        ml_case(
            "float to float",
            op,
            [y],
            f32((5,), 1.0, 2.0, 9.0, 9.0, 3.0),
            {
                "keys_floats": floats(0.5, 0.0, 7.0),
                "values_floats": floats(1.0, 2.0, 3.0),
                "default_float": floats(9.0)[0],
            },
        ),
    ]


def array_feature_extractor_cases() -> list[Json]:
    """Return ArrayFeatureExtractor: negative and repeated indices, ranks 1 and 3, NaN."""
    op = "ArrayFeatureExtractor"
    x = f32((2, 3), 1.0, NAN, 3.0, 4.0, "80000000", 6.0)
    cube = ints("int32", (2, 1, 2), 1, 2, 3, 4)
    line = ints("int64", (3,), 10, 20, 30)
    return [
        ml_case(
            "repeated and negative",
            op,
            [x, ints("int64", (4,), 1, 1, -1, -3)],
            f32((2, 4), NAN, NAN, 3.0, 1.0, "80000000", "80000000", 6.0, 4.0),
        ),
        ml_case(
            "a matrix of indices",
            op,
            [x, ints("int64", (1, 2), 2, 0)],
            f32((2, 2), 3.0, 1.0, 6.0, 4.0),
        ),
        ml_case(
            "rank 3",
            op,
            [cube, ints("int64", (1,), 1)],
            ints("int32", (2, 1, 1), 2, 4),
        ),
        ml_case(
            "rank 1 gives a row",
            op,
            [line, ints("int64", (2,), 2, 0)],
            ints("int64", (1, 2), 30, 10),
        ),
    ]


def feature_vectorizer_cases() -> list[Json]:
    """Return FeatureVectorizer: its own widths, cut and filled ones, integers."""
    op = "FeatureVectorizer"
    a, b = f32((2, 2), 1.0, NAN, 3.0, "80000000"), f32((2, 1), 5.0, "7f800000")
    return [
        ml_case(
            "widths of the inputs",
            op,
            [a, b],
            f32((2, 3), 1, NAN, 5, 3, "80000000", "7f800000"),
        ),
        ml_case(
            "cut and filled",
            op,
            [a, b],
            f32((2, 4), 1, 5, 0, 0, 3, "7f800000", 0, 0),
            {"inputdimensions": [1, 3]},
        ),
        ml_case("one input", op, [b], b),
        ml_case(
            "integers are rounded",
            op,
            [TALL, ints("int64", (2, 1), -1, 1)],
            f32((2, 3), 2.0**24, -(2.0**40), -1, 3, 0, 1),
            {"inputdimensions": [2, 1]},
        ),
    ]


def one_hot_encoder_cases() -> list[Json]:
    """Return OneHotEncoder: unknown elements, both dtypes, ranks 1 and 2, one category."""
    op = "OneHotEncoder"
    cats = {"cats_int64s": [7, -2, 2**40], "zeros": 1}
    return [
        ml_case(
            "rank 1, an unknown one",
            op,
            [ints("int64", (3,), 2**40, 7, 8)],
            f32((3, 3), 0, 0, 1, 1, 0, 0, 0, 0, 0),
            cats,
        ),
        ml_case(
            "rank 2",
            op,
            [ints("int64", (1, 2), -2, -2)],
            f32((1, 2, 3), 0, 1, 0, 0, 1, 0),
            cats,
        ),
        ml_case("int32", op, [ints("int32", (2,), 7, 1)], f32((2, 3), 1, 0, 0, 0, 0, 0), cats),
        ml_case(
            "one category",
            op,
            [ints("int64", (2, 1), 0, 1)],
            f32((2, 1, 1), 0, 1),
            {"cats_int64s": [1]},
        ),
    ]
