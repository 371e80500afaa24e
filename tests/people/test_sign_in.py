"""Sessions through the actions: links, sign-out, acting for another, and the hot path from cookie to actor."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest

from sanpo.ground.actors import Anonymous, Resident, System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.csrf import csrf_token
from sanpo.ground.errors import InputIsInvalid, NotFound, NotPermitted, NotSignedIn
from sanpo.ground.ids import IdIsMalformed
from sanpo.people import actor_of, make_sign_in_link, name_of
from sanpo.people.actions import end_representation
from sanpo.people.errors import ActsForAnother, SignInLinkIsNotValid, TokenIsNotValid
from sanpo.people.organisations import end_staff
from sanpo.people.sign_in import act_for, end_session, list_sessions, sign_in_with_link, sign_out
from sanpo.people.tokens import hash_of, new_token
from sanpo.people.upkeep import forget_expired
from tests.people.conftest import OPERATOR, YEAR, Town


def test_link_signs_its_holder_in(town: Town) -> None:
    resident = town.resident(town.hanako)
    assert resident == Resident(
        town.hanako.resident_id, town.hanako.subject_no, town.hanako.resident_id, "self", resident.session_id
    )
    officer = town.staff(town.officer_id)
    assert (officer.organisation_id, officer.role) == (town.hall.organisation_id, "officer")
    assert name_of(town.city, officer) == "市川 係長"


def test_replayed_link_is_refused(town: Town) -> None:
    """people.sign_in_link_is_not_valid"""
    link = make_sign_in_link(town.city, OPERATOR, town.taro.resident_id)
    sign_in_with_link(town.city, link.token)
    with pytest.raises(SignInLinkIsNotValid):
        sign_in_with_link(town.city, link.token)


def test_link_signs_in_once_when_it_is_used_at_the_same_moment(town: Town) -> None:
    link = make_sign_in_link(town.city, OPERATOR, town.taro.resident_id)
    begun: list[str] = []
    gate = Barrier(4)

    def use() -> None:
        gate.wait()
        with suppress(SignInLinkIsNotValid):
            begun.append(sign_in_with_link(town.city, link.token).session_id)

    threads = [Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(begun) == 1


def test_expired_link_is_refused(town: Town, clock: FixedClock) -> None:
    link = make_sign_in_link(town.city, OPERATOR, town.taro.resident_id, lifetime=timedelta(minutes=5))
    clock.advance(minutes=5)
    with pytest.raises(SignInLinkIsNotValid):
        sign_in_with_link(town.city, link.token)


def test_guessed_link_is_refused(town: Town) -> None:
    for token in ("", "x", new_token(), "a" * 43 + "\n", "é" * 43):
        with pytest.raises(SignInLinkIsNotValid):
            sign_in_with_link(town.city, token)


def test_links_are_made_by_the_operator_only(town: Town) -> None:
    for actor in (town.resident(town.taro), town.staff(town.officer_id), System("jobs")):
        with pytest.raises(NotPermitted):
            make_sign_in_link(town.city, actor, town.taro.resident_id)
    with pytest.raises(InputIsInvalid):
        make_sign_in_link(town.city, OPERATOR, town.taro.resident_id, lifetime=timedelta(days=2))


def test_link_is_not_made_for_nobody(town: Town) -> None:
    for holder in ("res_00000000000000000000000000", "stf_00000000000000000000000000", "stf_x", "x"):
        with pytest.raises((NotFound, IdIsMalformed)):
            make_sign_in_link(town.city, OPERATOR, holder)


def test_secrets_are_stored_as_hashes_only(town: Town) -> None:
    link = make_sign_in_link(town.city, OPERATOR, town.taro.resident_id)
    session = sign_in_with_link(town.city, link.token)
    with town.city.transaction(System("sign_in")) as tx:
        stored = str(tx.all("select * from people.sign_in_links")) + str(tx.all("select * from people.sessions"))
        hashes = {bytes(row.token_hash) for row in tx.all("select token_hash from people.sessions")}
    assert link.token not in stored
    assert session.token not in stored
    assert hash_of(session.token) in hashes


def test_stolen_cookie_is_refused_after_sign_out(town: Town) -> None:
    stolen = town.cookie(town.hanako.resident_id)
    actor = actor_of(town.city, cookie=stolen, bearer=None)
    sign_out(town.city, actor)
    assert actor_of(town.city, cookie=stolen, bearer=None) == Anonymous()
    sign_out(town.city, Anonymous())


def test_session_of_another_browser_survives_sign_out(town: Town) -> None:
    one, other = town.cookie(town.hanako.resident_id), town.cookie(town.hanako.resident_id)
    sign_out(town.city, actor_of(town.city, cookie=one, bearer=None))
    assert isinstance(actor_of(town.city, cookie=other, bearer=None), Resident)


def test_sign_in_ends_the_session_that_the_browser_had(town: Town) -> None:
    before = town.cookie(town.hanako.resident_id)
    link = make_sign_in_link(town.city, OPERATOR, town.taro.resident_id)
    sign_in_with_link(town.city, link.token, instead_of=actor_of(town.city, cookie=before, bearer=None))
    assert actor_of(town.city, cookie=before, bearer=None) == Anonymous()


@pytest.mark.parametrize(
    ("holder", "idle", "whole"),
    [("resident", timedelta(days=14), timedelta(days=30)), ("staff", timedelta(hours=1), timedelta(hours=12))],
)
def test_session_ends_when_idle_or_old(
    town: Town, clock: FixedClock, holder: str, idle: timedelta, whole: timedelta
) -> None:
    holder_id = town.hanako.resident_id if holder == "resident" else town.analyst_id
    unused, used = town.cookie(holder_id), town.cookie(holder_id)
    elapsed = timedelta(0)
    while elapsed < whole - idle:
        clock.advance(seconds=idle.total_seconds() - 1)
        elapsed += idle - timedelta(seconds=1)
        assert not isinstance(actor_of(town.city, cookie=used, bearer=None), Anonymous)
    assert actor_of(town.city, cookie=unused, bearer=None) == Anonymous()
    clock.advance(seconds=(whole - elapsed).total_seconds())
    assert actor_of(town.city, cookie=used, bearer=None) == Anonymous()


def test_last_use_is_written_at_most_once_a_minute(town: Town, clock: FixedClock) -> None:
    cookie = town.cookie(town.hanako.resident_id)
    began = clock.now()

    def seen() -> timedelta:
        resident = actor_of(town.city, cookie=cookie, bearer=None)
        assert isinstance(resident, Resident)
        return list_sessions(town.city, resident)[0].last_seen_at - began  # type: ignore[no-any-return]

    clock.advance(seconds=59)
    assert seen() == timedelta(0)
    clock.advance(seconds=1)
    assert seen() == timedelta(seconds=60)


def test_guessed_cookie_is_nobody(town: Town) -> None:
    for cookie in ("", "x", new_token(), "a" * 43, "ａ" * 43, "a" * 44):
        assert actor_of(town.city, cookie=cookie, bearer=None) == Anonymous(), cookie


def test_guessed_bearer_token_is_refused_even_with_a_good_cookie(town: Town) -> None:
    """people.token_is_not_valid"""
    cookie = town.cookie(town.hanako.resident_id)
    for bearer in ("x", new_token(), "a" * 100_000):
        with pytest.raises(TokenIsNotValid):
            actor_of(town.city, cookie=cookie, bearer=bearer)


def test_staff_who_left_are_nobody(town: Town) -> None:
    cookie = town.cookie(town.analyst_id)
    end_staff(town.city, town.staff(town.officer_id), town.analyst_id)
    assert actor_of(town.city, cookie=cookie, bearer=None) == Anonymous()
    with pytest.raises(NotFound):
        make_sign_in_link(town.city, OPERATOR, town.analyst_id)


def test_own_session_is_ended_from_another_device(town: Town) -> None:
    lost, here = town.cookie(town.hanako.resident_id), town.resident(town.hanako)
    lost_actor = actor_of(town.city, cookie=lost, bearer=None)
    assert isinstance(lost_actor, Resident)
    assert {row.session_id for row in list_sessions(town.city, here)} == {here.session_id, lost_actor.session_id}
    end_session(town.city, here, lost_actor.session_id)
    assert actor_of(town.city, cookie=lost, bearer=None) == Anonymous()
    with pytest.raises(NotFound):
        end_session(town.city, here, lost_actor.session_id)


def test_session_of_another_person_is_not_found(town: Town) -> None:
    theirs = town.resident(town.taro)
    for actor in (town.resident(town.hanako), town.staff(town.officer_id)):
        with pytest.raises(NotFound):
            end_session(town.city, actor, theirs.session_id)


def test_representative_acts_for_the_person_and_the_actor_says_so(town: Town) -> None:
    town.appoint()
    _, actor = town.acting()
    assert (actor.resident_id, actor.subject_no) == (town.hanako.resident_id, town.hanako.subject_no)
    assert (actor.acting_resident_id, actor.acting_as) == (town.kazue.resident_id, "carer")
    assert name_of(town.city, actor) == "佐藤 花子"
    back = actor_of(town.city, cookie=act_for(town.city, actor, None).token, bearer=None)
    assert isinstance(back, Resident)
    assert (back.resident_id, back.acting_as) == (town.kazue.resident_id, "self")


def test_turning_to_another_person_refuses_the_old_cookie_and_its_forms(town: Town) -> None:
    town.appoint()
    before = town.cookie(town.kazue.resident_id)
    after = act_for(town.city, actor_of(town.city, cookie=before, bearer=None), town.hanako.resident_id).token
    assert actor_of(town.city, cookie=before, bearer=None) == Anonymous()
    assert csrf_token(town.city.keys, before) != csrf_token(town.city.keys, after)


@pytest.mark.parametrize(
    "end",
    [
        lambda town, clock, number: clock.advance(days=5),
        lambda town, clock, number: end_representation(town.city, OPERATOR, number),
        lambda town, clock, number: (clock.advance(days=5), forget_expired(town.city)),
    ],
    ids=["term is over", "ended by an officer", "swept"],
)
def test_representative_is_refused_after_the_end_of_the_term(
    town: Town, clock: FixedClock, end: Callable[[Town, FixedClock, int], object]
) -> None:
    number = town.appoint()
    clock.advance(days=360)
    token, _ = town.acting()
    assert isinstance(actor_of(town.city, cookie=token, bearer=None), Resident)
    end(town, clock, number)
    assert actor_of(town.city, cookie=token, bearer=None) == Anonymous()
    with pytest.raises(NotFound):
        town.acting()


def test_representative_is_refused_before_the_term_begins(town: Town) -> None:
    town.appoint(start=YEAR / 2)
    with pytest.raises(NotFound):
        town.acting()


def test_representation_leads_one_way_and_to_nobody_else(town: Town) -> None:
    town.appoint()
    hanako = town.resident(town.hanako)
    for guessed in (town.kazue.resident_id, town.taro.resident_id, "res_00000000000000000000000000"):
        with pytest.raises(NotFound):
            act_for(town.city, hanako, guessed)
    with pytest.raises((NotPermitted, NotSignedIn)):
        act_for(town.city, town.staff(town.officer_id), town.hanako.resident_id)


def test_session_that_ended_does_not_turn_to_another_person(town: Town) -> None:
    town.appoint()
    kazue = town.resident(town.kazue)
    sign_out(town.city, kazue)
    with pytest.raises(NotSignedIn):
        act_for(town.city, kazue, town.hanako.resident_id)


def test_representative_does_not_reach_the_sign_in_of_the_person(town: Town) -> None:
    """people.acts_for_another"""
    town.appoint()
    hers = town.resident(town.hanako)
    _, actor = town.acting()
    with pytest.raises(ActsForAnother):
        list_sessions(town.city, actor)
    with pytest.raises(ActsForAnother):
        end_session(town.city, actor, hers.session_id)


def test_sweep_deletes_what_is_of_no_use_and_keeps_the_rest(town: Town, clock: FixedClock) -> None:
    cookie = town.cookie(town.hanako.resident_id)
    forget_expired(town.city)
    assert isinstance(actor_of(town.city, cookie=cookie, bearer=None), Resident)
    clock.advance(days=61)
    forget_expired(town.city)
    with town.city.transaction(System("sign_in")) as tx:
        for table in ("sessions", "sign_in_links"):
            left = f"select 1 from people.{table} where subject_no = %(subject_no)s"
            assert tx.all(left, subject_no=town.hanako.subject_no) == [], table


def test_actor_is_found_in_one_statement(town: Town, city: City) -> None:
    cookie = town.cookie(town.hanako.resident_id)
    statements: list[str] = []

    class Db:
        def read(self, sql: str, **params: object) -> object:
            statements.append(sql)
            return city.db.read(sql, **params)

    watched = replace(city, db=Db())  # type: ignore[arg-type]
    assert isinstance(actor_of(watched, cookie=cookie, bearer=None), Resident)
    assert len(statements) == 1
