"""The second wall by itself: the application's own login, raw, as one resident, finds nothing of another in any table."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple

import psycopg
import pytest
from psycopg import sql

from sanpo.consent import Decision
from sanpo.ground.actors import Resident, System
from sanpo.ground.ids import new_id
from sanpo.lake.upkeep import ask_erasure
from sanpo.ledger import Account, Ledger, create_accounts, open_ledger
from sanpo.people import NewHousehold, register_households
from sanpo.people.actions import appoint_representative
from sanpo.people.passkeys import begin_registration, finish_registration
from sanpo.services.cash import paying, shops, wallets
from sanpo.services.cash.benefits.campaigns import create_campaign, open_campaign
from sanpo.services.cash.benefits.giving import Gift, give
from sanpo.services.cash.benefits.model import CampaignDraft
from sanpo.services.cash.model import Line
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.oversight import alerts, suspending
from sanpo.services.cash.requests.asking import ask
from sanpo.services.cash.slips.redeeming import redeem
from sanpo.services.energy.actions import register_homes, register_meters
from sanpo.services.energy.model import Home
from tests.attacks.siege import Siege
from tests.people.authenticator import Authenticator
from tests.services.cash.slips.device import Device
from tests.world import OPERATOR

SETTINGS = ("subject_no", "organisation_no", "duty", "agreement_no")
TO_RECIPIENTS = "consent.notices"
"""The one personal table that an organisation reads without an admission: the notices to itself."""


class Wall(NamedTuple):
    siege: Siege
    mine: Resident
    theirs: Resident
    personal: list[str]
    """Every table with a `subject_no`."""
    walled: list[str]
    """Every other table with row-level security."""


@pytest.fixture(scope="module")
def wall(siege: Siege) -> Wall:
    mine, theirs, carer = siege.residents[11], siege.residents[12], siege.residents[10]
    siege.decide(12, Decision.GIVE)
    siege.decide(12, Decision.WITHDRAW)
    _fill(siege, [mine, theirs], carer)
    with owner(siege) as conn:
        found = conn.execute(
            "select n.nspname, c.relname, a.attname is not null from pg_class c"
            " join pg_namespace n on n.oid = c.relnamespace"
            " left join pg_attribute a on a.attrelid = c.oid and a.attname = 'subject_no' and not a.attisdropped"
            " where c.relkind in ('r', 'p') and (a.attname is not null or c.relrowsecurity) order by 1, 2"
        ).fetchall()
    personal = [f"{schema}.{table}" for schema, table, has_subject in found if has_subject]
    walled = [f"{schema}.{table}" for schema, table, has_subject in found if not has_subject]
    return Wall(siege, mine, theirs, personal, walled)


def _fill(siege: Siege, residents: list[Resident], carer: Resident) -> None:
    """Gives each of the residents a row in every personal table."""
    city, now = siege.city, siege.city.now()
    register_households(city, OPERATOR, [NewHousehold("中央", (each.subject_no,)) for each in residents])
    register_meters(city, OPERATOR, {f"m{each.subject_no}": each.subject_no for each in residents})
    register_homes(city, OPERATOR, [Home(each.subject_no, "中央", "detached", "heat_pump", 2) for each in residents])
    open_ledger(city, OPERATOR, Ledger(392, "JPY", 0, "円"))
    create_accounts(city, [Account(each.subject_no + 1, 392, 1, subject_no=each.subject_no) for each in residents])
    _buy(siege, residents)
    for each in residents:
        appoint_representative(
            city,
            OPERATOR,
            each.resident_id,
            representative_id=carer.resident_id,
            role="carer",
            valid_from=now,
            valid_until=now + timedelta(days=1),
        )
        siege.session(each.resident_id)
        ask_erasure(city, each)
        device = Authenticator(origin=city.settings.origin, rp_id="testserver.local")
        finish_registration(city, each, device.create(begin_registration(city, each, "phone")))
        begin_registration(city, each, "left open")


def _buy(siege: Siege, residents: list[Resident]) -> None:
    """Each charges a wallet, gets a lot, takes part in a campaign, pays a bill with a line, is given back a yen, shows a
    code."""
    city, company = siege.city, siege.world.company.organisation_id
    shop = shops.register_shop(city, OPERATOR, shops.ShopDraft(company, "CAFE", "カフェ", "5812", "中央"))
    today = city.now().date()
    days = {"first_day": today, "last_day": today + timedelta(days=9), "budget_yen": 100}
    for kind in ({"amount_yen": 1}, {"rate_permille": 1, "cap_yen": 1}):
        draft = CampaignDraft(name_ja="春", name_en="Spring", **days, **kind)  # type: ignore[arg-type]
        opened = open_campaign(city, OPERATOR, create_campaign(city, OPERATOR, draft).campaign_id)
        give(city, OPERATOR, opened.campaign_id, Gift(residents=[each.resident_id for each in residents]))
    for each in residents:
        payment_id = new_id("pay")
        wallets.charge(city, each, new_id("chg"), 100)
        bill = paying.make_bill(city, OPERATOR, shop.shop_id, 10, [Line("茶", "drink", 1, 10)])
        paying.pay(city, each, payment_id, str(bill))
        paying.refund(city, OPERATOR, new_id("rfd"), payment_id, 1)
        paying.show_code(city, each)
        _oversee(siege, each)
        _sign_twice(siege, each, shop)
        ask(city, each, new_id("req"), [1])
        _replay(siege, each)


def _oversee(siege: Siege, resident: Resident) -> None:
    """Ten small charges, one that is refused, a wallet that is stopped and opened again."""
    for _ in range(10):
        wallets.charge(siege.city, resident, new_id("chg"), 1)
    wallets.charge(siege.city, resident, new_id("chg"), 300_001)
    alerts.watch(siege.city)
    for change in (suspending.suspend_wallet, suspending.reopen_wallet):
        change(siege.city, OPERATOR, resident.resident_id, "x")


def _replay(siege: Siege, resident: Resident) -> None:
    """As a replay notes whom it let play a customer of its file."""
    with siege.city.transaction(System("cash")) as tx:
        tx.execute(
            "insert into cash.replayed_customers (source, customer, subject_no) values ('x', %(customer)s, %(subject_no)s)",
            customer=str(resident.subject_no),
            subject_no=resident.subject_no,
        )


def _sign_twice(siege: Siege, resident: Resident, shop: shops.Shop) -> None:
    """A slip that is redeemed, and another with its number."""
    device = Device(siege, resident)
    assert device.prepare(10) is Outcome.DONE
    for yen in (1, 2):
        redeem(siege.city, OPERATOR, shop.shop_id, device.sign(yen, slip_no=1, merchant=shop.merchant))


@contextmanager
def owner(siege: Siege) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(siege.city.settings.database_owner_url) as conn:
        yield conn


@contextmanager
def as_app(siege: Siege, **actor: object) -> Iterator[psycopg.Connection[Any]]:
    """A raw transaction of the application's role with these settings, as `ground/db.py` would write them."""
    with psycopg.connect(siege.city.settings.database_url) as conn:
        assert conn.info.user == "sanpo_app"
        for name in SETTINGS:
            conn.execute("select set_config(%s, %s, true)", (f"sanpo.{name}", str(actor.get(name, ""))))
        yield conn


