"""The agent renews its token over real sockets: whatever is lost or killed on the way, a token on disk is good."""

import random
import signal
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from mektep_agent.clock import SystemTime
from mektep_agent.config.lock import only_one
from mektep_agent.config.state_folder import StateFolder
from mektep_agent.identity.address import PlainHttp
from mektep_agent.identity.device import Device, load_device, store_device
from mektep_agent.identity.renewal import PREVIOUS_KEPT
from mektep_agent.uplink.carrier import Consignment, NewsOutcome, Renewal, RenewalOutcome
from mektep_agent.uplink.correspondence import Correspondence
from mektep_agent.uplink.enrol import enrol
from mektep_agent.uplink.http_collector import HttpCollector, http_collector
from mektep_wire import encode, new_uuid7
from tests.support.agent_program import Agent, ended, until_logged
from tests.support.agent_time import BOOT, a_reading
from tests.support.dying_folder import DyingFolder, KilledError, Moment
from tests.support.fake_collector import CODE, TOKEN, FakeCollector, TokenOrder, fake_collector

CHANCE = random.Random(5)


class School:
    """A device whose assignment wants its token renewed."""

    def __init__(self, collector: FakeCollector, http: HttpCollector, place: Path) -> None:
        self.collector = collector
        self.http = http
        self.folder = StateFolder(place)
        enrol(self.folder, http, collector.url, CODE, PlainHttp.REFUSED, SystemTime())
        self.want_renewal()

    def want_renewal(self) -> None:
        """Let the operator ask for tokens made until now."""
        asked = self.collector.assignment
        self.collector.assignment = msgspec.structs.replace(
            asked, version=asked.version + 1, renewal_asked_at=self.collector.now()
        )
        assert self.opened().fetch_assignment(asked.version).outcome is NewsOutcome.ADOPTED

    def device(self) -> Device:
        device = load_device(self.folder)
        assert device is not None
        return device

    def tokens(self) -> tuple[str, str | None]:
        """Return what is on disk."""
        return self.device().token, self.device().previous_token

    def opened(self, folder: StateFolder | None = None) -> Correspondence:
        """Begin as a courier does, from what is on disk."""
        return Correspondence(folder or self.folder, self.http, self.device())

    def sends(self, by: Correspondence | None = None) -> bool:
        """Tell whether a batch is taken."""
        batch_id = new_uuid7(self.collector.now(), CHANCE)
        reading = msgspec.structs.replace(a_reading(CHANCE), epoch=batch_id)
        consignment = Consignment(batch_id=batch_id, boot_id=BOOT, readings=[msgspec.Raw(encode(reading))])
        return (by or self.opened()).send(consignment).status == 200

    def renewal(self, by: Correspondence | None = None) -> Renewal:
        return (by or self.opened()).renew_token(self.collector.now())


@pytest.fixture
def school(tmp_path: Path) -> Iterator[School]:
    with (
        fake_collector() as collector,
        http_collector(collector.url, SystemTime(), connect_timeout_s=1.0, request_timeout_s=2.0) as http,
    ):
        made = School(collector, http, tmp_path)
        yield made
        assert collector.faults == []


def test_a_token_that_is_due_is_renewed_once_and_used_at_once(school: School) -> None:
    by = school.opened()
    assert school.renewal(by).outcome is RenewalOutcome.RENEWED
    assert school.sends(by)
    new = school.collector.tokens[-1]
    assert (school.collector.used_tokens[-1], school.tokens()) == (new, (new, TOKEN))
    assert school.renewal(by).outcome is RenewalOutcome.NOT_DUE
    assert school.renewal().outcome is RenewalOutcome.NOT_DUE


@pytest.mark.parametrize(
    ("order", "outcome"),
    [
        (TokenOrder.MAKE_AND_DROP, RenewalOutcome.UNREACHED),
        (TokenOrder.PORTAL, RenewalOutcome.UNREACHED),
        (TokenOrder.OTHER_DEVICE, RenewalOutcome.UNREACHED),
        (TokenOrder.BUSY, RenewalOutcome.REFUSED),
        (TokenOrder.UNKNOWN, RenewalOutcome.REFUSED),
    ],
)
def test_without_an_answer_that_can_be_used_the_old_token_is_used_and_it_is_asked_again(
    school: School, order: TokenOrder, outcome: RenewalOutcome
) -> None:
    school.collector.token_orders.append(order)
    by = school.opened()
    renewal = school.renewal(by)
    assert renewal.outcome is outcome
    assert "mkd_" not in renewal.detail
    assert school.tokens() == (TOKEN, None)
    assert school.sends(by)
    assert school.renewal().outcome is RenewalOutcome.RENEWED
    assert school.sends()


