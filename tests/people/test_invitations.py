"""Invitations: who gets a letter, what is in it, that it signs in once, and that a lost phone or letter opens nothing."""

import csv
import logging
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from sanpo.ground.actors import Actor, Anonymous, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.db import DatabaseIsUnavailable, Transaction
from sanpo.ground.errors import InputIsInvalid, NotFound, NotPermitted, NotSignedIn
from sanpo.people import actor_of, make_sign_in_link
from sanpo.people.errors import (
    FileCannotBeWritten,
    PasskeyIsNotAccepted,
    SignInLinkIsNotValid,
    SignInLinksAreForDemos,
)
from sanpo.people.imports import import_register
from sanpo.people.invitations import cancel_invitations, invite
from sanpo.people.lockout import list_passkeys_of, lock_out
from sanpo.people.organisations import end_staff
from sanpo.people.passkeys import begin_authentication, begin_registration, finish_authentication, finish_registration
from sanpo.people.roll import list_residents
from sanpo.people.sign_in import sign_in_with_link
from tests.conftest import START
from tests.people.authenticator import Authenticator
from tests.people.conftest import OPERATOR, Town
from tests.people.registers import person, write


class Post:
    """What the letter shop gets, and what a reader of a letter does."""

    def __init__(self, town: Town, folder: Path) -> None:
        # Letters are for production: nothing here may lean on what a demo allows.
        settings = replace(town.city.settings, mode="production")
        self.town, self.city, self.folder = town, replace(town.city, settings=settings), folder
        self.sent = 0

    def letters(self, *holder_ids: str, **options: object) -> dict[str, dict[str, str]]:
        """The letters that an invitation writes, by their holder; of this town, which shares its city with others."""
        self.sent += 1
        file = self.folder / f"letters{self.sent}.csv"
        invite(self.city, OPERATOR, file, holder_ids=holder_ids, **options)  # type: ignore[arg-type]
        if not file.exists():
            return {}
        with file.open(encoding="utf-8", newline="") as text:
            return {row["holder_id"]: row for row in csv.DictReader(text) if row["holder_id"] in self.ours()}

    def ours(self) -> set[str]:
        residents = {one.resident_id for one in (self.town.hanako, self.town.kazue, self.town.taro)}
        return residents | {self.town.officer_id, self.town.researcher_id, self.town.analyst_id}

    def open(self, letter: dict[str, str]) -> Resident | Staff:
        """Presses the button behind the letter's link."""
        session = sign_in_with_link(self.city, letter["url"].rsplit("/", 1)[1])
        actor = actor_of(self.city, cookie=session.token, bearer=None)
        assert isinstance(actor, Resident | Staff)
        return actor

    def enrol(self, actor: Resident | Staff, device: Authenticator) -> None:
        finish_registration(self.city, actor, device.create(begin_registration(self.city, actor, "電話")))


@pytest.fixture
def post(town: Town, tmp_path: Path) -> Post:
    return Post(town, tmp_path)


def sign_in(city: City, device: Authenticator) -> Resident | Staff:
    session = finish_authentication(city, device.get(begin_authentication(city)))
    actor = actor_of(city, cookie=session.token, bearer=None)
    assert isinstance(actor, Resident | Staff)
    return actor


def test_letter_leads_to_a_passkey_in_production(post: Post, device: Authenticator) -> None:
    letter = post.letters()[post.town.hanako.resident_id]
    assert (letter["name"], letter["address"], letter["language"]) == ("佐藤 花子", "三方市中央0", "ja")
    assert letter["last_day"] == (START + timedelta(days=13)).date().isoformat()
    hanako = post.open(letter)
    assert isinstance(hanako, Resident)
    assert hanako.resident_id == post.town.hanako.resident_id
    post.enrol(hanako, device)
    assert replace(sign_in(post.city, device), session_id="") == replace(hanako, session_id="")


def test_letter_signs_in_once(post: Post) -> None:
    letter = post.letters()[post.town.hanako.resident_id]
    post.open(letter)
    with pytest.raises(SignInLinkIsNotValid):
        post.open(letter)


def test_first_sign_in_is_told_from_later_ones(post: Post, device: Authenticator) -> None:
    taro = post.town.taro.resident_id
    first = sign_in_with_link(post.city, post.letters(taro)[taro]["url"].rsplit("/", 1)[1])
    actor = actor_of(post.city, cookie=first.token, bearer=None)
    assert isinstance(actor, Resident)
    post.enrol(actor, device)
    later = sign_in_with_link(post.city, post.letters(taro)[taro]["url"].rsplit("/", 1)[1])
    assert (first.has_passkey, later.has_passkey) == (False, True)


@pytest.mark.parametrize(("staff", "days"), [(False, 14), (True, 3)])
def test_letter_works_until_its_lifetime_is_over(post: Post, clock: FixedClock, staff: bool, days: int) -> None:
    town = post.town
    in_time, late = (town.officer_id, town.analyst_id) if staff else (town.hanako.resident_id, town.taro.resident_id)
    letters = post.letters(staff=staff)
    clock.advance(seconds=days * 86400 - 1)
    post.open(letters[in_time])
    clock.advance(seconds=1)
    with pytest.raises(SignInLinkIsNotValid):
        post.open(letters[late])


