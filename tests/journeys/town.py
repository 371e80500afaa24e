"""What a journey stands on: people and readings in the city's register and lake; all else goes through HTTP."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pyarrow as pa
from litestar.testing import TestClient

from sanpo.ground.city import City
from sanpo.lake import append, replace
from sanpo.people import make_sign_in_link
from tests.conftest import START
from tests.world import OPERATOR, World

Make = Callable[[], TestClient[Any]]


def fill_lake(city: City, subject_nos: list[int], *, steps: int = 8) -> None:
    """Each resident's home uses `subject_no` Wh in each of `steps` quarters of an hour; odd ones live in 東, even in 西."""
    times = [START.replace(tzinfo=None) - timedelta(days=1) + timedelta(minutes=15 * at) for at in range(steps)]
    local = [moment + timedelta(hours=9) for moment in times]
    count = len(subject_nos)
    append(
        city,
        "energy.readings",
        pa.table(
            {
                "subject_no": pa.array([n for n in subject_nos for _ in times], pa.int32()),
                "meter_no": pa.array([n for n in subject_nos for _ in times], pa.int32()),
                "start_at": pa.array(times * count, pa.timestamp("us")),
                "start_local": pa.array(local * count, pa.timestamp("us")),
                "energy_wh": pa.array([n for n in subject_nos for _ in times], pa.int32()),
            }
        ),
    )
    replace(
        city,
        "energy.homes",
        pa.table(
            {
                "subject_no": pa.array(subject_nos, pa.int32()),
                "area": ["東" if n % 2 else "西" for n in subject_nos],
                "dwelling_type": ["detached"] * count,
                "heating_type": ["heat_pump"] * count,
                "occupants": pa.array([2] * count, pa.int32()),
            }
        ),
    )


def sign_in(city: City, make: Make, holder_id: str) -> TestClient[Any]:
    """A browser signed in with a one-time link; it sends its CSRF token as a page's script would."""
    http = make()
    link = make_sign_in_link(city, OPERATOR, holder_id)
    page = http.get(f"/people/link/{link.token}")
    assert page.status_code == 200
    done = http.post("/people/link", data={"token": link.token}, follow_redirects=False)
    assert done.status_code in (302, 303), done.text
    home = http.get("/")
    found = re.search(r'name="csrf-token" content="([0-9a-f]{64})"', home.text)
    assert found, "the page of somebody signed in carries their CSRF token"
    http.headers["x-csrf-token"] = found[1]
    return http


def token_for(http: TestClient[Any], client_id: str, secret: str, agreement_id: str) -> dict[str, str]:
    """The headers of a program that asks under this agreement."""
    answer = http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials", "scope": f"agreement:{agreement_id}"},
        auth=(client_id, secret),
    )
    assert answer.status_code in (200, 201), answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


__all__ = ["Make", "World", "fill_lake", "sign_in", "token_for"]
