"""The repository's documents as tests see them: files, code in them, and the generator of the reference pages."""

import importlib.util
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = {"node_modules", "dist", "__pycache__"}
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


@cache
def files() -> tuple[Path, ...]:
    """Every file of the repository: what is neither hidden nor made (but `.ci` and the like)."""
    found: list[Path] = []
    todo = [ROOT]
    while todo:
        for each in sorted(todo.pop().iterdir()):
            made = each.name in NOT_OURS or each.suffix == ".egg-info"
            hidden = each.name.startswith(".") and each.name not in (".ci", ".importlinter", ".gitignore")
            if not made and not hidden:
                (todo if each.is_dir() else found).append(each)
    return tuple(found)


@cache
def documents() -> tuple[Path, ...]:
    return tuple(file for file in files() if file.suffix == ".md")


def text_of(file: Path | str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def blocks(file: Path | str, language: str) -> list[str]:
    """The fenced blocks in this language."""
    return [body for found, body in _FENCE.findall(text_of(file)) if found == language]


def inline_code(file: Path | str) -> list[str]:
    """Everything between single backticks outside of fenced blocks."""
    return _INLINE.findall(_FENCE.sub("", text_of(file)))


def codes() -> Iterator[tuple[str, str]]:
    """(document, code) of every console block's line and every piece of inline code; continued lines are joined."""
    for file in documents():
        for block in blocks(file, "console"):
            yield from ((name_of(file), line) for line in block.replace("\\\n", " ").splitlines())
        yield from ((name_of(file), code) for code in inline_code(file))


@cache
def reference() -> ModuleType:
    """tools/reference.py, which is no package."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools/reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference"] = module
    spec.loader.exec_module(module)
    return module
