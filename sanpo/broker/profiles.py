"""Profiles: what entities are made of, by number. A profile is never taken back, so a process may remember its number."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sanpo.ground.city import City
from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
_MOST_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class Profile:
    """Types, and attributes with the kinds of their instances as `iri kind`: both in the order of code points."""

    types: tuple[str, ...]
    attributes: tuple[str, ...]

    @property
    def digest(self) -> str:
        return sha256(("\n".join(self.types) + "\n\n" + "\n".join(self.attributes)).encode()).hexdigest()


def profile_numbers(city: City, docs: Sequence[Any]) -> list[int]:
    """The number of each entity's profile; new ones are registered, in a transaction of their own."""
    wanted = [_profile_of(doc) for doc in docs]
    known: dict[Profile, int] = city.__dict__.setdefault("_broker_profiles", {})
    new = {each.digest: each for each in wanted if each not in known}
    if new:
        if len(known) + len(new) > _MOST_KEPT:
            known = city.__dict__["_broker_profiles"] = {}
            new = {each.digest: each for each in wanted}
        known.update(_registered(city, new))
    return [known[each] for each in wanted]


def _profile_of(doc: Any) -> Profile:
    kinds = {f"{iri} {instance['type']}" for iri, instances in doc["attrs"].items() for instance in instances}
    return Profile(tuple(sorted(doc["type"])), tuple(sorted(kinds)))


def _registered(city: City, new: dict[str, Profile]) -> dict[Profile, int]:
    with city.db.connection() as conn:
        for digest in sorted(new):
            types, attributes = list(new[digest].types), list(new[digest].attributes)
            conn.run(SQL.make_profile, {"digest": digest, "types": types, "attributes": attributes})
        rows = conn.run(SQL.profiles, {"digests": list(new)}).all()
    return {new[row.digest]: row.profile_no for row in rows}
