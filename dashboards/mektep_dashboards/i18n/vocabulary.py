"""The closed lists of wire, verdicts and register in words for people. Each list is complete; a test holds it so."""

from collections.abc import Mapping
from types import MappingProxyType

from mektep_collector.access.elsewhere import NotLetIn
from mektep_collector.access.role import Role
from mektep_collector.reports.build.audits import Thoroughness
from mektep_collector.sla.audit import AuditVerdict
from mektep_collector.sla.freshness import Freshness
from mektep_collector.sla.lesson_readiness import Limit, Quantity
from mektep_collector.sla.norm import NormBasis
from mektep_collector.sla.platform import PlatformState
from mektep_collector.sla.shortfall import Shortfall
from mektep_collector.sla.verdict import Verdict
from mektep_dashboards.i18n.catalogue import mark
from mektep_wire import Cause, CauseReason, Direction, FailureKind, Origin, OutageCause, Outcome, ProbeName, SkipReason

FAILURES: Mapping[FailureKind, str] = MappingProxyType(
    {
        FailureKind.NO_INTERFACE: mark("the computer is not connected to a network"),
        FailureKind.NETWORK_UNREACHABLE: mark("no route to the internet"),
        FailureKind.HOST_UNREACHABLE: mark("the test server cannot be reached"),
        FailureKind.GATEWAY_UNREACHABLE: mark("the school's own router does not answer"),
        FailureKind.DNS_TIMEOUT: mark("the name service (DNS) does not answer"),
        FailureKind.DNS_NXDOMAIN: mark("the name service (DNS) does not know the test server"),
        FailureKind.DNS_ERROR: mark("the name service (DNS) answers with an error"),
        FailureKind.DNS_BOGUS: mark("the name service (DNS) gives a wrong address"),
        FailureKind.CONNECT_TIMEOUT: mark("no connection: the test server did not answer in time"),
        FailureKind.CONNECTION_REFUSED: mark("the test server refused the connection"),
        FailureKind.CONNECTION_RESET: mark("the connection broke off"),
        FailureKind.CLOSED_EARLY: mark("the test server ended the test too early"),
        FailureKind.STALLED: mark("the data stopped flowing during the test"),
        FailureKind.TIMEOUT: mark("the test took too long"),
        FailureKind.TLS_CERTIFICATE: mark("the test server's certificate is not valid"),
        FailureKind.TLS_ERROR: mark("the encrypted connection could not be set up"),
        FailureKind.CAPTIVE_PORTAL: mark("a login page of the network stands in the way"),
        FailureKind.PROXY_ERROR: mark("the proxy did not let the test through"),
        FailureKind.HANDSHAKE_REFUSED: mark("the test server turned the test down"),
        FailureKind.PROTOCOL_ERROR: mark("the other side is not a test server"),
        FailureKind.HTTP_SERVER_ERROR: mark("the platform answered with an error of its own"),
        FailureKind.HTTP_FORBIDDEN: mark("the platform refused to show its page"),
        FailureKind.HTTP_LEGALLY_BLOCKED: mark("the page is withheld for legal reasons"),
        FailureKind.HTTP_CLIENT_ERROR: mark("the platform has no such page"),
        FailureKind.HTTP_REDIRECT: mark("the platform sent the request on to another site"),
        FailureKind.HTTP_UNEXPECTED_CONTENT: mark("the platform's page is not as it should be"),
        FailureKind.NO_ANSWER: mark("none of the packets came back"),
        FailureKind.ENGINE_UNAVAILABLE: mark("this computer cannot run the test"),
        FailureKind.INTERRUPTED: mark("the computer was switched off or slept during the test"),
    }
)

ROLES: Mapping[Role, str] = MappingProxyType(
    {
        Role.VIEWER: mark("viewer"),
        Role.ANALYST: mark("analyst"),
        Role.OPERATOR: mark("operator"),
        Role.ADMINISTRATOR: mark("administrator"),
    }
)

