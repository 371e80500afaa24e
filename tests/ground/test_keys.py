"""What the city seals: opened by the same secret and label alone."""

from sanpo.ground.keys import Keys

KEYS = Keys(b"a master secret of this city....")


def test_sealed_data_is_opened_by_the_same_secret_and_label_alone() -> None:
    sealed = KEYS.seal("receivers", b"password")
    assert KEYS.unseal("receivers", sealed) == b"password"
    assert KEYS.unseal("sources", sealed) is None
    assert Keys(b"the master secret of another....").unseal("receivers", sealed) is None


def test_same_data_is_sealed_anew_each_time() -> None:
    assert KEYS.seal("receivers", b"password") != KEYS.seal("receivers", b"password")


def test_altered_seal_is_not_opened() -> None:
    sealed = KEYS.seal("receivers", b"password")
    altered = sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:]
    for each in (altered, sealed[:8], "", "no base64 at all!"):
        assert KEYS.unseal("receivers", each) is None
