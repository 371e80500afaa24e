"""NGSIv2's Simple Query Language (`q`, `mq`) and geographical queries, read into the trees of NGSI-LD. Pure.

Source: FIWARE-NGSI v2, "Simple Query Language" and "Geographical Queries". What differs from `q` of NGSI-LD: only `;`
joins statements; `:` is another `==`; texts stand bare or in single quotes, which keep a number or a comma a text; in `q` a
dot leads into the value, in `mq` its first one to a metadatum, which NGSI-LD keeps as a sub-attribute; coordinates are
latitude first. `null` is refused: NGSI-LD deletes with it.
"""

import re
from math import isfinite
from typing import Any

from sanpo.broker.language.errors import GeometryIsMalformed
from sanpo.broker.language.geo import GeoQuery, Relation, geo_query
from sanpo.broker.language.moments import read_moment
from sanpo.broker.language.names import Names, expand
from sanpo.broker.language.patterns import read_pattern
from sanpo.broker.language.q.model import (
    And,
    Compare,
    Exists,
    Flag,
    Number,
    Operator,
    Path,
    Query,
    Range,
    Scalar,
    Text,
    Value,
    ValueList,
)
from sanpo.broker.language.scanner import Scanner
from sanpo.broker.model import LOCATION

MAX_STATEMENTS = 200
MAX_VALUES = 500
MAX_NAMES = 10
_OPERATORS: tuple[tuple[str, Operator], ...] = (
    *(("==", "=="), ("!=", "!="), (">=", ">="), ("<=", "<="), ("~=", "~=")),
    *((">", ">"), ("<", "<"), (":", "==")),
)
_NAME = re.compile(r"[^<>\"'=;()!~:.,\s]+")
_QUOTED = re.compile(r"'[^']*'")
_BARE = re.compile(r"(?:(?!\.\.)[^<>\"'=;(),])+")
_PATTERN = re.compile(r"[^;]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BUILT_IN = {"dateCreated": "createdAt", "dateModified": "modifiedAt", "dateExpires": "expiresAt"}
_VALUE = "number | text | 'text' | true | false | 2026-04-01T09:00:00Z"
_DISTANCE = re.compile(r"(max|min)Distance:([0-9]+(?:\.[0-9]+)?)")
_GEORELS: dict[str, Relation] = {
    "coveredBy": "within",
    "intersects": "intersects",
    "equals": "equals",
    "disjoint": "disjoint",
}
_FEWEST = {"point": 1, "line": 2, "box": 2, "polygon": 4}


def parse_v2_q(text: str, names: Names, *, parameter: str = "q") -> Query:
    """`q=temperature>20;address.city==Tokyo`. Raises `QueryIsMalformed`, `QueryIsTooComplex`."""
    return _Reader(Scanner(text, parameter), names, metadata=False).read()


def parse_v2_mq(text: str, names: Names, *, parameter: str = "mq") -> Query:
    """`mq=temperature.accuracy<0.9`. Raises `QueryIsMalformed`, `QueryIsTooComplex`."""
    return _Reader(Scanner(text, parameter), names, metadata=True).read()


class _Reader:
    def __init__(self, scanner: Scanner, names: Names, *, metadata: bool) -> None:
        self.scanner = scanner
        self.names = names
        self.metadata = metadata

    def read(self) -> Query:
        found = [self._statement()]
        while self.scanner.take(";"):
            found.append(self._statement())
            if len(found) > MAX_STATEMENTS:
                self.scanner.too_complex("statements", MAX_STATEMENTS)
        if not self.scanner.ended:
            self.scanner.fail("; == != > < >= <= ~= :")
        return found[0] if len(found) == 1 else And(tuple(found))

    def _statement(self) -> Query:
        scanner = self.scanner
        scanner.spaces()
        if scanner.take("!"):
            return Exists(self._path(), absent=True)
        path = self._path()
        scanner.spaces()
        operator = next((meant for sign, meant in _OPERATORS if scanner.take(sign)), None)
        if operator is None:
            return Exists(path)
        scanner.spaces()
        return Compare(path, operator, self._value(operator))

    def _path(self) -> Path:
        start = self.scanner.at
        parts = [self._name()]
        while self.scanner.take("."):
            parts.append(self._name())
            if len(parts) > MAX_NAMES:
                self.scanner.too_complex("names in a path", MAX_NAMES)
        if self.metadata and len(parts) < 2:
            self.scanner.fail("attribute.metadata", at=start)
        reified = 2 if self.metadata else 1
        iris = tuple(expand(self.names, _BUILT_IN.get(part, part)) for part in parts[:reified])
        return Path(iris, tuple(parts[reified:]))

    def _name(self) -> str:
        quoted = self.scanner.match(_QUOTED)
        if quoted is not None and len(quoted) > 2:
            return quoted[1:-1]
        name = self.scanner.match(_NAME)
        return self.scanner.fail("attribute 'attribute'") if name is None else name

    def _value(self, operator: Operator) -> Value:
        scanner = self.scanner
        if operator == "~=":
            source = scanner.match(_PATTERN)
            return read_pattern(source, scanner.parameter) if source else scanner.fail("regular expression")
        start = scanner.at
        first = self._scalar()
        if operator not in ("==", "!="):
            return scanner.fail("number | text | 2026-04-01T09:00:00Z", at=start) if isinstance(first, Flag) else first
        if scanner.take(".."):
            last = self._scalar()
            if isinstance(first, Flag) or isinstance(last, Flag) or type(first) is not type(last):
                scanner.fail("number..number | text..text", at=start)
            return Range(first, last)
        values = [first]
        while scanner.take(","):
            values.append(self._scalar())
            if len(values) > MAX_VALUES:
                scanner.too_complex("values in a list", MAX_VALUES)
        return values[0] if len(values) == 1 else ValueList(tuple(values))

    def _scalar(self) -> Scalar:
        scanner, start = self.scanner, self.scanner.at
        quoted = scanner.match(_QUOTED)
        if quoted is not None:
            return Text(quoted[1:-1])
        word = (scanner.match(_BARE) or "").strip()
        if not word or word == "null":
            scanner.fail(_VALUE, at=start)
        if word in ("true", "false"):
            return Flag(word == "true")
        if _NUMBER.fullmatch(word):
            if len(word) > 330 or not isfinite(float(word)):
                scanner.fail(_VALUE, at=start)
            return Number(float(word) if any(sign in word for sign in ".eE") else int(word))
        return read_moment(word) or Text(word)


def parse_v2_geo(georel: str | None, geometry: str | None, coords: str | None) -> GeoQuery | None:
    """`georel=near;maxDistance:1000&geometry=point&coords=35.6,139.7`; both distances may be given.

    Raises `QueryIsMalformed`, `GeometryIsMalformed`.
    """
    if georel is None and geometry is None and coords is None:
        return None
    for name, value in (("georel", georel), ("geometry", geometry), ("coords", coords)):
        if not value:
            Scanner("", name).fail("georel & geometry & coords")
    relation, distances = _georel(str(georel))
    kind, coordinates = _geometry(str(geometry), str(coords))
    return geo_query(relation, kind, coordinates, LOCATION, max_m=distances.get("max"), min_m=distances.get("min"))


def _georel(text: str) -> tuple[Relation, dict[str, float]]:
    scanner = Scanner(text, "georel")
    accepted = "near;maxDistance:metres near;minDistance:metres " + " ".join(_GEORELS)
    if text in _GEORELS:
        return _GEORELS[text], {}
    if not scanner.take("near"):
        scanner.fail(accepted)
    distances: dict[str, float] = {}
    while scanner.take(";"):
        start = scanner.at
        found = scanner.match(_DISTANCE)
        which, metres = found.split("Distance:") if found else ("", "0")
        if which in distances or not (0 < float(metres) < float("inf")):
            scanner.fail(accepted, at=start)
        distances[which] = float(metres)
    if not distances or not scanner.ended:
        scanner.fail(accepted)
    return "near", distances


def _geometry(kind: str, text: str) -> tuple[str, Any]:
    """GeoJSON's type and coordinates. Raises `QueryIsMalformed`, `GeometryIsMalformed`."""
    if kind not in _FEWEST:
        Scanner(kind[:100], "geometry").fail(" | ".join(_FEWEST))
    positions = []
    for pair in text.split(";"):
        numbers = [part.strip() for part in pair.split(",")]
        if len(numbers) != 2 or not all(_NUMBER.fullmatch(each) for each in numbers):
            raise GeometryIsMalformed(
                where="coords", problem=pair[:40], accepted="latitude,longitude;latitude,longitude"
            )
        positions.append([float(numbers[1]), float(numbers[0])])
    if len(positions) < _FEWEST[kind] or (kind in ("point", "box") and len(positions) > _FEWEST[kind]):
        raise GeometryIsMalformed(where="coords", problem=f"{len(positions)} positions", accepted=f"{_FEWEST[kind]}")
    if kind == "point":
        return "Point", positions[0]
    if kind == "line":
        return "LineString", positions
    if kind == "polygon":
        return "Polygon", [positions]
    (x1, y1), (x2, y2) = positions
    return "Polygon", [[[x1, y1], [x2, y1], [x2, y2], [x1, y2], [x1, y1]]]
