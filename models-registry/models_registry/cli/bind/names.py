"""Identifiers for the names of a graph, which may be any text."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

MAX_IDENTIFIER = 40
"""Characters of a graph's name that an identifier keeps."""

MAX_SHOWN_NAME = 60
"""Characters of a graph's name that a comment shows."""

_WORDS = """
abi abstract addmod address after alias anonymous apply as assembly assert at auto blobhash
block blockhash bool break byte bytes calldata case catch constant constructor continue
contract copyof days decode default define delete do ecrecover else emit encode enum erc7201
error ether event external fallback false final finney fixed for from function gasleft gasof
global gwei hex hours if immutable implements import in indexed inline int interface internal
is isactive keccak256 layout leave let library log0 log1 log2 log3 log4 macro mapping match
memory minutes modifier msg mulmod mutable new now null of override partial payable pragma
private promise public pure receive reference relocatable require return returns revert
ripemd160 run runbatch sealed seconds selfdestruct sha256 sha3 sizeof static storage string
struct suicide super supports switch szabo this throw transient true try tx type typedef
typeof ufixed uint unchecked unicode using var view virtual weeks wei while years
"""

RESERVED = frozenset(_WORDS.split())
"""What solc keeps, what it warns of when it is shadowed, and functions of generated code."""

TAKEN_BY_LIBRARIES = frozenset({"cvm", "cvminput", "input", "output", "badtensorsize"})
"""What else a generated library cannot be called, since it names or imports it."""

_SIZED_TYPE = re.compile(r"(?:u?int|bytes|u?fixed)\d+(?:x\d+)?\Z")


class BadLibraryName(Exception):
    """A name for generated code that is no name."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name!r:.80} is no name for a library: a capital letter, then at most "
            f"{MAX_IDENTIFIER - 1} letters and digits, and no word of the language"
        )


@dataclass(frozen=True, slots=True)
class Identifier:
    """One name in the three ways of writing that generated code uses."""

    camel: str
    snake: str

    @property
    def upper(self) -> str:
        """Return the name as constants are written."""
        return self.snake.upper()


def identifiers(names: Iterable[str]) -> list[Identifier]:
    """Return an identifier for each name, all different in every way of writing.

    Letters that ASCII lacks are replaced by their base letter or dropped; a reserved word gets
    `tensor` behind it, and names that come out alike a number.
    """
    taken: set[str] = set()
    found: list[Identifier] = []
    for name in names:
        words = _words(name)
        if _is_reserved("".join(words)):
            words = [*words, "tensor"]
        made, number = _identifier(words), 1
        while _key(made.camel) in taken or _is_reserved(made.camel):
            number += 1
            made = _identifier([*words, str(number)])
        taken.add(_key(made.camel))
        found.append(made)
    return found


def library_name(text: str) -> str:
    """Return a name for a library, from the name of a file."""
    name = "".join(word[0].upper() + word[1:] for word in _words(text))[:MAX_IDENTIFIER]
    return f"{name}Model" if _is_no_library(name) else name


def parse_library_name(text: str) -> str:
    """Return a library's name that a user gave; raises `BadLibraryName`."""
    if re.fullmatch(rf"[A-Z][A-Za-z0-9]{{0,{MAX_IDENTIFIER - 1}}}", text) is None:
        raise BadLibraryName(text)
    if _is_no_library(text):
        raise BadLibraryName(text)
    return text


def shown(name: str) -> str:
    """Return a graph's name for a comment: one line of ASCII, whatever it holds."""
    return ascii(name if len(name) <= MAX_SHOWN_NAME else f"{name[:MAX_SHOWN_NAME]}...")


def _words(name: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", name[: 4 * MAX_IDENTIFIER])
    humps = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", plain.encode("ascii", "ignore").decode())
    text = " ".join(re.findall("[A-Za-z0-9]+", humps))[:MAX_IDENTIFIER].split()
    if not text:
        return ["tensor"]
    return text if text[0][0].isalpha() else [f"t{text[0]}", *text[1:]]


def _identifier(words: list[str]) -> Identifier:
    first, *rest = (word.lower() for word in words)
    return Identifier(
        first + "".join(word[0].upper() + word[1:] for word in rest), "_".join([first, *rest])
    )


def _is_reserved(name: str) -> bool:
    key = _key(name)
    return key in RESERVED or _SIZED_TYPE.match(key) is not None


def _is_no_library(name: str) -> bool:
    return _is_reserved(name) or _key(name) in TAKEN_BY_LIBRARIES


def _key(name: str) -> str:
    return name.replace("_", "").lower()
