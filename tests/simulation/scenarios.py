"""The runs that are asked for by name: what happens in each, and when it has passed."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from tests.simulation.behaviours import BEHAVIOURS, EVERY_BEHAVIOUR, TWO_FACED
from tests.simulation.network import LinkRules
from tests.simulation.outcome import Outcome
from tests.simulation.safety import Broken
from tests.simulation.settings import Crashes, Partition, Settings, Work

LINKS = (
    LinkRules(1, 5),
    LinkRules(5, 50),
    LinkRules(20, 300),
    LinkRules(5, 50, lost=20, doubled=20, late=20, late_ms=500),
)
"""One office, one continent, the world, and a bad line: a seed has one of them."""

LOSSY = LinkRules(5, 80, lost=200, doubled=50, late=200, late_ms=1500)
"""A fifth of all packets is lost, another fifth overtaken."""

FEWEST_IN_TIME_PERCENT = 99
HEALING_BOUND_MS = 10_000
MOST_HELD_BYTES = 100_000
"""What a state may hold, whatever others send, where a block has some 200 bytes."""

CALM_MS = 15_000
"""Time between two partitions."""

PARTITION_MS = (
    *(500, 1_500, 3_000, 5_900, 6_100, 8_000, 12_000),
    *(17_000, 25_000, 40_000, 80_000, 150_000, 400_000),
)
"""How long partitions last, among them around the timeouts of a round."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Settings for a number of heights and a seed, and what a seed must show beside safety."""

    name: str
    settings: Callable[[int, int], Settings]
    heights: int
    seeds: int
    is_timely: bool = False
    """99 of 100 heights are decided in time."""

    must_fork: bool = False
    """More than f validators collude: the checker has to find the fork."""

    def faults(self, outcome: Outcome) -> list[str]:
        """Return what is wrong with a run; nothing where it passed."""
        if self.must_fork:
            forked = any(each.rule is Broken.FORK for each in outcome.violations)
            return [] if forked else ["no fork was found"]
        faults = [f"height {each.height}: {each.rule}" for each in outcome.violations]
        if self.is_timely and 100 * outcome.in_time < FEWEST_IN_TIME_PERCENT * outcome.heights:
            faults.append(f"{outcome.in_time} of {outcome.heights} heights in time")
        faults += [f"healed in {ms} ms" for ms in outcome.healing_ms if ms > HEALING_BOUND_MS]
        if outcome.never_healed:
            faults.append(f"no progress after {outcome.never_healed} partitions")
        if outcome.most_held_bytes > MOST_HELD_BYTES:
            faults.append(f"a state holds {outcome.most_held_bytes} bytes")
        if not outcome.decided:
            faults.append("nothing was decided")
        return faults


