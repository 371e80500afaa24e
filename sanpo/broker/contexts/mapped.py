"""Contexts from configured files: with them the broker needs no way out (`SANPO_BROKER_CONTEXTS=FILE.json`).

The file is one JSON object, URL → path of the document, relative to the file's own folder.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from sanpo.broker.contexts.compiling import check_context
from sanpo.broker.contexts.errors import ContextIsInvalid
from sanpo.ground.config import SettingIsInvalid, Settings

_ACCEPTED = "a JSON file {url: path}; at each path a JSON object with @context"


def read_map(settings: Settings) -> Mapping[str, Path]:
    """The map, each of its documents read once as a check. Raises `SettingIsInvalid`."""
    return _read_map(settings.broker_contexts) if settings.broker_contexts else {}


def read_mapped(path: Path) -> Any:
    """A mapped document as it is now. Raises `OSError`, `msgspec.DecodeError`, `UnicodeDecodeError` or `RecursionError`."""
    return msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))


@lru_cache(maxsize=8)
def _read_map(file: str) -> Mapping[str, Path]:
    whole = Path(file).expanduser().absolute()
    try:
        paths = msgspec.json.decode(whole.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.MsgspecError) as error:
        _refuse(file, str(error))
    found = {url: whole.parent / path for url, path in paths.items()}
    for url, path in found.items():
        _check(file, url, path)
    return found


def _check(file: str, url: str, path: Path) -> None:
    try:
        content = read_mapped(path)
        if not isinstance(content, dict) or "@context" not in content:
            _refuse(file, f"{url}: {path} has no @context")
        check_context(content["@context"], url)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        _refuse(file, f"{url}: {error}")
    except ContextIsInvalid as error:
        _refuse(file, f"{url}: {error.fields['problem']}")


def _refuse(file: str, problem: str) -> NoReturn:
    raise SettingIsInvalid(setting="broker_contexts", source="", given=f"{file} ({problem})", accepted=_ACCEPTED)
