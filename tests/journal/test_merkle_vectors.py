"""The published cases of transparency-dev/merkle: 518 proofs, valid and broken in every known way."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from sanpo.journal import merkle

VECTORS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "vectors" / "merkle"
COUNTS = {"inclusion": 98, "consistency": 98, "subtreeinclusion": 204, "subtreeconsistency": 118}


def cases(kind: str) -> list[dict[str, Any]]:
    if not VECTORS.is_dir():
        pytest.skip(f"published vectors are absent: {VECTORS}")
    return [{**json.loads(file.read_text()), "file": str(file)} for file in sorted((VECTORS / kind).rglob("*.json"))]


def proof(case: dict[str, Any]) -> list[bytes]:
    return [base64.b64decode(item) for item in case["proof"] or []]


def data(case: dict[str, Any], name: str) -> bytes:
    return base64.b64decode(case[name])


def verdict(kind: str, case: dict[str, Any]) -> bool:
    if kind == "inclusion":
        return merkle.inclusion_holds(
            case["leafIdx"], case["treeSize"], data(case, "leafHash"), proof(case), data(case, "root")
        )
    if kind == "consistency":
        return merkle.consistency_holds(
            case["size1"], case["size2"], data(case, "root1"), data(case, "root2"), proof(case)
        )
    if kind == "subtreeinclusion":
        return merkle.subtree_inclusion_holds(
            case["leafIdx"], case["start"], case["end"], data(case, "leafHash"), proof(case), data(case, "root")
        )
    return merkle.subtree_consistency_holds(
        case["start"], case["end"], case["size"], data(case, "root1"), data(case, "root2"), proof(case)
    )


@pytest.mark.parametrize("kind", COUNTS)
def test_published_cases_give_the_published_verdict(kind: str) -> None:
    found = cases(kind)
    wrong = [case["file"] for case in found if verdict(kind, case) is case["wantErr"]]
    assert wrong == []
    assert len(found) == COUNTS[kind]
