"""The Python in `docs/how-to/connect-a-client.md` runs, and what it makes is accepted."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sanpo.people.assertions import check_key_set, verify_assertion

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "connect-a-client.md"


def test_assertion_of_the_how_to_is_accepted() -> None:
    samples = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"client_id": "cli_x"}
    exec("\n".join(samples), names)
    verify_assertion(
        names["form"]["client_assertion"],
        key_set=check_key_set({"keys": [names["key"].as_dict(private=False)]}),
        client_id="cli_x",
        audiences=("https://city.example/oauth/token",),
        now=datetime.now(UTC),
    )
