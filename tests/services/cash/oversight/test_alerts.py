"""Alerts: what the rules count, who sees it, and that a look is seen by the one whose wallet it was."""

from datetime import UTC, date, datetime, timedelta

import pytest

from sanpo.ground.errors import NotFound, NotPermitted
from sanpo.ground.ids import new_id
from sanpo.journal import list_entries
from sanpo.services.cash.model import rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.oversight.alerts import Purpose, list_alerts, look_at_alert, watch
from sanpo.services.cash.oversight.model import Event, Finding, alert_rules, find
from sanpo.services.cash.oversight.suspending import list_suspended, suspend_wallet
from tests.services.cash.conftest import Town
from tests.services.cash.oversight import spec_alerts
from tests.services.cash.settling.reference_pages import tables_of
from tests.world import OPERATOR

START = datetime(2026, 4, 1, tzinfo=UTC)
DAYS = date(2026, 3, 31), date(2026, 4, 2)


@pytest.mark.parametrize(("title", "rows"), tables_of(spec_alerts.CASES))
def test_rules_count_what_is_specified(title: str, rows: list[dict[str, str]]) -> None:
    named = {rule.name: rule for rule in alert_rules()}
    for row in rows:
        pairs = [event.split(":") for event in row["events"].split()]
        events = [Event(START + timedelta(minutes=int(minutes)), int(yen)) for minutes, yen in pairs]
        found = find(events, named[row["rule"]])
        told = ("", "") if found is None else (str(found.times), str(found.sum_yen))
        assert told == (row["times"], row["yen"]), row


def test_rules_stand_by_the_limits_that_they_name() -> None:
    named = {rule.name: rule for rule in alert_rules()}
    assert named["payments_below_limit"].most_yen == rules().payment_limit_yen
    assert named["charges_below_limit"].most_yen == rules().wallet_limit_yen
    assert all(rule.of in ("charges", "payments") and rule.text.keys() == {"ja", "en"} for rule in named.values())


def test_finding_names_the_first_and_the_last_of_the_run() -> None:
    events = [Event(START + timedelta(hours=hours), 190_000) for hours in (0, 100, 101, 102)]
    found = find(events, alert_rules()[0])
    assert found == Finding(events[1].at, events[3].at, 3, 570_000)


def small_charges(town: Town, times: int = 10) -> None:
    for _ in range(times):
        assert town.charge(town.aya, 100) is Outcome.DONE


def test_many_small_charges_are_told_once_without_a_name(town: Town) -> None:
    small_charges(town, 8)  # with the first one of the town, nine
    assert watch(town.city) == 0
    small_charges(town, 1)
    assert [watch(town.city) for _ in range(2)] == [1, 0]
    [alert] = list_alerts(town.city, town.world.officer, *DAYS)
    assert (alert.rule, alert.times, alert.sum_yen) == ("many_small_charges", 10, 10_900)
    assert "subject_no" not in alert.__dataclass_fields__
    small_charges(town, 1)
    assert watch(town.city) == 1
    [grown] = list_alerts(town.city, OPERATOR, *DAYS)
    assert (grown.alert_id, grown.times) == (alert.alert_id, 11)


def test_look_at_an_alert_is_in_the_journal_for_the_resident(town: Town) -> None:
    small_charges(town)
    watch(town.city)
    [alert] = list_alerts(town.city, OPERATOR, *DAYS)
    assert [entry for entry in list_entries(town.city) if entry.kind == "cash.look"] == []
    look = look_at_alert(town.city, town.world.officer, alert.alert_id, Purpose.REVIEW)
    assert (look.subject_no, look.alert) == (town.aya.subject_no, alert)
    [entry] = [entry for entry in list_entries(town.city) if entry.kind == "cash.look"]
    assert entry.body["purpose"] == "review"
    suspend_wallet(town.city, town.world.officer, alert.alert_id, "確認のため")
    assert [each.subject_no for each in list_suspended(town.city, OPERATOR)] == [town.aya.subject_no]


def test_alerts_are_for_officers_only(town: Town) -> None:
    small_charges(town)
    watch(town.city)
    [alert] = list_alerts(town.city, OPERATOR, *DAYS)
    for actor in (town.aya, town.till):
        with pytest.raises(NotPermitted):
            list_alerts(town.city, actor, *DAYS)
        with pytest.raises(NotPermitted):
            look_at_alert(town.city, actor, alert.alert_id, Purpose.REVIEW)
    with town.city.transaction(town.aya) as tx:
        assert tx.all("select * from cash.alerts") == []
    with pytest.raises(NotFound):
        look_at_alert(town.city, OPERATOR, new_id("alr"), Purpose.REVIEW)
