"""The ledger's doors: statements as files, the API for one's own accounts, the operator's commands."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from defusedxml.ElementTree import fromstring
from litestar.testing import TestClient
from typer.testing import CliRunner

from sanpo.ground.actors import Resident
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.ids import id_of
from sanpo.ledger import Account, AccountFlag, Transfer, TransferFlag, cli, create_accounts, exporting, post
from sanpo.ledger.camt import NAMESPACE, decimal, to_camt, to_csv
from sanpo.ledger.closing import close_day
from sanpo.ledger.errors import BooksDiffer, PeriodIsInvalid, StatementIsTooLong
from sanpo.ledger.exporting import make_sheet
from tests.journeys.town import sign_in
from tests.world import OPERATOR, World

Make = Callable[[], TestClient[Any]]
DAY = date(2026, 4, 1)  # the clock stands at 09:00 in Tokyo
MINE, SHOP, POINTS = 1, 2, 3

# The parts of camt.053.001.08 that are used, each with the elements that it may have, in the message's order; `!` is needed.
STRUCTURE = """
Document  BkToCstmrStmt!
BkToCstmrStmt  GrpHdr! Stmt! SplmtryData
GrpHdr  MsgId! CreDtTm! MsgRcpt MsgPgntn OrgnlBizQry AddtlInf
Stmt  Id! StmtPgntn ElctrncSeqNb RptgSeq LglSeqNb CreDtTm FrToDt CpyDplctInd RptgSrc Acct! RltdAcct Intrst Bal! TxsSummry Ntry
FrToDt  FrDtTm! ToDtTm!
Acct  Id! Tp Ccy Nm Prxy Ownr Svcr
Bal  Tp! CdtLine Amt! CdtDbtInd! Dt! Avlbty
Tp  CdOrPrtry! SubTp
CdOrPrtry  Cd Prtry
Ntry  NtryRef Amt! CdtDbtInd! RvslInd Sts! BookgDt ValDt AcctSvcrRef Avlbty BkTxCd! ComssnWvrInd AddtlInfInd AmtDtls NtryDtls
Sts  Cd Prtry
BookgDt  Dt DtTm
ValDt  Dt DtTm
Dt  Dt DtTm
BkTxCd  Domn Prtry
Prtry  Cd! Issr
NtryDtls  Btch TxDtls
TxDtls  Refs Amt CdtDbtInd AmtDtls Avlbty BkTxCd Chrgs Intrst RltdPties RltdAgts
Refs  MsgId AcctSvcrRef PmtInfId InstrId EndToEndId UETR TxId MndtId ChqNb ClrSysRef
RltdPties  InitgPty Dbtr DbtrAcct UltmtDbtr Cdtr CdtrAcct UltmtCdtr TradgPty Prtry
DbtrAcct  Id! Tp Ccy Nm Prxy
CdtrAcct  Id! Tp Ccy Nm Prxy
Id  IBAN Othr
Othr  Id! SchmeNm Issr
"""
PARTS = {name: parts.split() for name, parts in (line.split("  ") for line in STRUCTURE.strip().splitlines())}
LONGEST = {"MsgId": 35, "NtryRef": 35, "AcctSvcrRef": 35, "EndToEndId": 35, "Cd": 35, "Id": 34}


@pytest.fixture
def me(world: World) -> Resident:
    return world.residents(1)[0]


@pytest.fixture
def shop(world: World, bank: City, clock: FixedClock, me: Resident) -> City:
    """Two days: the resident is given 1,000 yen and pays 300 of it, twice, and some points."""
    company = world.company.organisation_no
    create_accounts(
        bank,
        [
            Account(MINE, 1, 3, AccountFlag.HISTORY, subject_no=me.subject_no),
            Account(SHOP, 1, 2, organisation_no=company),
            Account(POINTS, 2, 3, subject_no=me.subject_no),
            Account(9, 2, 1),
        ],
    )
    post(bank, [Transfer(1, SHOP, MINE, 1000, 1, 5), Transfer(2, 9, POINTS, 1234, 2, 5)])
    post(
        bank, [Transfer(3, MINE, SHOP, 300, 1, 6, user_data=77), Transfer(4, MINE, SHOP, 9, 1, 6, TransferFlag.PENDING)]
    )
    clock.advance(days=1)
    post(bank, [Transfer(5, MINE, SHOP, 300, 1, 6)])
    return bank


def tags(element: Any) -> list[str]:
    return [child.tag.removeprefix(f"{{{NAMESPACE}}}") for child in element]


def check_structure(element: Any) -> None:
    """Every element in its place, what is needed there, nothing else; text no longer than its type."""
    name = element.tag.removeprefix(f"{{{NAMESPACE}}}")
    assert element.tag == f"{{{NAMESPACE}}}{name}"
    found = tags(element)
    if not found:
        assert element.text
        assert len(element.text) <= LONGEST.get(name, 99)
        return
    allowed = [each.rstrip("!") for each in PARTS[name]]
    places = [allowed.index(each) for each in found]
    assert places == sorted(places), (name, found)
    assert {each.rstrip("!") for each in PARTS[name] if each.endswith("!")} <= set(found)
    repeated = {each for each in found if found.count(each) > 1}
    assert repeated <= {"Bal", "Ntry", "TxDtls"}
    for child in element:
        check_structure(child)


def test_camt_has_the_structure_of_its_message_and_adds_up(shop: City) -> None:
    for account, first, last in ((MINE, 0, 1), (SHOP, 0, 0), (POINTS, 0, 1), (MINE, 1, 1), (9, 1, 1)):
        since, until = DAY + timedelta(days=first), DAY + timedelta(days=last)
        sheet = make_sheet(shop, OPERATOR, account, since=since, until=until)
        root = fromstring(to_camt(sheet))
        check_structure(root)
        at = {"c": NAMESPACE}
        amounts = []
        for each in (*root.findall(".//c:Bal", at), *root.findall(".//c:Ntry", at)):
            sign = 1 if each.findtext("c:CdtDbtInd", namespaces=at) == "CRDT" else -1
            assert each.find("c:Amt", at).get("Ccy") == sheet.ledger.currency
            amounts.append(sign * round(float(each.findtext("c:Amt", namespaces=at)) * 10**sheet.ledger.exponent))
        opening, closing, *entries = amounts
        assert opening + sum(entries) == closing == sheet.closing
        assert len(entries) == len(sheet.lines)


def test_camt_says_who_paid_whom_when(shop: City) -> None:
    text = to_camt(make_sheet(shop, OPERATOR, MINE, since=DAY, until=DAY)).decode()
    assert "<FrDtTm>2026-04-01T00:00:00+09:00</FrDtTm><ToDtTm>2026-04-02T00:00:00+09:00</ToDtTm>" in text
    assert (
        '<Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="JPY">0</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-04-01</Dt>' in text
    )
    assert (
        '<Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="JPY">700</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-04-01</Dt>'
        in text
    )
    assert f"<DbtrAcct><Id><Othr><Id>{id_of('acc', MINE)}</Id>" in text
    assert f"<EndToEndId>{77:032x}</EndToEndId>" in text
    assert text.count("<Ntry>") == 2, "what is pending is not booked"


def test_csv_carries_the_balance_after_each_line(shop: City) -> None:
    rows = list(
        csv.DictReader(StringIO(to_csv(make_sheet(shop, OPERATOR, MINE, since=DAY, until=DAY + timedelta(days=1)))))
    )
    assert [(row["side"], row["amount"], row["balance"]) for row in rows] == [
        ("credit", "1000", "1000"),
        ("debit", "300", "700"),
        ("debit", "300", "400"),
    ]
    assert rows[1]["at"] == "2026-04-01T09:00:00+09:00"
    points = to_csv(make_sheet(shop, OPERATOR, POINTS, since=DAY, until=DAY))
    assert ",12.34,XXX," in points


def test_amounts_are_written_exactly() -> None:
    shown = [decimal(*each) for each in ((0, 0), (5, 0), (-5, 0), (5, 2), (-5, 2), (123456, 3), (2**63 - 1, 2))]
    assert shown == ["0", "5", "-5", "0.05", "-0.05", "123.456", "92233720368547758.07"]


def test_statement_refuses_what_is_no_period_and_what_is_too_long(shop: City, monkeypatch: pytest.MonkeyPatch) -> None:
    for since, until in ((DAY, DAY - timedelta(days=1)), (DAY, date.max)):
        with pytest.raises(PeriodIsInvalid):
            make_sheet(shop, OPERATOR, MINE, since=since, until=until)
    monkeypatch.setattr(exporting, "MAX_LINES", 1)
    with pytest.raises(StatementIsTooLong):
        make_sheet(shop, OPERATOR, MINE, since=DAY, until=DAY)


def test_resident_reads_own_accounts_over_http(shop: City, client: Make, me: Resident, world: World) -> None:
    mine = sign_in(shop, client, me.resident_id)
    yen, points = mine.get("/api/ledger/accounts").json()
    assert (yen["account_id"], yen["balance"], yen["flags"]) == (id_of("acc", MINE), 400, ["history"])
    assert yen["sums"] == {"debits_pending": 9, "debits_posted": 600, "credits_pending": 0, "credits_posted": 1000}
    assert points["balance"] == 1234
    base = f"/api/ledger/accounts/{yen['account_id']}"
    assert mine.get(base).json() == yen
    page = mine.get(f"{base}/transfers", params={"limit": 3}).json()
    assert [each["transfer"]["amount"] for each in page["transfers"]] == [300, 9, 300]
    assert [each["kind"] for each in page["transfers"]] == ["posted", "pending", "posted"]
    assert page["transfers"][0]["balance_after"] == yen["sums"]
    rest = mine.get(f"{base}/transfers", params={"limit": 3, "before": page["next_before"]}).json()
    assert [each["transfer"]["transfer_id"] for each in rest["transfers"]] == [id_of("trf", 1)]
    assert rest["next_before"] is None
    then = mine.get(f"{base}/balance", params={"at": "2026-04-01T12:00:00+09:00"}).json()
    assert then == mine.get(f"{base}/balance", params={"at": "2026-04-01T12:00:00"}).json()
    assert then["debits_posted"] == 300
    paid = mine.get(f"/api/ledger/transfers/{id_of('trf', 3)}").json()
    assert (paid["amount"], paid["credit_account_id"]) == (300, id_of("acc", SHOP))
    period = {"since": "2026-04-01", "until": "2026-04-02"}
    camt = mine.get(f"{base}/statement/camt.053", params=period)
    assert (camt.status_code, camt.headers["content-type"].split(";")[0]) == (200, "application/xml")
    check_structure(fromstring(camt.content))
    assert mine.get(f"{base}/statement/csv", params=period).text.count("\r\n") == 4

    (stranger,) = world.residents(1)
    other = sign_in(shop, client, stranger.resident_id)
    assert other.get("/api/ledger/accounts").json() == []
    for path in (
        base,
        f"{base}/transfers",
        f"{base}/balance?at=2026-04-01T12:00:00Z",
        f"/api/ledger/transfers/{id_of('trf', 3)}",
    ):
        assert other.get(path).status_code == 404, path
    assert client().get("/api/ledger/accounts").status_code == 401


@pytest.mark.parametrize(
    "key", ["x", "1", "1-", "-1", "1-x", "99999999999999999999-1", "1-9223372036854775808", "1--1"]
)
def test_key_that_no_page_gave_is_refused(shop: City, client: Make, me: Resident, key: str) -> None:
    answer = sign_in(shop, client, me.resident_id).get(
        f"/api/ledger/accounts/{id_of('acc', MINE)}/transfers", params={"before": key}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "ledger.key_is_malformed")


def test_closes_are_public(shop: City, client: Make) -> None:
    close_day(shop, OPERATOR, DAY)
    (yen, points) = client().get("/api/ledger/closes").json()
    assert (yen["day"], yen["ledger"], yen["debits_posted"], points["ledger"]) == ("2026-04-01", 1, 1300, 2)


@pytest.fixture
def run(shop: City, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    @contextmanager
    def opened() -> Iterator[City]:
        yield shop

    monkeypatch.setattr(cli, "open_city", opened)

    def invoke(*given: str) -> Any:
        result = CliRunner().invoke(cli.cli, list(given))
        if result.exception is not None:
            raise result.exception
        return result.stdout

    return invoke


def test_commands_show_the_books(run: Callable[..., Any], tmp_path: Any) -> None:
    def read(*given: str) -> Any:
        assert run(*given)
        return json.loads(run(*given, "--json"))

    assert [each["currency"] for each in read("ledgers")] == ["JPY", "XXX"]
    assert read("open", "392", "JPY", "yen")[0]["exponent"] == 0
    assert [each["balance"] for each in read("accounts")] == [400, -400, 1234, -1234]
    assert len(read("accounts", "--ledger", "1", "--after", id_of("acc", MINE))) == 1
    assert read("transfer", id_of("trf", 3))["amount"] == 300
    assert [each["amount"] for each in read("statement", id_of("acc", POINTS))] == ["12.34"]
    trial = read("trial-balance")
    assert sum(each["debits_posted"] - each["credits_posted"] for each in trial) == 0
    assert sum(each["debits_posted"] for each in read("trial-balance", "--at", "2026-04-01T12:00:00+0900")) == 2534
    assert [each["transfers"] for each in read("close", "2026-04-01")] == [3, 1, 0]
    assert len(read("closes")) == 3
    assert read("check", "2026-04-01") == {"day": "2026-04-01", "differing": []}
    for form, start in (("camt.053", b"<?xml"), ("csv", b"transfer_id,")):
        period = ("--since", "2026-04-01", "--until", "2026-04-02", "--form", form, "--to", str(tmp_path / form))
        (done,) = read("export", id_of("acc", MINE), *period)
        assert (done["lines"], done["opening"], done["closing"]) == (3, "0", "400")
        assert (tmp_path / form).read_bytes().startswith(start)


def test_trial_balance_of_empty_books_has_a_head(run: Callable[..., Any]) -> None:
    assert "accounts" in run("trial-balance", "--at", "2020-01-01")
    assert json.loads(run("trial-balance", "--at", "2020-01-01", "--json")) == []


def test_check_command_fails_when_the_books_were_changed(run: Callable[..., Any], shop: City) -> None:
    run("close", "2026-04-01")
    with psycopg.connect(shop.settings.database_owner_url) as conn:
        conn.execute("set session_replication_role = replica")
        conn.execute("update ledger.transfers set amount = amount + 1 where amount = 300 and user_data is not null")
        conn.execute("update ledger.accounts set debits_posted = debits_posted + 1 where account_no = 1")
    with pytest.raises(BooksDiffer):
        run("check", "2026-04-01")
