"""The tables of the broker, with the wall around personal rows."""

from sanpo.ground.actors import Anonymous, System
from sanpo.ground.city import City

TENANT = "insert into broker.tenants (name, created_at) values (%(name)s, now()) returning tenant_no"
ENTITY = (
    "insert into broker.entities (tenant_no, entity_id, types, doc, personal, subjects, created_at, modified_at, profile_no)"
    " values (%(tenant_no)s, %(entity_id)s, '{T}', '{}', %(personal)s, %(subjects)s, now(), now(), 1)"
)


def test_personal_row_is_seen_by_the_duty_and_by_nobody_else(city: City) -> None:
    with city.transaction(System("broker")) as tx:
        tenant_no = tx.get(TENANT, name="t").tenant_no
        tx.execute(ENTITY, tenant_no=tenant_no, entity_id="urn:public", personal=False, subjects=None)
        tx.execute(ENTITY, tenant_no=tenant_no, entity_id="urn:own", personal=True, subjects=[7])
        assert tx.get("select count(*) as n from broker.entities").n == 2
    with city.transaction(Anonymous()) as tx:
        assert [row.entity_id for row in tx.all("select entity_id from broker.entities")] == ["urn:public"]