SKIPS: Mapping[SkipReason, str] = MappingProxyType(
    {
        SkipReason.MACHINE_OFF: mark("the computer was switched off"),
        SkipReason.PAUSED: mark("measuring was paused at the school"),
        SkipReason.DATA_BUDGET: mark("the data budget was used up"),
        SkipReason.BUSY_LINK: mark("the line was in use for lessons"),
        SkipReason.OTHER_PROBER: mark("another computer of the school was measuring"),
        SkipReason.TARGET_POLICY: mark("the measuring server allowed no test at that time"),
    }
)

OUTAGE_CAUSES: Mapping[OutageCause, str] = MappingProxyType(
    {
        OutageCause.POWER: mark("the computer had no power"),
        OutageCause.AGENT_OFF: mark("the measuring program was off"),
        OutageCause.LAN: mark("the school's own network"),
        OutageCause.PROVIDER: mark("the provider's line"),
        OutageCause.DNS: mark("the name service (DNS)"),
        OutageCause.SERVICE: mark("the measuring server; the internet worked"),
        OutageCause.UNKNOWN: mark("cause not found"),
    }
)

CAUSES: Mapping[Cause, str] = MappingProxyType(
    {
        Cause.LAN: mark("the school's wiring or router"),
        Cause.WIFI: mark("the school's Wi-Fi"),
        Cause.PROVIDER: mark("the provider's line"),
        Cause.TARGET: mark("the test server or platform"),
        Cause.THIS_COMPUTER: mark("the computer that measured"),
        Cause.UNKNOWN: mark("cause not found"),
    }
)

CAUSE_REASONS: Mapping[CauseReason, str] = MappingProxyType(
    {
        CauseReason.NO_NETWORK: mark("the computer had no network"),
        CauseReason.GATEWAY_SILENT: mark("the school's router did not answer"),
        CauseReason.GATEWAY_LOSES: mark("packets were lost on the way to the school's router"),
        CauseReason.FULL_BEFORE_GATEWAY: mark("the way to the school's router was full"),
        CauseReason.PORT_SPEED: mark("the cable's port is set to less than the line should give"),
        CauseReason.WIFI_RATE: mark("the Wi-Fi's rate is less than the line should give"),
        CauseReason.WIFI_WEAK: mark("the Wi-Fi signal was weak"),
        CauseReason.PROCESSOR_BUSY: mark("the computer's processor was busy all the time"),
        CauseReason.OTHER_PROGRAMS: mark("other programs of the computer used the line"),
        CauseReason.TUNNEL: mark("the test went through a tunnel (VPN) of the computer"),
        CauseReason.WINDOW: mark("the computer's receive window was too small for the long way"),
        CauseReason.CANNOT_MEASURE: mark("the computer could not run the test"),
        CauseReason.LINE_IN_USE: mark("others at the school used the line"),
        CauseReason.NOTHING_BEYOND_GATEWAY: mark("the school's router answered, nobody behind it did"),
        CauseReason.FULL_BEHIND_GATEWAY: mark("the line behind the school's router was full at this speed"),
        CauseReason.OTHERS_SUFFER_TOO: mark("the way to the router was good, others could not be reached either"),
        CauseReason.TARGET_ALONE: mark("others could be reached, this one could not"),
        CauseReason.TARGET_REFUSES: mark("the other end answered, but did not do what was asked"),
        CauseReason.FULL_NEAR_TARGET: mark("the way was full only behind the provider's first routers"),
        CauseReason.TARGET_SLOW: mark("nothing on the way was full: the other end gave no more"),
        CauseReason.LOST_BEHIND_GATEWAY: mark("packets were lost somewhere behind the school's router"),
        CauseReason.NAMES_NOT_RESOLVED: mark("names could not be resolved (DNS)"),
        CauseReason.SOMETHING_BETWEEN: mark("something on the way answered in place of the other end"),
        CauseReason.OVER_ALREADY: mark("when it was looked at, everything worked again"),
        CauseReason.NOT_SHOWN: mark("what could be seen shows nobody's fault"),
    }
)

PROBES: Mapping[ProbeName, str] = MappingProxyType(
    {
        ProbeName.THROUGHPUT: mark("speed"),
        ProbeName.LATENCY: mark("latency"),
        ProbeName.PATH: mark("path"),
        ProbeName.PLATFORM: mark("learning platforms"),
        ProbeName.OUTAGE: mark("outages"),
    }
)

