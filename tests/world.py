"""A small city for tests, built through actions only: residents, an organisation with its client, an approved agreement."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sanpo.consent import Decision, Draft, PublishedAgreement, approve_agreement, decide, publish_agreement
from sanpo.ground.actors import Client, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.people import NewOrganisation, NewResident, add_staff, register_organisation, register_residents
from tests.consent.drafts import draft

OPERATOR = System("operator")
SIMULATOR = System("simulator")
WEBHOOK = "http://127.0.0.1:9/hook"


@dataclass(frozen=True)
class World:
    """One city and the ways to act in it."""

    city: City

    def residents(self, count: int) -> list[Resident]:
        """Registers people and returns them as actors."""
        new = [
            NewResident(f"名前{number}", f"ナマエ{number}", f"中央{number}番地", "中央", birth_year=1950)
            for number in range(count)
        ]
        made = register_residents(self.city, SIMULATOR, new)
        return [Resident(one.resident_id, one.subject_no, one.resident_id) for one in made]

    @cached_property
    def hall(self) -> Any:
        return register_organisation(
            self.city, OPERATOR, NewOrganisation("市役所", "City Hall", "city", "hall@example.jp")
        )

    @cached_property
    def officer(self) -> Staff:
        return self.staff(self.hall, "officer")

    @cached_property
    def university(self) -> Any:
        return register_organisation(
            self.city, OPERATOR, NewOrganisation("大学", "University", "university", "lab@example.jp", WEBHOOK)
        )

    @cached_property
    def company(self) -> Any:
        return register_organisation(
            self.city, OPERATOR, NewOrganisation("電力会社", "Power Company", "company", "office@example.jp")
        )

    def staff(self, organisation: Any, role: str) -> Staff:
        staff_id = add_staff(self.city, OPERATOR, organisation.organisation_id, role=role, name="職員", email=None)
        return Staff(staff_id, organisation.organisation_id, organisation.organisation_no, role)  # type: ignore[arg-type]

    def client(self, organisation: Any, agreement: PublishedAgreement | None = None) -> Client:
        """The organisation's program as an actor, as if with a token for this agreement."""
        return Client(
            "cli_test",
            organisation.organisation_id,
            organisation.organisation_no,
            None if agreement is None else agreement.agreement_id,
        )

    def agreement(
        self, organisation: Any = None, *, the_draft: Draft | None = None, **changes: Any
    ) -> PublishedAgreement:
        """An approved agreement of the university or of the one given."""
        owner = organisation or self.university
        published = publish_agreement(self.city, self.client(owner), the_draft or draft(**changes))
        return approve_agreement(self.city, self.officer, published.agreement_id)

    def give(self, agreement: PublishedAgreement, residents: Sequence[Resident]) -> None:
        for resident in residents:
            decide(self.city, resident, agreement.agreement_id, Decision.GIVE)