def one_of_four(behaviour: str) -> Callable[[int, int], Settings]:
    """Return the settings of one byzantine validator of four, of a seed's place and links."""

    def settings(heights: int, seed: int) -> Settings:
        return Settings(
            validators=4,
            byzantine=(seed % 4,),
            behaviours=(behaviour,),
            heights=heights,
            links=LINKS[seed // 4 % len(LINKS)],
            most_skew_ms=500,
        )

    return settings


def two_of_seven(heights: int, seed: int) -> Settings:
    """Return the settings of two byzantine validators of seven on a lossy network."""
    names = EVERY_BEHAVIOUR
    first, second = names[seed % len(names)], names[(seed * 3 + 1) % len(names)]
    behaviours = (TWO_FACED,) if TWO_FACED in (first, second) else (first, second)
    return Settings(
        validators=7,
        byzantine=(seed % 7, (seed + 1 + seed % 3) % 7),
        behaviours=behaviours,
        heights=heights,
        links=LOSSY,
        work=Work(2, 20, slow=20, slow_ms=8_000),
        most_skew_ms=500,
    )


def partitioned(sides: tuple[tuple[int, ...], ...]) -> Callable[[int, int], Settings]:
    """Return the settings of four honest validators that are cut apart again and again."""

    def settings(heights: int, seed: int) -> Settings:
        shift = seed % 4
        moved = tuple(tuple((index + shift) % 4 for index in side) for side in sides)
        partitions: list[Partition] = []
        now_ms = 3_000 + 371 * seed
        while now_ms < heights * 12_000:
            length = PARTITION_MS[(len(partitions) * 5 + seed) % len(PARTITION_MS)] + 37 * seed
            partitions.append(Partition(now_ms, now_ms + length, moved))
            now_ms += length + CALM_MS + 113 * (len(partitions) % 17)
        links = LINKS[seed % len(LINKS)]
        return Settings(
            heights=heights, links=links, partitions=tuple(partitions), most_skew_ms=500
        )

    return settings


def honest(heights: int, seed: int) -> Settings:
    """Return the settings of four honest validators."""
    return Settings(heights=heights, links=LINKS[seed % len(LINKS)], most_skew_ms=500)


def crashing(heights: int, seed: int) -> Settings:
    """Return the settings of four honest validators that crash and lose packets."""
    every_ms = (3_000, 10_000, 30_000)[seed % 3]
    return Settings(
        heights=heights,
        links=LOSSY if seed % 2 else LINKS[3],
        crashes=Crashes(every_ms),
        work=Work(2, 20, slow=50, slow_ms=8_000, unready=30),
        most_skew_ms=500,
    )


def crashing_byzantine(heights: int, seed: int) -> Settings:
    """Return the settings of one byzantine validator among three that crash."""
    names = tuple(BEHAVIOURS)
    behaviours = (names[seed % len(names)], names[(seed * 5 + 2) % len(names)])
    return replace(crashing(heights, seed), byzantine=(seed % 4,), behaviours=behaviours)


def changing_set(heights: int, seed: int) -> Settings:
    """Return the settings of five validators of which another four vote every few heights."""
    names = tuple(BEHAVIOURS)
    return Settings(
        validators=5,
        byzantine=(seed % 5,),
        behaviours=(names[seed % len(names)],),
        heights=heights,
        links=LINKS[seed // 2 % len(LINKS)],
        most_skew_ms=500,
        epoch_heights=3 + seed % 8,
    )


def ring(heights: int, seed: int) -> Settings:
    """Return the settings of seven validators, two byzantine, each with links to four others."""
    settings = two_of_seven(heights, seed)
    names = tuple(BEHAVIOURS)
    behaviours = (names[seed % len(names)], names[(seed * 5 + 2) % len(names)])
    links = LINKS[seed % len(LINKS)]
    return replace(settings, links=links, behaviours=behaviours, work=Work(), reach=2)


def over_the_bound(heights: int, seed: int) -> Settings:
    """Return the settings of two colluders of four: more than a third."""
    return Settings(
        byzantine=(seed % 4, (seed + 1) % 4),
        behaviours=(TWO_FACED,),
        heights=heights,
        links=LINKS[seed % len(LINKS)],
    )


def real_signatures(heights: int, seed: int) -> Settings:
    """Return the settings of one byzantine validator of four; secp256k1 and bytes on the wire."""
    names = tuple(BEHAVIOURS)
    settings = one_of_four(names[seed % len(names)])(heights, seed)
    return replace(settings, real_signatures=True)


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("honest", honest, 10_000, 4, is_timely=True),
        *(
            Scenario(name, one_of_four(name), 10_000, 20, is_timely=True)
            for name in EVERY_BEHAVIOUR
        ),
        Scenario("two-of-seven", two_of_seven, 2_000, 10),
        Scenario("partition-2-2", partitioned(((0, 1), (2, 3))), 2_000, 10),
        Scenario("partition-3-1", partitioned(((0, 1, 2), (3,))), 2_000, 10),
        Scenario("crashes", crashing, 2_000, 12),
        Scenario("byzantine-crashes", crashing_byzantine, 2_000, 12),
        Scenario("changing-set", changing_set, 2_000, 10, is_timely=True),
        Scenario("ring", ring, 2_000, 10),
        Scenario("real-signatures", real_signatures, 200, 9, is_timely=True),
        Scenario("over-the-bound", over_the_bound, 100, 20, must_fork=True),
    )
}
"""Every scenario by name, with the number of heights and seeds of a whole run."""
