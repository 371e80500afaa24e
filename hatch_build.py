"""Build hooks: dependencies are read from requirements/run.in, and the front-end bundle is made before packing."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


class Dependencies(MetadataHookInterface):
    """One list of what a running city needs, shared by the package and by the lock files."""

    def update(self, metadata: dict[str, Any]) -> None:
        lines = Path(self.root, "requirements/run.in").read_text(encoding="utf-8").splitlines()
        metadata["dependencies"] = [line.strip() for line in lines if line.strip() and not line.startswith("#")]


class FrontEnd(BuildHookInterface[Any]):
    """Runs tools/bundle.py: styles and scripts are there after any installation, without Node on the machine."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sys.path.insert(0, str(Path(self.root, "tools")))
        try:
            from bundle import bundle
        finally:
            sys.path.pop(0)
        bundle(Path(self.root))