def test_lifetime_of_a_letter_can_be_chosen(post: Post, clock: FixedClock) -> None:
    taro = post.town.taro.resident_id
    letter = post.letters(taro, lifetime=timedelta(days=1))[taro]
    assert letter["last_day"] == START.date().isoformat()
    clock.advance(days=1)
    with pytest.raises(SignInLinkIsNotValid):
        post.open(letter)


def test_letters_go_to_those_without_a_passkey_and_without_a_letter(
    post: Post, device: Authenticator, clock: FixedClock
) -> None:
    hanako, kazue, taro = (who.resident_id for who in (post.town.hanako, post.town.kazue, post.town.taro))
    first = post.letters(hanako)
    post.enrol(post.open(first[hanako]), device)
    assert post.letters(kazue).keys() == {kazue}
    assert post.letters().keys() == {taro}
    assert post.letters().keys() == set()
    assert post.letters(again=True).keys() == {kazue, taro}
    clock.advance(days=14)
    assert post.letters().keys() == {kazue, taro}


def test_newer_letter_makes_the_earlier_void(post: Post) -> None:
    hanako = post.town.hanako.resident_id
    old, new = post.letters(hanako)[hanako], post.letters(hanako)[hanako]
    with pytest.raises(SignInLinkIsNotValid):
        post.open(old)
    post.open(new)


def test_staff_are_invited_by_their_address_and_those_who_left_are_not(post: Post) -> None:
    officer, analyst = post.town.officer_id, post.town.analyst_id
    end_staff(post.city, OPERATOR, analyst)
    letters = post.letters(staff=True)
    assert officer in letters
    assert analyst not in letters
    assert (letters[officer]["name"], letters[officer]["address"]) == ("市川 係長", "")
    opened = post.open(letters[officer])
    assert isinstance(opened, Staff)
    assert (opened.staff_id, opened.role) == (officer, "officer")
    assert post.letters(officer)[officer]["last_day"] == (START + timedelta(days=2)).date().isoformat()
    with pytest.raises(NotFound):
        post.letters(analyst)


def test_those_whom_the_register_lost_get_a_letter_only_by_name(post: Post, tmp_path: Path) -> None:
    people = [person(n, reference=f"V{post.town.taro.subject_no}-{n}") for n in range(2)]
    import_register(post.city, OPERATOR, write(tmp_path / "one.csv", people), part=True)
    import_register(post.city, OPERATOR, write(tmp_path / "two.csv", people[:1]))
    gone = next(
        one for one in list_residents(post.city, OPERATOR, limit=9999) if one.reference == people[1]["reference"]
    )
    done = invite(post.city, OPERATOR, tmp_path / "all.csv")
    assert done.vanished >= 1
    assert gone.resident_id not in (tmp_path / "all.csv").read_text()
    assert invite(post.city, OPERATOR, tmp_path / "named.csv", holder_ids=[gone.resident_id]).letters == 1


