"""Made-up people and homes from a seed. Names are common ones put together by chance; nobody real is meant."""

import random
from dataclasses import dataclass
from typing import TypeVar

FAMILY = [
    ("佐藤", "サトウ"), ("鈴木", "スズキ"), ("高橋", "タカハシ"), ("渡部", "ワタナベ"),
    ("星", "ホシ"), ("斎藤", "サイトウ"), ("五十嵐", "イガラシ"), ("小林", "コバヤシ"),
    ("加藤", "カトウ"), ("山口", "ヤマグチ"), ("長谷川", "ハセガワ"), ("遠藤", "エンドウ"),
]  # fmt: skip
GIVEN = [
    ("花子", "ハナコ"), ("太郎", "タロウ"), ("恵子", "ケイコ"), ("健一", "ケンイチ"), ("陽菜", "ヒナ"), ("蓮", "レン"),
    ("幸子", "サチコ"), ("誠", "マコト"), ("美咲", "ミサキ"), ("大輔", "ダイスケ"), ("結衣", "ユイ"), ("茂", "シゲル"),
]  # fmt: skip
_T = TypeVar("_T")

AREAS = ["中央", "城北", "城南", "川東", "湯川", "西町"]
DWELLINGS = [("detached", 5), ("apartment", 4), ("terraced", 1)]
HEATING = [("heat_pump", 4), ("electric", 2), ("kerosene", 3), ("gas", 1)]
HOUSEHOLD_SIZES = [(1, 35), (2, 29), (3, 18), (4, 13), (5, 5)]


@dataclass(frozen=True)
class Person:
    name: str
    name_kana: str
    birth_year: int
    area: str
    address: str
    email: str


@dataclass(frozen=True)
class Home:
    """A household: its people (the first holds the electricity contract) and what the meter's owner told about it."""

    people: tuple[Person, ...]
    area: str
    dwelling_type: str
    heating_type: str

    @property
    def occupants(self) -> int:
        return len(self.people)


def make_homes(seed: int, residents: int) -> list[Home]:
    """Homes with `residents` people in all. The same seed gives the same homes."""
    chance = random.Random(seed)  # noqa: S311  # a simulation, not a secret
    homes: list[Home] = []
    left = residents
    while left:
        size = min(left, _pick(chance, HOUSEHOLD_SIZES))
        homes.append(_home(chance, len(homes), size))
        left -= size
    return homes


def _home(chance: random.Random, number: int, size: int) -> Home:
    area = chance.choice(AREAS)
    family = chance.choice(FAMILY)
    people = tuple(_person(chance, family, area, number, at) for at in range(size))
    return Home(people, area, _pick(chance, DWELLINGS), _pick(chance, HEATING))


def _person(chance: random.Random, family: tuple[str, str], area: str, number: int, at: int) -> Person:
    given = chance.choice(GIVEN)
    born = chance.randint(1936, 2000) if at < 2 else chance.randint(2001, 2024)
    return Person(
        name=f"{family[0]} {given[0]}",
        name_kana=f"{family[1]} {given[1]}",
        birth_year=born,
        area=area,
        address=f"{area}{1 + number % 9}丁目{1 + number % 27}-{1 + number % 13}",
        email=f"resident{number}-{at}@example.jp",
    )


def _pick(chance: random.Random, weighted: list[tuple[_T, int]]) -> _T:
    return chance.choices([value for value, _ in weighted], [weight for _, weight in weighted])[0]
