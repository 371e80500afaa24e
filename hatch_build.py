"""Build hooks: dependencies are read from requirements/, and the front-end bundle is made before packing."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface


class Dependencies(MetadataHookInterface):
    """One list of what a running city needs, and one for each extra, shared by the package and by the lock files."""

    def update(self, metadata: dict[str, Any]) -> None:
        metadata["dependencies"] = self._listed("run.in")
        metadata["optional-dependencies"] = {"spark": self._listed("spark.in")}

    def _listed(self, file: str) -> list[str]:
        lines = Path(self.root, "requirements", file).read_text(encoding="utf-8").splitlines()
        return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


class FrontEnd(BuildHookInterface[Any]):
    """Runs tools/bundle.py: styles and scripts are there after any installation, without Node on the machine."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        sys.path.insert(0, str(Path(self.root, "tools")))
        try:
            from bundle import bundle
        finally:
            sys.path.pop(0)
        bundle(Path(self.root))
