"""One speed as a bar against its norm and its contract, for the top of a school's page."""

from markupsafe import Markup

from mektep_collector.sla.verdict import Bounds
from mektep_dashboards.charts.svg import short, tag
from mektep_dashboards.i18n.speech import Speech

_WIDTH = 300.0
_ROOM = 1.12


def gauge(value_mbps: float | None, bounds: Bounds, look: str, speech: Speech) -> Markup:
    """Return the bar; without a value there is only the track with its bounds."""
    known = [bound for bound in (value_mbps, bounds.norm_mbps, bounds.contract_mbps) if bound is not None]
    top = max(known, default=1.0) * _ROOM or 1.0
    children = [tag("rect", x=0, y=8, width=_WIDTH, height=10, rx=5, class_="gauge-track")]
    said = []
    if value_mbps is not None:
        filled = max(value_mbps / top * _WIDTH, 3.0)
        children.append(tag("rect", x=0, y=8, width=filled, height=10, rx=5, class_=f"gauge-fill gauge-{look}"))
        said.append(speech.mbps(value_mbps, (bounds.norm_mbps, bounds.contract_floor_mbps)))
    for bound_mbps, kind, name in (
        (bounds.norm_mbps, "norm", speech.gettext("Norm")),
        (bounds.contract_mbps, "contract", speech.gettext("Contract")),
    ):
        if bound_mbps is not None:
            x = bound_mbps / top * _WIDTH
            children.append(tag("path", d=f"M{short(x)} 2V24", class_=f"gauge-tick {kind}"))
            said.append(f"{name}: {speech.bound_mbps(bound_mbps)}")
    return tag(
        "svg", children, view_box=f"0 0 {short(_WIDTH)} 26", role="img", aria_label="; ".join(said), class_="gauge"
    )
