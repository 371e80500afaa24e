"""A value that is kept by its object."""

from sanpo.ground.lazy import lazy


class Counter:
    made = 0

    @lazy
    def value(self) -> int:
        """Told."""
        self.made += 1
        return self.made


def test_value_is_worked_out_once_for_each_object() -> None:
    one, other = Counter(), Counter()
    assert (one.value, one.value, other.value) == (1, 1, 1)
    assert (one.made, other.made) == (1, 1)
    assert Counter.value.__doc__ == "Told."