DIRECTIONS: Mapping[Direction, str] = MappingProxyType(
    {Direction.DOWNLOAD: mark("Download"), Direction.UPLOAD: mark("Upload")}
)

OUTCOMES: Mapping[Outcome, str] = MappingProxyType(
    {Outcome.OK: mark("measured"), Outcome.FAILED: mark("failed"), Outcome.SKIPPED: mark("not run")}
)

VERDICTS: Mapping[Verdict, str] = MappingProxyType(
    {
        Verdict.MEETS: mark("Meets the norm"),
        Verdict.BELOW_CONTRACT: mark("Below contract"),
        Verdict.BELOW_NORM: mark("Below the norm"),
        Verdict.BELOW_BOTH: mark("Below norm and contract"),
        Verdict.NOT_COMPARED: mark("No contract known"),
        Verdict.INSUFFICIENT_DATA: mark("Insufficient data"),
        Verdict.ALL_FAILED: mark("All tests failed"),
        Verdict.NO_DATA: mark("No data"),
    }
)

UPLOAD_VERDICTS: Mapping[Verdict, str] = MappingProxyType({**VERDICTS, Verdict.MEETS: mark("Keeps the contract")})
"""Upload has no norm, so what it meets is the contract."""

SHORTFALLS: Mapping[Shortfall, str] = MappingProxyType(
    {
        Shortfall.NONE: mark("the norm is met"),
        Shortfall.CONTRACT_BELOW_NORM: mark("the contract is for less than the norm"),
        Shortfall.PROVIDER_BELOW_CONTRACT: mark("the provider gives less than the contract"),
        Shortfall.CONTRACT_AND_PROVIDER: mark("the contract is for too little, and the provider gives less still"),
        Shortfall.INSIDE_SCHOOL: mark("the school's own network or computer"),
        Shortfall.NO_CONTRACT: mark("no contract is known"),
        Shortfall.BETWEEN: mark("the contract is kept and just too small"),
        Shortfall.INSUFFICIENT_DATA: mark("too few tests to say"),
    }
)

ORIGINS: Mapping[Origin, str] = MappingProxyType(
    {
        Origin.MEASURED: mark("measured"),
        Origin.SIMULATED: mark("simulated"),
    }
)

FRESHNESS: Mapping[Freshness, str] = MappingProxyType(
    {
        Freshness.LIVE: mark("Sending"),
        Freshness.SILENT: mark("Silent"),
        Freshness.NEVER: mark("Nothing yet"),
    }
)

PLATFORM_STATES: Mapping[PlatformState, str] = MappingProxyType(
    {
        PlatformState.REACHABLE: mark("Reachable"),
        PlatformState.SLOW: mark("Slow"),
        PlatformState.PLATFORM_DOWN: mark("Platform down"),
        PlatformState.INTERNET_DOWN: mark("Internet down"),
        PlatformState.UNKNOWN: mark("Cause unknown"),
    }
)

LIMITS: Mapping[Limit, str] = MappingProxyType(
    {
        Limit.DOWNLOAD: mark("The download speed is the limit"),
        Limit.UPLOAD: mark("The upload speed is the limit"),
        Limit.LATENCY: mark("The latency is too high"),
        Limit.LOSS: mark("Too many packets are lost"),
        Limit.PLATFORM: mark("The platform is down"),
        Limit.INTERNET: mark("The school's internet is down"),
        Limit.NOT_MEASURED: mark("Insufficient data"),
    }
)

QUANTITIES: Mapping[Quantity, str] = MappingProxyType(
    {
        Quantity.DOWNLOAD: mark("Download"),
        Quantity.UPLOAD: mark("Upload"),
        Quantity.LATENCY: mark("Latency"),
        Quantity.LOSS: mark("Packet loss"),
        Quantity.PLATFORM: mark("the platform's state"),
    }
)

