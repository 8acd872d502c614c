"""Operators that engine 1 will not take, each with the reason."""

from types import MappingProxyType

_SHAPE = "the shape of its output depends on data; shapes are fixed before a model runs"
_CONTROL = "it runs a subgraph; convert the file to one graph without control flow"
_RANDOM = "it draws random numbers; an inference gives the same bytes on every machine"
_SEQUENCE = "it works on sequences; values are tensors"
_TEXT = "it works on texts; tokenise before the call"
_TRAINING = "it belongs to training"

REFUSED = MappingProxyType(
    {
        **dict.fromkeys(("NonZero", "Compress", "Unique", "NonMaxSuppression"), _SHAPE),
        **dict.fromkeys(("If", "Loop", "Scan"), _CONTROL),
        **dict.fromkeys(
            ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike",
             "Multinomial", "Bernoulli"),
            _RANDOM,
        ),
        **dict.fromkeys(
            ("SequenceConstruct", "SequenceEmpty", "SequenceInsert", "SequenceErase",
             "SequenceAt", "SequenceLength", "SequenceMap", "SplitToSequence",
             "ConcatFromSequence", "Optional", "OptionalGetElement", "OptionalHasElement"),
            _SEQUENCE,
        ),
        **dict.fromkeys(
            ("StringNormalizer", "TfIdfVectorizer", "StringConcat", "StringSplit",
             "RegexFullMatch"),
            _TEXT,
        ),
        **dict.fromkeys(("SoftmaxCrossEntropyLoss", "NegativeLogLikelihoodLoss"), _TRAINING),
        "Upsample": "it left ONNX at opset 10; `cvm model prepare` turns it into Resize",
        "ImageDecoder": "a decoder's result differs between libraries; decode before the call",
    }
)  # fmt: skip
"""Operators of the default domain, by name."""

REFUSED_ML = MappingProxyType(
    {
        "CategoryMapper": _TEXT,
        "DictVectorizer": "it works on maps; values are tensors",
        "ZipMap": "it makes maps; `cvm model prepare` removes it and keeps the scores as a tensor",
        "TreeEnsemble": "it is of ai.onnx.ml 5; write TreeEnsembleClassifier or -Regressor",
    }
)
"""Operators of ai.onnx.ml, by name."""
