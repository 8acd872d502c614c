"""The rule sets of blocks of proof of work, from Frontier to Gray Glacier.

What opcodes do at each is py-evm's (`py_evm_machine`); the numbers that headers, rewards and
transactions follow are here.
"""

from dataclasses import dataclass, replace

WEI_PER_ETHER = 10**18


@dataclass(frozen=True, slots=True)
class HistoricFork:
    """What a rule asks of a fork; each `is_` holds for that fork and every later one.

    `bomb_delay` is in blocks, `reward_wei` that of a block, `machine` names py-evm's rules.
    """

    name: str
    machine: str
    reward_wei: int = 5 * WEI_PER_ETHER
    bomb_delay: int = 0
    is_homestead: bool = False
    is_spurious_dragon: bool = False
    is_byzantium: bool = False
    is_istanbul: bool = False
    is_berlin: bool = False
    is_london: bool = False


FRONTIER = HistoricFork("Frontier", "FrontierVM")
HOMESTEAD = replace(FRONTIER, name="Homestead", machine="HomesteadVM", is_homestead=True)
TANGERINE_WHISTLE = replace(HOMESTEAD, name="Tangerine Whistle", machine="TangerineWhistleVM")
SPURIOUS_DRAGON = replace(
    TANGERINE_WHISTLE,
    name="Spurious Dragon",
    machine="SpuriousDragonVM",
    is_spurious_dragon=True,
)
BYZANTIUM = replace(  # EIP-649
    SPURIOUS_DRAGON,
    name="Byzantium",
    machine="ByzantiumVM",
    reward_wei=3 * WEI_PER_ETHER,
    bomb_delay=3_000_000,
    is_byzantium=True,
)
CONSTANTINOPLE = replace(  # EIP-1234
    BYZANTIUM,
    name="Constantinople",
    machine="ConstantinopleVM",
    reward_wei=2 * WEI_PER_ETHER,
    bomb_delay=5_000_000,
)
PETERSBURG = replace(CONSTANTINOPLE, name="Petersburg", machine="PetersburgVM")
ISTANBUL = replace(PETERSBURG, name="Istanbul", machine="IstanbulVM", is_istanbul=True)
MUIR_GLACIER = replace(  # EIP-2384
    ISTANBUL, name="Muir Glacier", machine="MuirGlacierVM", bomb_delay=9_000_000
)
BERLIN = replace(MUIR_GLACIER, name="Berlin", machine="BerlinVM", is_berlin=True)
LONDON = replace(  # EIP-3554
    BERLIN, name="London", machine="LondonVM", bomb_delay=9_700_000, is_london=True
)
ARROW_GLACIER = replace(  # EIP-4345
    LONDON, name="Arrow Glacier", machine="ArrowGlacierVM", bomb_delay=10_700_000
)
GRAY_GLACIER = replace(  # EIP-5133
    ARROW_GLACIER, name="Gray Glacier", machine="GrayGlacierVM", bomb_delay=11_400_000
)
