"""The clean room's API: what may still be asked under an agreement."""

from typing import Any

from litestar import get

from sanpo.cleanroom import budgets
from sanpo.cleanroom.budgets import BudgetLeft
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses

PATH = "/api/cleanroom"


@get(f"{PATH}/budgets/{{agreement_id:str}}", sync_to_thread=True, responses=problem_responses(401, 404))
def get_budget(city: City, actor: Actor, agreement_id: str) -> BudgetLeft:
    """What is left of an agreement's budgets, for its organisation and the city's officers.

    `questions` counts answers, `epsilon_milli` thousandths of epsilon; null where the agreement sets no such budget.
    A refused question costs nothing.
    """
    return budgets.get_budget(city, actor, agreement_id)


handlers: list[Any] = [get_budget]
