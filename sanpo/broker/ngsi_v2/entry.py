"""`/v2`, `/version`, and registrations, which NGSIv2 has and this broker has only in NGSI-LD's form, if at all."""

from sanpo import __version__
from sanpo.broker.ngsi_ld.calls import Reply
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.ngsi_ld.routing import Operation
from sanpo.broker.ngsi_v2.calls import Call
from sanpo.broker.ngsi_v2.entities import BODY
from sanpo.broker.ngsi_v2.errors import NotBuilt, RegistrationNotFound

SPOKEN = "3.11.0"
"""The Orion whose NGSIv2 this one follows: clients compare that number before they do anything else."""
RESOURCES = ("entities", "types", "subscriptions", "registrations")


def resources(call: Call) -> Reply:
    """Retrieve API Resources."""
    return call.reply({f"{name}_url": f"/v2/{name}" for name in RESOURCES})


def version(call: Call) -> Reply:
    """Which broker this is, and the number of the Orion that clients may take it for."""
    own = {"version": __version__, "ngsi": ["v2", "ld"]}
    return call.reply({"sanpo": own, "orion": {"version": SPOKEN, "doc": "spoken by sanpo, which is no Orion"}})


def list_registrations(call: Call) -> Reply:
    """List Registrations: none are made by NGSIv2."""
    return call.reply([], 0 if call.window.count else None)


def create_registration(call: Call) -> Reply:
    """Create Registration: not built. Sources are registered by NGSI-LD."""
    raise NotBuilt(what="POST /v2/registrations")


def no_registration(call: Call) -> Reply:
    """Retrieve, update and delete Registration: there is none."""
    raise RegistrationNotFound(registration_id=call.segments[0])


_ONE = "v2/registrations/{}"
OPERATIONS = [
    Operation("GET", "v2", resources, "", offers=(JSON,), for_all=True),
    Operation("GET", "version", version, "", offers=(JSON,), for_all=True),
    Operation(
        "GET",
        "v2/registrations",
        list_registrations,
        "",
        frozenset({"limit", "offset", "options"}),
        offers=(JSON,),
    ),
    Operation("POST", "v2/registrations", create_registration, "", offers=(JSON,), bodies=BODY),
    Operation("GET", _ONE, no_registration, "", offers=(JSON,)),
    Operation("PATCH", _ONE, no_registration, "", offers=(JSON,), bodies=BODY),
    Operation("DELETE", _ONE, no_registration, "", offers=(JSON,)),
]
