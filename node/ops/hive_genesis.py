"""hive's genesis file with the forks that its environment names.

`python -m node.ops.hive_genesis FILE`. hive gives every client one `genesis.json` without forks,
and HIVE_FORK_*, HIVE_*_TIMESTAMP and the like in the environment (github.com/ethereum/hive,
docs/clients.md and clients/go-ethereum/mapper.jq).
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

BLOCKS = {
    "HIVE_FORK_HOMESTEAD": ("homesteadBlock",),
    "HIVE_FORK_TANGERINE": ("eip150Block",),
    "HIVE_FORK_SPURIOUS": ("eip155Block", "eip158Block"),
    "HIVE_FORK_BYZANTIUM": ("byzantiumBlock",),
    "HIVE_FORK_CONSTANTINOPLE": ("constantinopleBlock",),
    "HIVE_FORK_PETERSBURG": ("petersburgBlock",),
    "HIVE_FORK_ISTANBUL": ("istanbulBlock",),
    "HIVE_FORK_MUIR_GLACIER": ("muirGlacierBlock",),
    "HIVE_FORK_BERLIN": ("berlinBlock",),
    "HIVE_FORK_LONDON": ("londonBlock",),
    "HIVE_FORK_ARROW_GLACIER": ("arrowGlacierBlock",),
    "HIVE_FORK_GRAY_GLACIER": ("grayGlacierBlock",),
    "HIVE_MERGE_BLOCK_ID": ("mergeNetsplitBlock",),
    "HIVE_TERMINAL_TOTAL_DIFFICULTY": ("terminalTotalDifficulty",),
    "HIVE_SHANGHAI_TIMESTAMP": ("shanghaiTime",),
    "HIVE_CANCUN_TIMESTAMP": ("cancunTime",),
    "HIVE_PRAGUE_TIMESTAMP": ("pragueTime",),
    "HIVE_OSAKA_TIMESTAMP": ("osakaTime",),
    "HIVE_BPO1_TIMESTAMP": ("bpo1Time",),
    "HIVE_BPO2_TIMESTAMP": ("bpo2Time",),
    "HIVE_BPO3_TIMESTAMP": ("bpo3Time",),
    "HIVE_BPO4_TIMESTAMP": ("bpo4Time",),
    "HIVE_BPO5_TIMESTAMP": ("bpo5Time",),
}
"""Variable -> the keys of `config` that it sets."""

BLOB_FORKS = ("CANCUN", "PRAGUE", "OSAKA", "BPO1", "BPO2", "BPO3", "BPO4", "BPO5")
BLOB_FIELDS = {
    "TARGET": "target",
    "MAX": "max",
    "BASE_FEE_UPDATE_FRACTION": "baseFeeUpdateFraction",
}
DEFAULT_CHAIN_ID = 1


class BadVariable(ValueError):
    """A variable holds no number."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{name} is {text[:40]!r}: want a whole number")


def hive_genesis(
    document: Mapping[str, object], environment: Mapping[str, str]
) -> dict[str, object]:
    """Return the genesis object with chain id, forks and blob schedule; raises `BadVariable`.

    What the file itself says of its forks stays where the environment does not speak of it.
    """
    known = document.get("config")
    config: dict[str, object] = dict(known) if isinstance(known, dict) else {}
    chain_id = number(environment, "HIVE_CHAIN_ID")
    if chain_id is not None or "chainId" not in config:
        config["chainId"] = DEFAULT_CHAIN_ID if chain_id is None else chain_id
    for variable, keys in BLOCKS.items():
        value = number(environment, variable)
        if value is not None:
            config.update(dict.fromkeys(keys, value))
    schedule = {
        fork.lower(): entry for fork in BLOB_FORKS if (entry := blob_entry(environment, fork))
    }
    if schedule:
        before = config.get("blobSchedule")
        config["blobSchedule"] = {**(before if isinstance(before, dict) else {}), **schedule}
    return {**document, "config": config}


def blob_entry(environment: Mapping[str, str], fork: str) -> dict[str, int]:
    """Return a fork's entry in `blobSchedule` (EIP-7840)."""
    found = {}
    for suffix, field in BLOB_FIELDS.items():
        value = number(environment, f"HIVE_{fork}_BLOB_{suffix}")
        if value is not None:
            found[field] = value
    return found


def number(environment: Mapping[str, str], name: str) -> int | None:
    """Return a variable's number, None where it is not set; raises `BadVariable`."""
    text = environment.get(name, "").strip()
    if not text:
        return None
    try:
        return int(text, 0)
    except ValueError:
        raise BadVariable(name, text) from None


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Print the genesis file of the one that is named; return the exit status."""
    try:
        document = json.loads(Path(arguments[0]).read_text())
        sys.stdout.write(json.dumps(hive_genesis(document, environment), indent=2) + "\n")
    except (BadVariable, OSError, ValueError) as fault:
        sys.stderr.write(f"error: {fault}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
