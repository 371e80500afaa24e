"""How many payments a second does the city's cash take over HTTP, each durable: spread over shops, and all at one till?

Residents scan the printed code of a shop and say how much. Server, database and client share the machine's cores; the
client is one process of threads that only send and count. Alternative in the same run: the ledger's transfers alone,
posted by this process without HTTP, a resident's wallet to a shop each.
"""

import argparse
import random
import threading
import time
from typing import Any

from harness import Wire, fresh_city, percentile, report, served

from sanpo.ground.actors import Resident
from sanpo.ground.csrf import csrf_token
from sanpo.ground.ids import new_id, new_number
from sanpo.ledger import Transfer, post
from sanpo.people import make_sign_in_link
from sanpo.people.sign_in import sign_in_with_link
from sanpo.services.cash.model import PAYMENT, YEN_LEDGER, number_of
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.shops import ShopDraft, printable_code, register_shop
from sanpo.services.cash.wallets import charge
from tests.world import OPERATOR, SIMULATOR, World  # type: ignore[import-not-found]

SHOPS = 50
YEN = 100


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--residents", type=int, default=1000)
    options.add_argument("--connections", type=int, default=16)
    options.add_argument("--seconds", type=float, default=8)
    given = options.parse_args()
    with fresh_city() as city:
        world = World(city)
        residents = world.residents(given.residents)
        owner = world.company.organisation_id
        shops = [
            register_shop(city, OPERATOR, ShopDraft(owner, f"SHOP {number}", f"店{number}", "5411", "本町"))
            for number in range(SHOPS)
        ]
        for resident in residents:
            assert charge(city, resident, new_id("chg"), 100_000) is Outcome.DONE
        codes = [printable_code(shop) for shop in shops]
        alone = _posted(city, residents, [shop.shop_no for shop in shops], given.connections)
        headers = [_headers(city, resident) for resident in residents]
        figures: dict[str, float] = {"ledger_alone_per_s": alone}
        with served(city.settings):
            for name, choice in (("spread", codes), ("hot", codes[:1])):
                figures |= _fire(name, city.settings.port, headers, choice, given)
    figures["hot_to_spread"] = round(figures["hot_per_s"] / figures["spread_per_s"], 2)
    report("payments", vars(given) | {"shops": SHOPS, "http_workers": city.settings.http_workers}, figures)


def _headers(city: Any, resident: Resident) -> dict[str, str]:
    token = sign_in_with_link(city, make_sign_in_link(city, SIMULATOR, resident.resident_id).token).token
    csrf = csrf_token(city.keys, token)
    return {"Cookie": f"sanpo={token}", "X-CSRF-Token": csrf, "Content-Type": "application/json"}


def _posted(city: Any, residents: list[Resident], shops: list[int], threads: int, seconds: float = 4) -> float:
    counts = [0] * threads
    end = time.perf_counter() + seconds

    def work(at: int) -> None:
        chance = random.Random(at)
        while time.perf_counter() < end:
            wallet = number_of("wallet", chance.choice(residents).subject_no)
            shop = number_of("shop", chance.choice(shops))
            post(city, [Transfer(new_number(), wallet, shop, 1, YEN_LEDGER, PAYMENT)])
            counts[at] += 1

    _run(threads, work)
    return round(sum(counts) / seconds)


def _fire(name: str, port: int, headers: list[dict[str, str]], codes: list[str], given: Any) -> dict[str, float]:
    latencies: list[float] = []
    end = time.perf_counter() + 1

    def work(at: int) -> None:
        chance, wire = random.Random(at), Wire(port)
        mine = headers[at :: given.connections]
        while time.perf_counter() < end:
            body = f'{{"payment_id":"{new_id("pay")}","payload":"{chance.choice(codes)}","amount_yen":{YEN}}}'
            began = time.perf_counter()
            status, answer = wire.call("POST", "/api/cash/me/payments", chance.choice(mine), body.encode())
            latencies.append(time.perf_counter() - began)
            if status != 200 or b'"done"' not in answer:
                raise AssertionError(answer[:300])

    _run(given.connections, work)
    latencies.clear()
    end = time.perf_counter() + given.seconds
    _run(given.connections, work)
    found: dict[str, float] = {f"{name}_per_s": round(len(latencies) / given.seconds)}
    for percent in (50, 95, 99):
        found[f"{name}_p{percent}_ms"] = round(percentile(latencies, percent / 100) * 1000, 1)
    return found


def _run(threads: int, work: Any) -> None:
    running = [threading.Thread(target=work, args=(at,)) for at in range(threads)]
    for each in running:
        each.start()
    for each in running:
        each.join()


if __name__ == "__main__":
    main()