AUDIT_VERDICTS: Mapping[AuditVerdict, str] = MappingProxyType(
    {
        AuditVerdict.AS_DRAWN: mark("audits as drawn"),
        AuditVerdict.MISSING: mark("audits are missing"),
        AuditVerdict.TOO_MANY: mark("more audits than were drawn"),
        AuditVerdict.MISSING_AND_TOO_MANY: mark("other audits than were drawn"),
        AuditVerdict.NOT_CHECKED: mark("audits not checked yet"),
    }
)

THOROUGHNESS: Mapping[Thoroughness, str] = MappingProxyType(
    {
        Thoroughness.SHORTENED: mark("short tests"),
        Thoroughness.FULL_LENGTH: mark("tests of full length"),
        Thoroughness.UNKNOWN: mark("no test yet"),
    }
)

NOT_LET_IN: Mapping[NotLetIn, str] = MappingProxyType(
    {
        NotLetIn.DECLINED: mark("The login on the other site was broken off. You may try again."),
        NotLetIn.STALE: mark(
            "That login took too long, was begun in another window, or the browser keeps no cookies. Begin again."
        ),
        NotLetIn.TOO_OFTEN: mark("Too many tries from your network. Please wait a minute and begin again."),
        NotLetIn.PROVIDER_AWAY: mark(
            "The other site that you wanted to log in with does not answer as it should. Try again in a minute, or log "
            "in with a password."
        ),
        NotLetIn.PROVIDER_WRONG: mark(
            "What the other site says of you could not be believed. Please tell who looks after this collector."
        ),
        NotLetIn.UNVERIFIED: mark(
            "The other site has not verified your e-mail address, and so does not say who you are."
        ),
        NotLetIn.UNKNOWN: mark(
            "You are logged in there, but nobody with your e-mail address is let in here. Please ask who looks after "
            "this collector."
        ),
        NotLetIn.SECOND_FACTOR: mark("You have a code from your phone: log in here with your password and that code."),
    }
)

NORM_BASES: Mapping[NormBasis, str] = MappingProxyType(
    {
        NormBasis.PUPILS: mark("by the number of pupils"),
        NormBasis.PLACES: mark("by the number of places, as the number of pupils is not in the register"),
        NormBasis.FLOOR: mark("the least norm, as the number of pupils is not in the register"),
        NormBasis.OPERATOR: mark("set by the operator for this school"),
    }
)

TECHNOLOGIES: Mapping[str, str] = MappingProxyType(
    {
        "fibre": mark("fibre"),
        "dsl": mark("telephone line (DSL)"),
        "radio": mark("radio link"),
        "mobile": mark("mobile network"),
        "satellite": mark("satellite"),
        "other": mark("other technology"),
        "unknown": mark("technology not known"),
    }
)

DEVICE_STATES: Mapping[str, str] = MappingProxyType({"active": mark("active"), "revoked": mark("revoked")})

PLATFORMS: Mapping[str, str] = MappingProxyType({"linux": "Linux", "windows": "Windows", "macos": "macOS"})
"""Names of systems, the same in every language."""

REGIONS: Mapping[str, str] = MappingProxyType(
    {
        "KZ-10": mark("Abai Region"),
        "KZ-11": mark("Akmola Region"),
        "KZ-15": mark("Aktobe Region"),
        "KZ-19": mark("Almaty Region"),
        "KZ-23": mark("Atyrau Region"),
        "KZ-27": mark("West Kazakhstan Region"),
        "KZ-31": mark("Zhambyl Region"),
        "KZ-33": mark("Zhetisu Region"),
        "KZ-35": mark("Karaganda Region"),
        "KZ-39": mark("Kostanay Region"),
        "KZ-43": mark("Kyzylorda Region"),
        "KZ-47": mark("Mangystau Region"),
        "KZ-55": mark("Pavlodar Region"),
        "KZ-59": mark("North Kazakhstan Region"),
        "KZ-61": mark("Turkistan Region"),
        "KZ-62": mark("Ulytau Region"),
        "KZ-63": mark("East Kazakhstan Region"),
        "KZ-71": mark("Astana"),
        "KZ-75": mark("Almaty"),
        "KZ-79": mark("Shymkent"),
    }
)
"""Regions by their ISO 3166-2 codes; a code that is not here is shown as it is."""
