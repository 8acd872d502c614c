"""The rule sets that blocks can follow, from Paris to Osaka and its blob schedules."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Fork:
    """What a rule asks of a fork; each `is_` holds for that fork and every later one.

    Blob numbers are those of a block (EIP-7840), zeros before Cancun. `max_tx_gas` is EIP-7825's.
    """

    name: str
    is_shanghai: bool = False
    is_cancun: bool = False
    is_prague: bool = False
    is_osaka: bool = False
    target_blobs: int = 0
    max_blobs: int = 0
    blob_base_fee_fraction: int = 0
    max_tx_gas: int | None = None


PARIS = Fork("Paris")
SHANGHAI = replace(PARIS, name="Shanghai", is_shanghai=True)
CANCUN = replace(  # EIP-4844
    SHANGHAI,
    name="Cancun",
    is_cancun=True,
    target_blobs=3,
    max_blobs=6,
    blob_base_fee_fraction=3_338_477,
)
PRAGUE = replace(  # EIP-7691
    CANCUN,
    name="Prague",
    is_prague=True,
    target_blobs=6,
    max_blobs=9,
    blob_base_fee_fraction=5_007_716,
)
OSAKA = replace(PRAGUE, name="Osaka", is_osaka=True, max_tx_gas=1 << 24)  # EIP-7825

BPO1 = replace(  # EIP-7892: forks that change blob numbers alone
    OSAKA, name="BPO1", target_blobs=10, max_blobs=15, blob_base_fee_fraction=8_346_193
)
BPO2 = replace(OSAKA, name="BPO2", target_blobs=14, max_blobs=21, blob_base_fee_fraction=11_684_671)
