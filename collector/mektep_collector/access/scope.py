"""The part of the country that somebody is let see."""

from typing import Final

import msgspec


class Scope(msgspec.Struct, frozen=True):
    """Regions by their ISO 3166-2 codes; None: all of them, also such as are added later."""

    regions: frozenset[str] | None = None

    def includes(self, region: str) -> bool:
        """Tell whether what is in a region may be seen."""
        return self.regions is None or region in self.regions


WHOLE_COUNTRY: Final = Scope()
