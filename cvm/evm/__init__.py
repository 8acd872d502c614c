"""The execution core: transactions and state, open to added opcodes and precompiles."""

from cvm.evm.native_dependencies import require_assertions, require_native_dependencies

require_assertions()
require_native_dependencies()
