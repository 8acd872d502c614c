"""The public suites that `make conformance` runs, each with who judges its files."""

from tests.conformance.block_tests import judge_block_tests
from tests.conformance.outcomes import Judge
from tests.conformance.rlp_tests import judge_rlp_tests
from tests.conformance.state_tests import judge_state_tests
from tests.conformance.transaction_tests import judge_transaction_tests
from tests.conformance.trie_tests import judge_trie_tests

SUITES: dict[str, Judge] = {
    "RLPTests": judge_rlp_tests,
    "TrieTests": judge_trie_tests,
    "TransactionTests": judge_transaction_tests,
    "state-cancun": judge_state_tests,
    "state-prague": judge_state_tests,
    "blockchain-cancun": judge_block_tests,
    "blockchain-prague": judge_block_tests,
}