@pytest.mark.parametrize("moment", Moment)
def test_killed_as_the_new_token_is_written_the_device_can_send(school: School, moment: Moment) -> None:
    dying = school.opened(DyingFolder(school.folder.path, moment))
    with pytest.raises(KilledError):
        school.renewal(dying)
    assert school.tokens() == (
        (TOKEN, None) if moment is Moment.BEFORE_WRITING else (school.collector.tokens[-1], TOKEN)
    )
    assert school.sends()
    assert school.renewal().outcome is (
        RenewalOutcome.RENEWED if moment is Moment.BEFORE_WRITING else RenewalOutcome.NOT_DUE
    )
    assert school.sends()


def test_a_new_token_that_is_refused_is_left_for_the_old_one_and_renewed_at_once(school: School) -> None:
    school.renewal()
    refused = school.collector.tokens.pop()
    by = school.opened()
    assert school.sends(by)
    assert school.collector.used_tokens[-2:] == [refused, TOKEN]
    assert school.sends(by)
    assert school.collector.used_tokens[-1] == TOKEN, "the refused one is not tried for every batch"
    assert school.renewal(by).outcome is RenewalOutcome.RENEWED
    assert school.tokens() == (school.collector.tokens[-1], TOKEN)
    assert school.sends()


def test_where_both_are_refused_both_are_kept(school: School) -> None:
    school.renewal()
    kept = school.tokens()
    good = list(school.collector.tokens)
    school.collector.tokens.clear()
    assert not school.sends()
    assert school.tokens() == kept
    school.collector.tokens += good
    assert school.sends()


def test_the_old_token_is_dropped_when_the_new_one_was_accepted_and_a_month_has_passed(school: School) -> None:
    school.renewal()
    new = school.collector.tokens[-1]
    assert school.sends()
    assert school.tokens() == (new, TOKEN)
    school.collector.clock_ahead_s = PREVIOUS_KEPT.total_seconds()
    school.collector.tokens = [TOKEN]
    assert school.sends()
    assert school.tokens() == (new, TOKEN), "the new one is not accepted"
    school.collector.tokens = [new]
    assert school.sends()
    assert school.tokens() == (new, None)


def test_a_courier_of_an_earlier_run_undoes_nothing(school: School) -> None:
    late = school.opened()
    assert school.renewal().outcome is RenewalOutcome.RENEWED
    assert school.renewal(late).outcome is RenewalOutcome.NOT_KEPT
    assert school.tokens() == (school.collector.tokens[1], TOKEN)
    store_device(school.folder, msgspec.structs.replace(school.device(), token_made_at=school.device().enrolled_at))
    school.want_renewal()
    with only_one(school.folder.identity_lock):
        assert school.renewal().outcome is RenewalOutcome.NOT_KEPT
    assert school.renewal().outcome is RenewalOutcome.RENEWED


def test_a_token_of_90_days_is_renewed_where_the_assignment_says_nothing(school: School) -> None:
    assert school.renewal().outcome is RenewalOutcome.RENEWED
    by = school.opened()
    at = school.collector.now() + timedelta(days=90)
    school.collector.clock_ahead_s = timedelta(days=90).total_seconds()
    assert by.renew_token(at - timedelta(hours=1)).outcome is RenewalOutcome.NOT_DUE
    assert by.renew_token(at).outcome is RenewalOutcome.RENEWED


def test_the_program_renews_its_token_in_the_course_of_sending_and_its_log_does_not_tell_it(tmp_path: Path) -> None:
    with fake_collector() as collector:
        agent = Agent(tmp_path / "state", startup_delay_max_s="0")
        assert agent.call("enrol", collector.url, "--code", CODE).returncode == 0
        collector.assignment = msgspec.structs.replace(
            collector.assignment, version=2, renewal_asked_at=collector.now()
        )
        with agent.running() as process:
            said = [until_logged(process, "token_renewed")]
            assert collector.wait_until(lambda: collector.used_tokens[-1] == collector.tokens[-1] != TOKEN, 100.0)
            said += ended(process, signal.SIGTERM)
        assert "mkd_" not in str(said)
        assert collector.faults == []


def test_the_program_killed_while_it_asks_leaves_a_device_that_can_send(tmp_path: Path) -> None:
    with fake_collector() as collector:
        agent = Agent(tmp_path / "state", startup_delay_max_s="0")
        assert agent.call("enrol", collector.url, "--code", CODE).returncode == 0
        collector.assignment = msgspec.structs.replace(
            collector.assignment, version=2, renewal_asked_at=collector.now()
        )
        with agent.running() as process:
            collector.on_token_asked = process.kill
            assert process.wait(100) == -signal.SIGKILL
        collector.on_token_asked = lambda: None
        stored_count = len(collector.stored)
        assert agent.call("run", "--once").returncode in {0, 3}
        assert len(collector.stored) > stored_count
        assert collector.used_tokens[-1] in collector.tokens
        assert collector.faults == []