def count(conn: psycopg.Connection[Any], table: str, where: str = "true", *values: object) -> int:
    row = conn.execute(
        sql.SQL("select count(*) from {} where ").format(named(table)) + sql.SQL(where), values
    ).fetchone()
    assert row is not None
    return int(row[0])


def named(table: str) -> sql.Identifier:
    return sql.Identifier(*table.split("."))


def state(wall: Wall) -> dict[str, list[Any]]:
    """Everything about the other resident, as the owner sees it."""
    with owner(wall.siege) as conn:
        return {
            table: sorted(
                conn.execute(
                    sql.SQL("select t::text from {} t where subject_no = %s").format(named(table)),
                    (wall.theirs.subject_no,),
                ).fetchall()
            )
            for table in wall.personal
        }


def test_every_personal_table_is_walled_and_holds_something_of_both_residents(wall: Wall) -> None:
    assert len(wall.personal) >= 14, wall.personal
    with owner(wall.siege) as conn:
        for table in wall.personal:
            for resident in (wall.mine, wall.theirs):
                assert count(conn, table, "subject_no = %s", resident.subject_no) > 0, f"{table} holds nothing to steal"
        open_tables = conn.execute(
            "select oid::regclass from pg_class where oid = any (%s::regclass[])"
            " and not (relrowsecurity and relforcerowsecurity)",
            (wall.personal,),
        ).fetchall()
    assert open_tables == []


def test_resident_finds_nothing_of_another_in_any_table(wall: Wall) -> None:
    with as_app(wall.siege, subject_no=wall.mine.subject_no) as conn:
        for table in wall.personal:
            assert count(conn, table, "subject_no = %s", wall.theirs.subject_no) == 0, table
        for table in wall.walled:
            assert count(conn, table) == 0, table
        own = [table for table in wall.personal if count(conn, table, "subject_no = %s", wall.mine.subject_no)]
    assert {"consent.grants", "consent.grant_events", "energy.homes", "people.identities"} <= set(own)


