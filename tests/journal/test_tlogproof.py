"""The file format of proofs: C2SP tlog-proof@v1."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.journal.model import ProofIsInvalid
from sanpo.journal.tlogproof import TlogProof, parse_proof

EXAMPLE = """c2sp.org/tlog-proof@v1
extra YWdlLXYxLjIuMQ==
index 73894
gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=
B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=

example.com/fancylog
109482
sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=

— example.com/fancylog hI2DJwAAAA==
"""
HASHES = st.lists(st.binary(min_size=32, max_size=32)).map(tuple)
CHECKPOINTS = st.text(st.characters(codec="utf-8"))


def test_example_is_read_and_printed_back() -> None:
    proof = parse_proof(EXAMPLE)
    assert (proof.index, len(proof.hashes), proof.extra) == (73894, 2, b"age-v1.2.1")
    assert proof.checkpoint.startswith("example.com/fancylog\n109482\n")
    assert str(proof) == EXAMPLE


@given(st.builds(TlogProof, st.integers(0, 10**19 - 1), HASHES, CHECKPOINTS, st.none() | st.binary()))
def test_any_proof_is_read_back_as_it_was_printed(proof: TlogProof) -> None:
    assert parse_proof(str(proof)) == proof


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        ("@v1", "@v2"),
        ("index 73894", "index 073894"),
        ("index 73894", "index -1"),
        ("index 73894", "index ١"),
        ("index 73894\n", ""),
        ("extra ", "Extra "),
        ("YWdlLXYxLjIuMQ==", "YWdlLXYxLjIuMR=="),
        ("YWdlLXYxLjIuMQ==", "YWdlLXYxLjIuMQ"),
        ("PlQ=\n", "PlQ= \n"),
        ("PlQ=\n", "Pl\n"),
        ("gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=", "AAAA"),
        ("\n\nexample", "\nexample"),
        (EXAMPLE, ""),
        (EXAMPLE, "c2sp.org/tlog-proof@v1\n\n"),
        (EXAMPLE, "c2sp.org/tlog-proof@v1\nextra AAAA\n\n"),
    ],
)
def test_proof_is_refused_when_malformed(was: str, becomes: str) -> None:
    text = EXAMPLE.replace(was, becomes, 1).replace("\n\n", "\n") if becomes == "\nexample" else None
    with pytest.raises(ProofIsInvalid, match="format"):
        parse_proof(EXAMPLE.replace(was, becomes, 1) if text is None else text)
