"""Names of what a node that breaks the rules does, and how the process is told."""

FLIPPED_BIT = "flipped-bit"
"""The node is honest and its backend is not: see `flipped_backend`."""

BEHAVIOURS = ("equivocate", "withhold", "garbage", "replay", "future", FLIPPED_BIT)

MODULE = "tests.testnets.byzantine_node"
BEHAVIOUR_VARIABLE = "TESTNET_BEHAVIOUR"
"""The process reads its behaviour here."""

FLIP_FILE = "flip-the-bit"
"""While this file lies in its data directory, a node's backend flips a bit of every output."""
