"""The API of multiplications: what did a second dataset add?"""

from typing import Any

from litestar import post

from sanpo.cleanroom.multiplications import Bought, Multiplication, multiply
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses


@post(
    "/api/cleanroom/multiplications",
    sync_to_thread=True,
    status_code=200,
    responses=problem_responses(401, 403, 404, 409, 410, 422, 429),
)
def post_multiplication(city: City, actor: Actor, data: Multiplication) -> Bought:
    """Predicts the target by unit from the base parts, and from base and added parts, on areas that the model has not
    seen; returns both scores (AUC or R²), the gain with its 95 % interval, and the share of units that were withheld.

    Open data needs no agreement. Each part about people names the agreement under which it is asked.
    """
    return multiply(city, actor, data)


handlers: list[Any] = [post_multiplication]
