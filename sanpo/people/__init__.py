"""People: residents and households, who may act for whom, organisations with their staff and programs, and sign-in.

Invariants: a resident's identity (name, address, e-mail, birth year) is in this district alone, everybody else knows a
`subject_no`, and each recipient a pseudonym of its own; every secret is stored as a hash; a session or token that was
ended is refused by the next request on any worker; what a representative may do ends with the term; no national number
is ever taken.

Tables: `people.residents`, `people.identities`, `people.households`, `people.household_members`,
`people.representatives`, `people.organisations`, `people.staff`, `people.clients`, `people.tokens`,
`people.used_assertions`, `people.failed_attempts`, `people.passkeys`, `people.challenges`, `people.sign_in_links`,
`people.sessions`.
"""

from sanpo.people.actions import (
    name_of,
    register_households,
    register_residents,
)
from sanpo.people.client_tokens import SecretProof, is_revoked, issue_token
from sanpo.people.households import list_members_with
from sanpo.people.model import NewHousehold, NewOrganisation, NewResident, Organisation
from sanpo.people.organisations import (
    add_staff,
    create_client,
    find_webhook,
    get_organisation,
    register_organisation,
)
from sanpo.people.roll import list_subjects
from sanpo.people.sign_in import actor_of, make_sign_in_link
from sanpo.people.tokens import pseudonym

__all__ = [
    "NewHousehold",
    "NewOrganisation",
    "NewResident",
    "Organisation",
    "SecretProof",
    "actor_of",
    "add_staff",
    "create_client",
    "find_webhook",
    "get_organisation",
    "is_revoked",
    "issue_token",
    "list_members_with",
    "list_subjects",
    "make_sign_in_link",
    "name_of",
    "pseudonym",
    "register_households",
    "register_organisation",
    "register_residents",
]
