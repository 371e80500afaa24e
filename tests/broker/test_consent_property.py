"""For random towns, grants, agreements, questions and withdrawals: the answer is what filtering by hand gives, and the
journal names exactly those who were in it."""

from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.broker import querying
from sanpo.broker.contexts.context import CORE
from sanpo.broker.language.q.parse import parse_q
from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.selection import OfType, Q, Window
from sanpo.consent import Decision
from sanpo.ground.city import City
from tests.broker.consented import COLOUR, ENERGY, METER, build

COLOURS = ("red", "blue")
QUERIES = ("", "energy>2", "!energy", 'colour=="red"', "!colour", 'energy<=2|colour=="blue"', "energy>1;!colour")
NUMBERS = count(1)

people = st.integers(0, 3)
meters = st.lists(
    st.tuples(st.sets(people, min_size=1, max_size=3), st.integers(0, 4), st.sampled_from(COLOURS)),
    min_size=1,
    max_size=6,
)


def fits(query: str, shown: dict[str, object]) -> bool:
    """The query decided by hand on what is shown."""
    energy, colour = shown.get(ENERGY), shown.get(COLOUR)
    return {
        "": True,
        "energy>2": isinstance(energy, int) and energy > 2,
        "!energy": energy is None,
        'colour=="red"': colour == "red",
        "!colour": colour is None,
        'energy<=2|colour=="blue"': (isinstance(energy, int) and energy <= 2) or colour == "blue",
        "energy>1;!colour": isinstance(energy, int) and energy > 1 and colour is None,
    }[query]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    meters,
    st.sets(people),
    st.sets(people),
    st.sampled_from([("energy_wh",), ("colour",), ("energy_wh", "colour")]),
    st.sampled_from(QUERIES),
    st.integers(1, 4),
    st.booleans(),
)
def test_answer_equals_filtering_by_hand_and_journal_equals_answer(
    city: City,
    meters: list[tuple[set[int], int, str]],
    granting: set[int],
    withdrawing: set[int],
    columns: tuple[str, ...],
    query: str,
    limit: int,
    counted: bool,
) -> None:
    town = build(city, 4)
    agreement = town.agreement(*columns)
    client = town.client(agreement)
    first = next(NUMBERS) * 100
    for at, (whose, energy, colour) in enumerate(meters):
        town.add_meter(first + at, [town.residents[number] for number in sorted(whose)], energy, colour)
    town.world.give(agreement, [town.residents[number] for number in sorted(granting)])
    for number in sorted(granting & withdrawing):
        town.decide(agreement, town.residents[number], Decision.WITHDRAW)
    parts = [OfType(TypeSelection(((METER,),))), *([Q(parse_q(query, CORE))] if query else [])]

    page = querying.query_entities(town.place(client), parts, Window(limit, count=counted))

    agreed = {"energy_wh": ENERGY, "colour": COLOUR}
    by_hand = []
    for whose, energy, colour in meters:
        shown = {agreed[name]: {ENERGY: energy, COLOUR: colour}[agreed[name]] for name in columns}
        if whose <= granting - withdrawing and fits(query, shown):
            by_hand.append((whose, shown))
    answered = [{iri: found[0]["value"] for iri, found in doc["attrs"].items()} for doc in page.docs]
    assert answered == [shown for _, shown in by_hand[:limit]]
    assert page.count == (len(by_hand) if counted else None)
    used = {number for whose, _ in (by_hand if counted else by_hand[:limit]) for number in whose}
    assert {at for at, entries in enumerate(town.uses_of_each()) if entries} == used
