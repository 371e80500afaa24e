"""A household counts when a member agreed, where the agreement says so; who said no counts for nobody."""

from msgspec import structs

from sanpo.consent import Decision, admit, confirm, decide
from sanpo.ground.actors import Anonymous, System
from sanpo.people import NewHousehold, list_members_with, register_households
from tests.consent.drafts import draft
from tests.world import SIMULATOR, World

OPERATOR = System("operator")


def admitted(world: World, agreement: object) -> list[int]:
    with world.city.transaction(OPERATOR) as tx:
        uses = agreement.draft.datasets[0]  # type: ignore[attr-defined]
        admission = admit(tx, OPERATOR, agreement.agreement_id, dataset=uses.name, columns=frozenset(uses.columns))  # type: ignore[attr-defined]
        assert confirm(tx, admission)
        return [int(number) for number in admission.subjects]


def test_household_counts_when_a_member_agreed_where_the_agreement_says_so(world: World) -> None:
    people = world.residents(6)
    numbers = [each.subject_no for each in people]
    homes = [NewHousehold("中央", tuple(numbers[:3])), NewHousehold("中央", tuple(numbers[3:5]))]
    register_households(world.city, SIMULATOR, homes)
    plain = draft()
    each = world.agreement()
    any_member = world.agreement(
        the_draft=structs.replace(
            plain,
            title=structs.replace(plain.title, en="Households"),
            rule=structs.replace(plain.rule, household="any"),
        )
    )
    for agreement in (each, any_member):
        world.give(agreement, [people[0], people[5]])
    assert admitted(world, each) == [numbers[0], numbers[5]]
    assert admitted(world, any_member) == [*numbers[:3], numbers[5]]
    decide(world.city, people[2], any_member.agreement_id, Decision.REFUSE)
    assert admitted(world, any_member) == [*numbers[:2], numbers[5]]
    decide(world.city, people[0], any_member.agreement_id, Decision.WITHDRAW)
    assert admitted(world, any_member) == [numbers[5]]


def test_nobody_learns_who_lives_together_without_an_admission(world: World) -> None:
    people = world.residents(2)
    register_households(world.city, SIMULATOR, [NewHousehold("中央", tuple(each.subject_no for each in people))])
    for actor in (Anonymous(), people[0], world.client(world.university)):
        with world.city.transaction(actor) as tx:
            assert list_members_with(tx, b"\xff" * 256) == []
