"""The schools of a simulated fleet: each made from the seed and its own number, so that a larger fleet begins alike."""

from datetime import date, timedelta
from random import Random
from typing import Final

import msgspec

from mektep_collector.registry.records import Commitment, School, Technology
from mektep_collector.registry.regions import REGIONS
from mektep_collector.simulate.link import Link, LinkKind, draw_link

PROVIDERS: Final = ("Simulated provider A", "Simulated provider B", "Simulated provider C", "Simulated provider D")
"""Providers that do not exist, and say so in their names."""
_FEWEST_PUPILS, _MOST_PUPILS = 20, 2_500
_CONTRACTS_MBPS: Final = (4.0, 8.0, 10.0, 20.0, 30.0, 50.0, 100.0)
_TECHNOLOGIES: Final = {
    LinkKind.FIBRE: Technology.FIBRE,
    LinkKind.MICROWAVE: Technology.RADIO,
    LinkKind.GEOSTATIONARY: Technology.SATELLITE,
    LinkKind.LOW_ORBIT: Technology.SATELLITE,
    LinkKind.MOBILE: Technology.MOBILE,
}


class SimulatedSchool(msgspec.Struct, frozen=True, kw_only=True):
    """A school that does not exist: its id and name begin with what says so, whoever reads them.

    `wrong_by_s` is how far its computer's wall clock is off. From `silent_from` on, in days since the simulation's
    first, it sends nothing; on `swapped_on` another computer takes the place of the first.
    """

    number: int
    seed: int
    id: str
    name: str
    region: str
    provider: str
    pupils_count: int
    contract_mbps: float
    link: Link
    wrong_by_s: float
    silent_from: int | None
    swapped_on: int | None

    def random(self, *of: object) -> Random:
        """Return a source of chance of this school for one purpose: the same each time."""
        return Random(f"{self.seed} {self.number} {of}")  # noqa: S311 - the same seed must make the same schools

    def record(self, first_day: date) -> School:
        """Return the school as the register has it."""
        return School(
            id=self.id,
            name=self.name,
            region=self.region,
            district="Simulated district",
            pupils_count=self.pupils_count,
            technology=_TECHNOLOGIES[self.link.kind],
            commitment=Commitment(
                provider=self.provider,
                download_mbps=self.contract_mbps,
                upload_mbps=max(1.0, self.contract_mbps / 4),
                valid_from=first_day - timedelta(days=30),
            ),
        )


def school(number: int, seed: int) -> SimulatedSchool:
    """Return the school of this number, counted from 1: the same for the same seed, whatever the fleet's size.

    Raises ValueError for a number below 1.
    """
    if number < 1:
        raise ValueError(f"schools are counted from 1, so there is no school {number}")
    random = Random(f"{seed} {number}")  # noqa: S311 - the same seed must make the same schools
    region, provider = random.choice(list(REGIONS)), random.choice(PROVIDERS)
    pupils_count = min(_MOST_PUPILS, max(_FEWEST_PUPILS, round(random.lognormvariate(5.7, 0.9))))
    link = draw_link(random)
    affordable = [each for each in _CONTRACTS_MBPS if each <= link.download_mbps * 1.4] or [_CONTRACTS_MBPS[0]]
    return SimulatedSchool(
        number=number,
        seed=seed,
        id=f"simulated-{number}",
        name=f"Simulated school {number}",
        region=region,
        provider=provider,
        pupils_count=pupils_count,
        contract_mbps=affordable[-1],
        link=link,
        wrong_by_s=_wrong_by_s(random),
        silent_from=random.randrange(1, 60) if random.random() < 0.04 else None,
        swapped_on=random.randrange(1, 60) if random.random() < 0.02 else None,
    )


def fleet(schools_count: int, seed: int) -> list[SimulatedSchool]:
    """Return schools 1 to `schools_count`; raises ValueError unless there is at least one."""
    if schools_count < 1:
        raise ValueError(f"a fleet has at least one school, not {schools_count}")
    return [school(number, seed) for number in range(1, schools_count + 1)]


def _wrong_by_s(random: Random) -> float:
    """Draw how wrong a clock is: most are right to a second, some live in another zone, few in another century."""
    chance = random.random()
    if chance < 0.85:
        return random.gauss(0.0, 0.4)
    if chance < 0.95:
        return random.uniform(-900.0, 900.0)
    if chance < 0.99:
        return random.choice((-1.0, 1.0)) * 3_600.0
    return -random.uniform(1.0, 20.0) * 365.25 * 86_400.0
