"""Signed notes: the reference implementation's own example, and what a strict reader refuses."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sanpo.journal.model import NoteIsMalformed, VerifierKeyIsMalformed
from sanpo.journal.note import (
    COSIGNATURE_V1,
    ED25519,
    Cosignature,
    Note,
    Signature,
    TreeHead,
    VerifierKey,
    cosignature_of,
    is_signed_by,
    parse_key,
    parse_note,
    parse_tree_head,
    sign_tree_head,
)

# golang.org/x/mod/sumdb/note, the package's example.
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
QUOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
LOG, WITNESS = Ed25519PrivateKey.from_private_bytes(bytes(32)), Ed25519PrivateKey.from_private_bytes(b"w" * 32)
LOG_KEY = VerifierKey("log.example/1", ED25519, LOG.public_key().public_bytes_raw())
WITNESS_KEY = VerifierKey("witness.example/w1", COSIGNATURE_V1, WITNESS.public_key().public_bytes_raw())
HEAD = TreeHead("log.example/1", 20852163, bytes(range(32)))


def cosigned(unix_s: int, signed_s: int | None = None) -> Note:
    """HEAD with a cosignature whose timestamp is `unix_s` and which is over `signed_s`."""
    note = sign_tree_head(HEAD, LOG_KEY, LOG.sign)
    over = f"cosignature/v1\ntime {unix_s if signed_s is None else signed_s}\n{note.text}".encode()
    line = Signature(WITNESS_KEY.name, WITNESS_KEY.key_id, unix_s.to_bytes(8) + WITNESS.sign(over))
    return Note(note.text, (*note.signatures, line))


def test_reference_note_is_read_verified_and_printed_back() -> None:
    note, key = parse_note(QUOTE), parse_key(NEUMANN)
    assert is_signed_by(note, key)
    assert str(note) == QUOTE
    assert str(key) == NEUMANN
    assert key.key_id.hex() == "c74f20a3"


def test_note_is_not_signed_when_its_text_differs() -> None:
    assert not is_signed_by(parse_note(QUOTE.replace("answer", "Answer")), parse_key(NEUMANN))


def test_checkpoint_is_read_back_and_signed() -> None:
    note = parse_note(str(sign_tree_head(HEAD, LOG_KEY, LOG.sign)))
    assert parse_tree_head(note.text) == HEAD
    assert is_signed_by(note, LOG_KEY)
    assert note.text == "log.example/1\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"


def test_signature_of_an_unknown_key_is_ignored() -> None:
    note = sign_tree_head(HEAD, LOG_KEY, LOG.sign)
    stranger = Signature("stranger.example", b"abcd", b"x" * 64)
    assert is_signed_by(Note(note.text, (stranger, *note.signatures)), LOG_KEY)
    assert not is_signed_by(Note(note.text, (stranger,)), LOG_KEY)


def test_note_is_not_signed_when_one_of_the_keys_lines_is_wrong() -> None:
    note = sign_tree_head(HEAD, LOG_KEY, LOG.sign)
    wrong = Signature(LOG_KEY.name, LOG_KEY.key_id, b"x" * 64)
    assert not is_signed_by(Note(note.text, (*note.signatures, wrong)), LOG_KEY)


def test_cosignature_is_verified_with_its_time() -> None:
    note = parse_note(str(cosigned(1679315147)))
    assert cosignature_of(note, WITNESS_KEY) == Cosignature("witness.example/w1", 1679315147)
    assert is_signed_by(note, LOG_KEY)


def test_cosignature_is_absent_when_the_witness_gave_none() -> None:
    assert cosignature_of(sign_tree_head(HEAD, LOG_KEY, LOG.sign), WITNESS_KEY) is None


def test_cosignature_is_refused_when_its_time_was_changed() -> None:
    with pytest.raises(NoteIsMalformed, match="signature of witness"):
        cosignature_of(cosigned(1679315148, signed_s=1679315147), WITNESS_KEY)


def test_plain_signature_is_no_cosignature() -> None:
    """The same key as a log's and as a witness's: neither signature passes for the other."""
    as_log = VerifierKey(WITNESS_KEY.name, ED25519, WITNESS_KEY.public)
    note = sign_tree_head(HEAD, as_log, WITNESS.sign)
    assert cosignature_of(note, WITNESS_KEY) is None
    assert not is_signed_by(cosigned(1), as_log)
    assert not is_signed_by(cosigned(1), WITNESS_KEY)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        NEUMANN.replace("c74f", "c74e"),
        NEUMANN.replace("Peter", "peter"),
        NEUMANN + "=",
        NEUMANN[:-4],
        NEUMANN.replace("+ARpc", "+Arpc"),
        "a b+c74f20a3+ARpc",
        "+c74f20a3+ARpc",
        str(VerifierKey("x", 0x02, bytes(32))),
        str(VerifierKey("x", ED25519, bytes(31))),
        "x+00000000+",
    ],
)
def test_key_is_refused_when_malformed(key: str) -> None:
    with pytest.raises(VerifierKeyIsMalformed):
        parse_key(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text\n",
        "text\n\n",
        QUOTE[:-1],
        QUOTE.replace("— ", "- "),
        QUOTE.replace("\n\n", "\n"),
        QUOTE + "\n",
        QUOTE.replace("x08g", "x08"),
        QUOTE.replace("AM=", "AN="),
        QUOTE.replace(" x08", "  x08"),
        QUOTE + "— a b c\n",
        QUOTE.replace("is", "\x00"),
        QUOTE.replace("\n", "\r\n"),
        QUOTE + "— a AAAA\n",
        QUOTE + "— a+b AAAAAAA=\n",
        QUOTE + QUOTE.splitlines(keepends=True)[-1] * 64,
        QUOTE.replace("is", "\ud800"),
    ],
)
def test_note_is_refused_when_malformed(text: str) -> None:
    with pytest.raises(NoteIsMalformed):
        parse_note(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "o\n",
        "o\n1\n",
        f"\n1\n{'A' * 43}=\n",
        f"o\n01\n{'A' * 43}=\n",
        f"o\n-1\n{'A' * 43}=\n",
        f"o\n1\n{'A' * 40}\n",
        f"o\n1\n{'A' * 43}=\nextension\n",
        f"o\n1\n{'A' * 43}=",
        f"o\n1\n{'A' * 42}B=\n",
        f"o\n{'9' * 20}\n{'A' * 43}=\n",
        f"o\n١\n{'A' * 43}=\n",
    ],
)
def test_tree_head_is_refused_when_malformed(text: str) -> None:
    with pytest.raises(NoteIsMalformed):
        parse_tree_head(text)


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Z", "C"], exclude_characters="+"), min_size=1)
LINES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]))


@given(st.lists(LINES), st.lists(st.builds(Signature, NAMES, st.just(b"1234"), st.binary(min_size=1)), min_size=1))
def test_any_note_is_read_back_as_it_was_printed(lines: list[str], signatures: list[Signature]) -> None:
    note = Note("".join(line + "\n" for line in ["", *lines]), tuple(signatures[:64]))
    assert parse_note(str(note)) == note
