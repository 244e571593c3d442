from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from mektep_collector.store.local_day import LocalDays

ZONES = ["Asia/Almaty", "Asia/Qostanay", "Europe/Berlin", "America/Asuncion", "Africa/Cairo", "Pacific/Chatham", "UTC"]


@given(
    st.sampled_from(ZONES),
    st.lists(
        st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 (bounds are naive)
        min_size=1,
        max_size=20,
    ),
)
def test_a_day_is_the_date_on_the_schools_wall(name: str, times: list[datetime]) -> None:
    zone = ZoneInfo(name)
    days = LocalDays(zone)
    for at in times + [at + timedelta(seconds=step) for at in times for step in (-1, 0, 1)]:
        assert days.day(at) == at.astimezone(zone).date().isoformat()


def test_the_night_in_which_almaty_put_its_clocks_back_belongs_to_the_old_day() -> None:
    days = LocalDays(ZoneInfo("Asia/Almaty"))
    assert days.day(datetime(2024, 2, 29, 18, 30, tzinfo=UTC)) == "2024-02-29"
    assert days.day(datetime(2024, 2, 29, 19, 0, tzinfo=UTC)) == "2024-03-01"
