"""The residents' register as a file: what is read, what is refused whole, and what is wrong with a row."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.ground.errors import DomainError, InputIsInvalid
from sanpo.ground.words import load_words
from sanpo.people.errors import (
    RegisterHasNationalNumbers,
    RegisterHasNoRows,
    RegisterHeaderIsUnknown,
    RegisterIsMalformed,
    RegisterIsNotText,
    RegisterIsUnreadable,
)
from sanpo.people.model import NewResident, Reason
from sanpo.people.register import RegisterFile, parse_register, read_register
from sanpo.people.register.files import COLUMNS
from sanpo.people.register.national_numbers import is_national_name, look_national
from tests.people.registers import Person, person, write

HEADER = "name,name_kana,address,area,email,birth_year,household,reference,language"
SOUND = "山田 一郎,ヤマダ イチロウ,北1,北,a@example.jp,1950,H1,A1,en"
MY_NUMBERS = ("123456789018", "987654321093", "111111111118")


def parse(text: str) -> RegisterFile:
    return parse_register("r.csv", text, this_year=2026)


def text_of(people: list[Person]) -> str:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(people[0]))
    writer.writeheader()
    writer.writerows(people)
    return file.getvalue()


def test_row_is_read_with_all_that_it_says() -> None:
    file = parse(f"{HEADER}\n{SOUND}\n")
    assert (file.rows, file.problems) == (1, [])
    row = file.good[0]
    assert row.resident == NewResident("山田 一郎", "ヤマダ イチロウ", "北1", "北", "a@example.jp", 1950, "en", "A1")
    assert (row.line, row.household) == (2, "H1")


def test_japanese_header_is_read_and_so_are_full_width_digits_and_empty_cells() -> None:
    file = parse(
        "宛名番号,氏名,ﾌﾘｶﾞﾅ,住所,地区,生年,メール\n０１２,山田,ヤマダ,北1,北,１９５０,\n,鈴木,スズキ,北2,北,,\n"
    )
    assert file.problems == []
    first, second = (row.resident for row in file.good)
    assert (first.reference, first.birth_year, first.email) == ("012", 1950, None)
    assert (second.reference, second.birth_year, second.language) == (None, None, "ja")


def test_blank_lines_are_left_out_and_rows_keep_the_line_where_they_begin() -> None:
    file = parse('name,name_kana,address,area\n\n,,,\na,b,"c\nd",e\nf,g,h,i,j\n')
    assert file.rows == 2
    assert file.problems == [(4, "address", Reason.UNPRINTABLE), (6, "", Reason.WRONG_COLUMNS)]


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"name": " "}, "name", Reason.EMPTY),
        ({"area": ""}, "area", Reason.EMPTY),
        ({"address": "a" * 201}, "address", Reason.TOO_LONG),
        ({"name_kana": "a\tb"}, "name_kana", Reason.UNPRINTABLE),
        ({"name": "a\x00b"}, "name", Reason.UNPRINTABLE),
        ({"email": "nobody"}, "email", Reason.MALFORMED_EMAIL),
        ({"email": "a b@c"}, "email", Reason.MALFORMED_EMAIL),
        ({"birth_year": "昭和25"}, "birth_year", Reason.MALFORMED_BIRTH_YEAR),
        ({"birth_year": "1879"}, "birth_year", Reason.MALFORMED_BIRTH_YEAR),
        ({"birth_year": "2027"}, "birth_year", Reason.MALFORMED_BIRTH_YEAR),
        ({"language": "fr"}, "language", Reason.UNKNOWN_LANGUAGE),
        ({"reference": "res_1"}, "reference", Reason.MALFORMED_REFERENCE),
        ({"reference": "A 1"}, "reference", Reason.MALFORMED_REFERENCE),
        ({"household": "家"}, "household", Reason.MALFORMED_REFERENCE),
    ],
)
def test_bad_row_is_named_with_its_column_and_the_sound_one_beside_it_is_not(
    changes: Person, column: str, reason: Reason
) -> None:
    file = parse(text_of([person(1) | {"language": "ja"}, person(2) | {"language": "ja"} | changes]))
    assert file.problems == [(3, column, reason)]
    assert [row.line for row in file.good] == [2]


def test_every_reason_says_what_would_be_accepted() -> None:
    words = load_words(["sanpo.people"])
    assert not [reason for reason in Reason for lang in ("ja", "en") if not words.has(lang, f"people.reason.{reason}")]


def test_rows_that_cannot_both_be_right_are_all_named() -> None:
    same_reference = [person(1), person(2, reference="A1"), person(3)]
    assert parse(text_of(same_reference)).problems == [
        (2, "reference", Reason.REPEATED_REFERENCE),
        (3, "reference", Reason.REPEATED_REFERENCE),
    ]
    same_person = [person(1, reference=""), person(1, reference="", household="H2", email="")]
    assert [problem.reason for problem in parse(text_of(same_person)).problems] == [Reason.REPEATED_PERSON] * 2
    two_areas = [person(1), person(2, household="H1", area="南"), person(3)]
    assert [problem[::2] for problem in parse(text_of(two_areas)).problems] == [
        (2, Reason.HOUSEHOLD_IN_TWO_AREAS),
        (3, Reason.HOUSEHOLD_IN_TWO_AREAS),
    ]


def test_twins_in_all_but_the_reference_are_two() -> None:
    assert len(parse(text_of([person(1), person(1, reference="A2")])).good) == 2


def test_names_with_characters_of_the_city_and_variants_are_kept() -> None:
    names = ["\ue001田 太郎", "葛\U000e0100城　花子", "Nguyễn Văn An"]
    file = parse(text_of([person(n, name=name) for n, name in enumerate(names)]))
    assert [row.resident.name for row in file.good] == names


@pytest.mark.parametrize(
    "column",
    ["マイナンバー", "個人番号", "ﾏｲﾅﾝﾊﾞｰ", "my_number", "My Number", "MYNUMBER", "individual_number", "住民票コード"],
)
def test_column_named_like_a_national_number_is_refused_even_when_it_is_empty(column: str) -> None:
    """people.register_has_national_numbers"""
    with pytest.raises(RegisterHasNationalNumbers) as refused:
        parse(f"name,name_kana,address,area,colour,{column}\na,b,c,d,e,\n")
    assert refused.value.fields["column"] == column


def test_our_own_columns_are_not_taken_for_national_numbers() -> None:
    assert not [name for names in COLUMNS.items() for name in names if is_national_name(name)]


def test_national_numbers_under_another_name_are_refused() -> None:
    for column in ("reference", "household"):
        people = [person(n, **{column: number}) for n, number in enumerate(MY_NUMBERS)]
        with pytest.raises(RegisterHasNationalNumbers) as refused:
            parse(text_of(people))
        assert refused.value.fields["column"] == column
        assert not [number for number in MY_NUMBERS if number in str(refused.value)]


def test_other_numbers_of_twelve_digits_are_taken() -> None:
    people = [person(n, reference=f"{n:012d}") for n in range(1, 60)]
    assert len(parse(text_of(people)).good) == 59


@given(st.lists(st.integers(0, 10**12 - 1).map(lambda n: f"{n:012d}"), min_size=20, max_size=20, unique=True))
def test_numbers_by_chance_do_not_look_national(numbers: list[str]) -> None:
    valid = [number for number in numbers if look_national([number] * 3)]
    assert look_national(numbers) == (len(valid) > 10)
    assert not look_national(valid[:2])


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("name,name_kana,address", "area (地区)"),
        ("name,name_kana,address,area,colour", "colour"),
        ("name,name_kana,address,area,氏名", "氏名"),
        ("name,name_kana,address,area,", ""),
        ("", "name (氏名)"),
        ("山田 一郎,ヤマダ,北1,北", "#1"),
    ],
)
def test_header_is_refused_with_the_columns_that_would_do(header: str, column: str) -> None:
    """people.register_header_is_unknown"""
    with pytest.raises(RegisterHeaderIsUnknown) as refused:
        parse(header and f"{header}\na,b,c,d,e\n")
    assert refused.value.fields["column"] == column
    assert "birth_year (生年)" in refused.value.fields["accepted"]


def test_register_without_anybody_is_refused() -> None:
    """people.register_has_no_rows"""
    for rest in ("", "\n", ",,,,,,,,\n"):
        with pytest.raises(RegisterHasNoRows):
            parse(f"{HEADER}\n{rest}")


def test_open_quotation_mark_is_refused_where_it_opens() -> None:
    """people.register_is_malformed"""
    with pytest.raises(RegisterIsMalformed) as refused:
        parse(f'{HEADER}\n{SOUND}\n"{SOUND}\n{SOUND}\n')
    assert refused.value.fields["row"] == 3


def test_file_is_read_in_the_encoding_that_is_named(tmp_path: Path) -> None:
    people = [person(1), person(2, name="髙橋 二郎")]
    shift_jis = write(tmp_path / "sjis.csv", people, encoding="cp932")
    assert read_register(shift_jis, encoding="cp932", this_year=2026).good[1].resident.name == "髙橋 二郎"
    with_mark = write(tmp_path / "bom.csv", people, encoding="utf-8-sig")
    assert len(read_register(with_mark, this_year=2026).good) == 2
    with pytest.raises(RegisterIsNotText) as refused:
        read_register(shift_jis, this_year=2026)
    assert (refused.value.fields["row"], refused.value.fields["others"]) == (2, "cp932")
    with pytest.raises(InputIsInvalid):
        read_register(shift_jis, encoding="latin-1", this_year=2026)


def test_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """people.register_is_unreadable"""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(RegisterIsUnreadable):
            read_register(path, this_year=2026)


CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", '"', '""', ",", "\n", "\r\n", "\x00", "１９５０", "99999", "-1", "a@b", "A1", "res_", *MY_NUMBERS]
    ),
)
NAMES = st.sampled_from([*COLUMNS, *COLUMNS.values(), "", "個人番号", "x"])


def found_in(read: Callable[[], RegisterFile]) -> RegisterFile | None:
    """What was read; None where it was refused as a register is. Anything else that is raised fails the test."""
    try:
        return read()
    except DomainError as error:
        code = error.code
    assert code.startswith("people.register_")
    return None


@given(st.one_of(st.text(), st.lists(st.lists(CELLS, max_size=10)).map(lambda rows: "\n".join(map(",".join, rows)))))
def test_no_text_is_more_than_the_parser_can_take(text: str) -> None:
    for start in ("", HEADER + "\n", "name,name_kana,address,area\n"):
        file = found_in(lambda start=start: parse(start + text))  # type: ignore[misc]
        assert file is None or file.rows == len(file.good) + len({problem.row for problem in file.problems})


HEADERS = st.one_of(st.permutations(list(COLUMNS)), st.lists(NAMES, min_size=9, max_size=9))


@given(HEADERS, st.lists(st.lists(CELLS, min_size=9, max_size=9), min_size=1, max_size=8))
def test_every_row_of_a_written_register_is_good_or_named(header: list[str], rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *rows])
    file = found_in(lambda: parse(text.getvalue()))
    if file is not None:
        assert file.rows == len(file.good) + len({problem.row for problem in file.problems})
        assert file.rows == sum(any(cell.strip() for cell in row) for row in rows)


@given(st.binary(max_size=300), st.sampled_from(["utf-8", "cp932"]))
def test_no_bytes_are_more_than_the_reader_can_take(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, encoding: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "bytes.csv"
    path.write_bytes(HEADER.encode(encoding) + b"\n" + data)
    file = found_in(lambda: read_register(path, encoding=encoding, this_year=2026))
    assert file is None or file.rows > 0
