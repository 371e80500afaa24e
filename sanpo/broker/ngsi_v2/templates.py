"""Custom notifications: templates with `${name}` for values of the entity ("Custom Notifications"). Pure."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote

from sanpo.broker.ngsi_v2.values import default_type
from sanpo.broker.store import encode

_MACRO = re.compile(r"\$\{([^{}]*)\}")


def text_of(value: Any) -> str:
    """A value inside a text."""
    return value if type(value) is str else encode(value).decode()


def filled(template: str, values: Mapping[str, Any], write: Callable[[str], str] = str) -> str:
    """The template with its values; nothing for one that is not there."""
    return _MACRO.sub(lambda found: write(text_of(values[found[1]])) if found[1] in values else "", template)


def filled_url(template: str, values: Mapping[str, Any], parameters: Mapping[str, str]) -> str:
    """An address: what is filled in cannot leave its place."""
    url = filled(template, values, lambda text: quote(text, safe=":@!$*,;"))
    pairs = [
        f"{quote(filled(name, values), safe='')}={quote(filled(each, values), safe=':@!$*,;/')}"
        for name, each in parameters.items()
    ]
    return url + ("&" if "?" in url else "?") + "&".join(pairs) if pairs else url


def filled_payload(template: str, values: Mapping[str, Any]) -> bytes:
    """A text; characters that NGSIv2 forbids in a template stand in it percent-encoded."""
    return filled(unquote(template), values).encode()


def filled_json(template: Any, values: Mapping[str, Any]) -> Any:
    """JSON: a text that is one macro and no more becomes the value itself, null where there is none."""
    if type(template) is dict:
        return {filled(name, values): filled_json(each, values) for name, each in template.items()}
    if type(template) is list:
        return [filled_json(each, values) for each in template]
    if type(template) is not str:
        return template
    whole = _MACRO.fullmatch(template)
    return values.get(whole[1]) if whole is not None else filled(template, values)


def patched(entity: Any, template: Any, values: Mapping[str, Any]) -> Any:
    """A normalized entity with the members of an `ngsi` template over its own."""
    found = dict(entity)
    for name, given in filled_json(template, values).items():
        if name in ("id", "type"):
            found[name] = given
        else:
            value = given.get("value") if type(given) is dict else given
            found[name] = {"type": default_type(value), "value": value, "metadata": {}} | (
                given if type(given) is dict else {}
            )
    return found
