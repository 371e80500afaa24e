"""`lazy`: a value that is worked out when it is first asked for, and kept by its object.

As `functools.cached_property`, which until Python 3.12 holds one lock for all objects of a class while it works a value out:
requests would wait for each other.
"""

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801  # read as a word before a function, as property is
    """Two threads that ask at once may both work it out; the last stays."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> "lazy[T]": ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> "lazy[T] | T":
        if instance is None:
            return self
        found = self._make(instance)
        instance.__dict__[self._name] = found
        return found