def test_file_of_letters_is_for_its_owner_and_never_written_over(post: Post, tmp_path: Path) -> None:
    taro = post.town.taro.resident_id
    post.letters(taro)
    file = tmp_path / "letters1.csv"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    (tmp_path / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    for path in (file, tmp_path / "link.csv", tmp_path / "none" / "letters.csv"):
        with pytest.raises(FileCannotBeWritten):
            invite(post.city, OPERATOR, path, holder_ids=[taro])
    assert file.read_bytes() == before
    assert not (tmp_path / "elsewhere.csv").exists()
    with file.open(encoding="utf-8", newline="") as text:
        post.open(next(csv.DictReader(text)))


class Cut(City):
    """A city whose connection is lost right before a sign-in's transaction commits."""

    @contextmanager
    def transaction(self, actor: Actor) -> Iterator[Transaction]:
        with super().transaction(actor) as tx:
            yield tx
            if actor == System("sign_in"):
                raise DatabaseIsUnavailable(problem="cut")


def test_no_letter_is_left_when_its_link_is_not_kept_and_the_earlier_letter_stays_good(
    post: Post, tmp_path: Path
) -> None:
    taro = post.town.taro.resident_id
    earlier = post.letters(taro)[taro]
    cut = Cut(*(getattr(post.city, field.name) for field in fields(post.city)))
    with pytest.raises(DatabaseIsUnavailable):
        invite(cut, OPERATOR, tmp_path / "cut.csv", holder_ids=[taro])
    with pytest.raises(NotFound):
        invite(post.city, OPERATOR, tmp_path / "cut.csv", holder_ids=[taro, "res_00000000000000000000000000"])
    assert not (tmp_path / "cut.csv").exists()
    post.open(earlier)


def test_secrets_of_letters_are_stored_as_hashes_and_not_logged(
    post: Post, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        token = post.letters()[post.town.hanako.resident_id]["url"].rsplit("/", 1)[1]
    with post.city.transaction(System("sign_in")) as tx:
        assert token not in str(tx.all("select * from people.sign_in_links"))
    seen = capfd.readouterr()
    assert token not in caplog.text + seen.out + seen.err


def test_links_of_a_demo_do_not_work_in_production_and_letters_work_in_a_demo(post: Post) -> None:
    """people.sign_in_links_are_for_demos"""
    taro = post.town.taro.resident_id
    printed = make_sign_in_link(post.town.city, OPERATOR, taro)
    with pytest.raises(SignInLinksAreForDemos):
        make_sign_in_link(post.city, OPERATOR, taro)
    with pytest.raises(SignInLinkIsNotValid):
        sign_in_with_link(post.city, printed.token)
    letter = post.letters(taro)[taro]
    assert sign_in_with_link(post.town.city, letter["url"].rsplit("/", 1)[1]).token


def test_cancelled_letters_are_void_and_others_are_not(post: Post) -> None:
    hanako, kazue = post.town.hanako.resident_id, post.town.kazue.resident_id
    letters = post.letters()
    assert cancel_invitations(post.city, OPERATOR, [hanako]) == 1
    assert cancel_invitations(post.city, OPERATOR, [hanako]) == 0
    with pytest.raises(SignInLinkIsNotValid):
        post.open(letters[hanako])
    post.open(letters[kazue])
    assert cancel_invitations(post.city, OPERATOR, None) >= 1
    with pytest.raises(SignInLinkIsNotValid):
        post.open(letters[post.town.taro.resident_id])


def test_invitations_are_refused_for_nobody_for_too_long_and_to_others(post: Post, tmp_path: Path) -> None:
    file = tmp_path / "letters.csv"
    for lifetime in (timedelta(0), timedelta(days=61)):
        with pytest.raises(InputIsInvalid):
            invite(post.city, OPERATOR, file, lifetime=lifetime)
    for actor in (
        post.town.resident(post.town.taro),
        post.town.staff(post.town.officer_id),
        System("jobs"),
        Anonymous(),
    ):
        with pytest.raises((NotPermitted, NotSignedIn)):
            invite(post.city, actor, file)
        with pytest.raises((NotPermitted, NotSignedIn)):
            cancel_invitations(post.city, actor, None)
    assert not file.exists()


Key = Callable[[], Authenticator]


@pytest.fixture
def key(city: City) -> Key:
    return lambda: Authenticator(origin=city.settings.origin, rp_id="testserver.local")


def test_lost_phone_opens_nothing_after_a_lock_out(post: Post, key: Key) -> None:
    hanako, phone = post.town.hanako.resident_id, key()
    post.enrol(post.open(post.letters(hanako)[hanako]), phone)
    session = finish_authentication(post.city, phone.get(begin_authentication(post.city)))
    letter = post.letters(hanako)[hanako]
    others = post.town.cookie(post.town.taro.resident_id)
    done = lock_out(post.city, post.town.staff(post.town.officer_id), hanako)
    assert (done.sessions, done.passkeys, done.links) == (2, 1, 1)
    assert actor_of(post.city, cookie=session.token, bearer=None) == Anonymous()
    with pytest.raises(PasskeyIsNotAccepted):
        sign_in(post.city, phone)
    with pytest.raises(SignInLinkIsNotValid):
        post.open(letter)
    assert isinstance(actor_of(post.town.city, cookie=others, bearer=None), Resident)
    post.enrol(post.open(post.letters()[hanako]), key())


def test_only_the_lost_passkey_is_removed_when_it_is_named(post: Post, key: Key) -> None:
    taro, phone, desk = post.town.taro.resident_id, key(), key()
    actor = post.open(post.letters(taro)[taro])
    post.enrol(actor, phone)
    post.enrol(actor, desk)
    kept, lost = (passkey.credential_id for passkey in list_passkeys_of(post.city, OPERATOR, taro))
    with pytest.raises(NotFound):
        lock_out(post.city, OPERATOR, taro, credential_ids=[lost, "AAAA"])
    assert len(list_passkeys_of(post.city, OPERATOR, taro)) == 2
    assert lock_out(post.city, OPERATOR, taro, credential_ids=[lost]).passkeys == 1
    assert [passkey.credential_id for passkey in list_passkeys_of(post.city, OPERATOR, taro)] == [kept]


def test_people_are_locked_out_by_an_officer_or_the_operator_only(post: Post) -> None:
    hanako = post.town.hanako.resident_id
    for actor in (post.town.resident(post.town.taro), post.town.staff(post.town.analyst_id), Anonymous()):
        with pytest.raises((NotPermitted, NotSignedIn)):
            lock_out(post.city, actor, hanako)
        with pytest.raises((NotPermitted, NotSignedIn)):
            list_passkeys_of(post.city, actor, hanako)
    with pytest.raises(NotFound):
        lock_out(post.city, OPERATOR, "res_00000000000000000000000000")
