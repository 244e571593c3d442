"""Templates in each language. What a page says of numbers, it gets from `say`; of charts, from `charts`."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined

from mektep_collector.sla.verdict import CONTRACT_MIN_RATIO, MIN_TESTS_COUNT
from mektep_dashboards.charts.frame import Width
from mektep_dashboards.charts.gauge import gauge
from mektep_dashboards.charts.latency import latency
from mektep_dashboards.charts.sparkline import sparkline
from mektep_dashboards.charts.throughput import throughput
from mektep_dashboards.i18n import vocabulary
from mektep_dashboards.i18n.collation import sorting_key
from mektep_dashboards.i18n.language import NAMES, Language
from mektep_dashboards.i18n.speech import Speech, all_speeches
from mektep_dashboards.pages.assets import Asset
from mektep_dashboards.pages.headline import headline
from mektep_dashboards.pages.kept_rows import KeptRows
from mektep_dashboards.pages.looks import AUDIT_LOOKS, FRESHNESS_LOOKS, LIMIT_LOOKS, PLATFORM_LOOKS, VERDICT_LOOKS
from mektep_wire import Direction

_EXTENSIONS = ("jinja2.ext.i18n", "jinja2.ext.do")


class Rendering:
    """Renders templates; one environment a language, made once."""

    def __init__(self, assets: Mapping[str, Asset], test_address: str = "") -> None:
        self._assets = assets
        self._test_address = test_address
        self._environments = {language: self._environment(speech) for language, speech in all_speeches().items()}

    def render(self, template: str, language: Language, path: str, query: Mapping[str, str], **facts: object) -> str:
        """Return a page for the address of `path` and `query`."""
        switches = [
            (other, NAMES[other], f"{quote(path)}?{urlencode({**query, 'lang': other.value})}") for other in Language
        ]
        shown = {"visitor": None, **facts}
        return self._environments[language].get_template(template).render(switches=switches, **shown)

    def _environment(self, speech: Speech) -> Environment:
        environment = Environment(
            loader=PackageLoader("mektep_dashboards"),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=_EXTENSIONS,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.policies["ext.i18n.trimmed"] = True
        installed: Any = environment  # the i18n extension adds its methods at run time
        installed.install_gettext_translations(speech.messages, newstyle=True)
        environment.globals.update(
            say=speech,
            words=vocabulary,
            Direction=Direction,
            Width=Width,
            charts={"gauge": gauge, "latency": latency, "sparkline": sparkline, "throughput": throughput},
            assets=MappingProxyType({name: asset.address for name, asset in self._assets.items()}),
            test_address=self._test_address,
            headline=headline,
            kept_row=KeptRows(),
            verdict_looks=VERDICT_LOOKS,
            freshness_looks=FRESHNESS_LOOKS,
            audit_looks=AUDIT_LOOKS,
            limit_looks=LIMIT_LOOKS,
            platform_looks=PLATFORM_LOOKS,
            min_tests_count=MIN_TESTS_COUNT,
            contract_min_ratio=CONTRACT_MIN_RATIO,
            region_choices=partial(_region_choices, speech),
        )
        environment.filters["school_address"] = school_address
        return environment


def _region_choices(speech: Speech, regions: Mapping[str, int]) -> Sequence[tuple[str, str, int]]:
    named = [
        (code, speech.gettext(vocabulary.REGIONS[code]) if code in vocabulary.REGIONS else code, count)
        for code, count in regions.items()
    ]
    return sorted(named, key=lambda one: sorting_key(one[1]))


def school_address(school_id: str) -> str:
    """Return the address of a school's page."""
    return f"/schools/{quote(school_id, safe='')}"