def test_connection_without_an_actor_finds_nothing_in_any_table(wall: Wall) -> None:
    with as_app(wall.siege) as conn:
        for table in (*wall.personal, *wall.walled):
            assert count(conn, table) == 0, table
    with psycopg.connect(wall.siege.city.settings.database_url) as conn:  # settings never written at all
        for table in (*wall.personal, *wall.walled):
            assert count(conn, table) == 0, table


def test_organisation_without_an_admission_finds_nobody(wall: Wall) -> None:
    university = wall.siege.world.university.organisation_no
    for duty in ("", "analyst"):
        with as_app(wall.siege, organisation_no=university, duty=duty) as conn:
            for table in wall.personal:
                assert table == TO_RECIPIENTS or count(conn, table) == 0, table
            assert count(conn, TO_RECIPIENTS) > 0
            assert count(conn, TO_RECIPIENTS, "organisation_no <> %s", university) == 0
            assert count(conn, "consent.granted_chunks") == 0
            assert count(conn, "journal.use_subjects") == 0


def test_officer_and_register_find_no_name_and_no_secret(wall: Wall) -> None:
    for duty in ("officer", "jobs", "simulator", "operator", "journal"):
        with as_app(wall.siege, duty=duty) as conn:
            for table in ("identities", "passkeys", "sessions", "sign_in_links", "challenges"):
                assert count(conn, f"people.{table}") == 0, (duty, table)


def test_duties_that_open_identities_find_no_secret_and_letters_change_nothing(wall: Wall) -> None:
    for duty, changed in (("letters", 0), ("register", 1)):
        with as_app(wall.siege, duty=duty) as conn:
            assert count(conn, "people.identities", "subject_no = %s", wall.mine.subject_no) == 1
            update = "update people.identities set vanished_at = null where subject_no = %s"
            assert conn.execute(update, (wall.mine.subject_no,)).rowcount == changed
            for table in ("passkeys", "sessions", "sign_in_links", "challenges", "representatives", "staff"):
                assert count(conn, f"people.{table}") == 0, (duty, table)


@pytest.mark.parametrize(
    "statement",
    [
        "update {} set subject_no = subject_no where subject_no = %(theirs)s",
        "update {} set subject_no = %(mine)s where subject_no = %(theirs)s",
        "update {} set subject_no = %(theirs)s where subject_no = %(mine)s",
        "delete from {} where subject_no = %(theirs)s",
        "truncate {}",
        "alter table {} disable row level security",
        "drop table {}",
    ],
)
def test_resident_changes_nothing_of_another_in_any_table(wall: Wall, statement: str) -> None:
    before = state(wall)
    numbers = {"mine": wall.mine.subject_no, "theirs": wall.theirs.subject_no}
    for table in wall.personal:
        try:
            with as_app(wall.siege, subject_no=wall.mine.subject_no) as conn:
                touched = conn.execute(sql.SQL(statement).format(named(table)), numbers if "%(" in statement else None)
                assert touched.rowcount == 0, table
        except psycopg.Error:
            continue
    assert state(wall) == before


def test_resident_gives_or_withdraws_for_nobody_else(wall: Wall) -> None:
    before = state(wall)
    agreement_no = wall.siege.sibling.agreement_no
    for attack in (
        "insert into consent.grants values (%(theirs)s, %(agreement)s, 'given', now(), now() + interval '1 day')",
        "select consent.flip(%(agreement)s, %(theirs)s, true)",
        "select consent.flip(%(agreement)s, %(theirs)s, false)",
        "update consent.granted_chunks set bits = decode(repeat('ff', 256), 'hex')",
        "insert into consent.granted_chunks values (%(agreement)s, 7, decode(repeat('ff', 256), 'hex'))",
        "insert into energy.homes values (%(nobody)s, 'x', 'detached', 'gas', 1, now())",
        "update consent.agreements set document = ''",
        "delete from consent.agreements",
        "delete from journal.entries",
        "update journal.entries set body = ''",
        "update journal.checkpoints set note = ''",
        "set role sanpo_owner",
        "set session authorization postgres",
        "create table people.x ()",
        "create function ground.actor_subject() returns int language sql as 'select 1'",
        "copy people.identities to program 'cat'",
        "select pg_read_file('/etc/passwd')",
    ):
        numbers = {"theirs": wall.theirs.subject_no, "agreement": agreement_no, "nobody": 1_000_000}
        try:
            with as_app(wall.siege, subject_no=wall.mine.subject_no) as conn:
                touched = conn.execute(sql.SQL(attack), numbers if "%(" in attack else None).rowcount
        except psycopg.Error:
            continue
        assert touched == 0, attack
    assert state(wall) == before
    with wall.siege.city.transaction(System("operator")) as tx:
        assert tx.get("select consent.count_granted(%(no)s) as n", no=agreement_no).n == 11
