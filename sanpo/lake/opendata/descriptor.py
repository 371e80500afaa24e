"""The descriptor of an open dataset: what its rows are, under which licence and from where, and how a file becomes them.

Written as TOML (docs/how-to/add-open-data.md), kept in the registry as JSON. It becomes a `Dataset`, which the rest of
the lake knows, and one recipe for each column, which only the import knows. Pure.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import msgspec
from msgspec import Meta, Struct

from sanpo.lake.errors import DescriptorIsInvalid
from sanpo.lake.layout import PART
from sanpo.lake.licences import KNOWN_LICENCES, is_licence
from sanpo.lake.mesh import MeshSize
from sanpo.lake.model import Column, ColumnType, Dataset, Key, KeyKind, Source, TimeUnit

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*\Z", max_length=60)]
DatasetName = Annotated[str, Meta(pattern=r"^open\.[a-z][a-z0-9_]*\Z", max_length=80)]
Text = Annotated[str, Meta(min_length=1, max_length=1000)]
Place = Annotated[int, Meta(ge=1)] | Annotated[str, Meta(min_length=1)]
"""A column of the file: its name in the header, or its position from 1 where names are missing or repeated."""


class Both(Struct, frozen=True, forbid_unknown_fields=True):
    """A text in both languages."""

    ja: Text
    en: Text


class SourceForm(Struct, frozen=True, forbid_unknown_fields=True):
    publisher: Text
    url: Text
    retrieved_day: date


class FileForm(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the file is read. `empty`: texts that mean "no value" besides none at all. `timezone`: of the file's clock."""

    format: Literal["csv", "geojson", "gtfs"] = "csv"
    encoding: Literal["utf-8", "cp932"] | None = None
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    header_row: Annotated[int, Meta(ge=1)] = 1
    first_row: Annotated[int, Meta(ge=2)] | None = None
    table: Annotated[str, Meta(pattern=r"^[a-z_]+\Z")] | None = None
    empty: tuple[str, ...] = ()
    timezone: str | None = None


class MeshForm(Struct, frozen=True, forbid_unknown_fields=True):
    """The grid square around a place, from two columns of the file in degrees."""

    latitude: Place
    longitude: Place
    size_m: MeshSize


class ColumnForm(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One column and where it comes from: `from` (its own name if left out; several are joined by a blank) or `mesh`.

    `format` is a pattern of strptime for dates and times, or `gtfs_time` for seconds since the day began. `values`
    replaces texts of the file by others, before anything else is made of them.
    """

    name: Name
    type: ColumnType
    role: Literal["dimension", "measure", "time"]
    text: Both
    unit: str | None = None
    domain: tuple[str, ...] | None = None
    sensitive: bool = False
    from_: Place | tuple[Place, ...] | None = msgspec.field(default=None, name="from")
    format: str | None = None
    values: dict[str, str] = {}
    mesh: MeshForm | None = None


class KeyForm(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    name: Name
    kind: KeyKind
    column: Name
    unit: TimeUnit | None = None


class DescriptorForm(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    name: DatasetName
    text: Both
    licence: str
    source: SourceForm
    columns: Annotated[tuple[ColumnForm, ...], Meta(min_length=1, max_length=200)]
    keys: tuple[KeyForm, ...] = ()
    unique: tuple[Name, ...] = ()
    time_column: Name | None = None
    local_column: Name | None = None
    file: FileForm = FileForm()


@dataclass(frozen=True)
class Recipe:
    """How the values of one column are made. A column without places is the local clock's, made from the time column."""

    column: Column
    places: tuple[str | int, ...]
    required: bool
    format: str | None = None
    values: Mapping[str, str] | None = None
    mesh_size_m: MeshSize | None = None


@dataclass(frozen=True)
class Descriptor:
    """A checked descriptor. `document` is what it was made from, as plain JSON values."""

    dataset: Dataset
    file: FileForm
    recipes: tuple[Recipe, ...]
    document: Mapping[str, Any]


def read_descriptor(text: str, file: str = "descriptor") -> Descriptor:
    """A descriptor from TOML. Raises `DescriptorIsInvalid` with the file and what would be accepted."""
    try:
        return descriptor_from(tomllib.loads(text), file)
    except tomllib.TOMLDecodeError as error:
        raise DescriptorIsInvalid(file=file, problem=str(error)) from None


def descriptor_from(document: Mapping[str, Any], file: str = "descriptor") -> Descriptor:
    """A descriptor from its plain values. Raises `DescriptorIsInvalid`."""
    try:
        form = msgspec.convert(document, DescriptorForm)
        for problem in _problems(form):
            raise ValueError(problem)
        dataset = _dataset(form)
    except (msgspec.ValidationError, ValueError) as error:
        raise DescriptorIsInvalid(file=file, problem=str(error)) from None
    return Descriptor(dataset, form.file, tuple(_recipes(form, dataset)), msgspec.to_builtins(form))


def _dataset(form: DescriptorForm) -> Dataset:
    return Dataset(
        name=form.name,
        personal=False,
        columns=tuple(
            Column(each.name, each.type, each.role, each.unit, each.domain, _both(each.text), each.sensitive)
            for each in form.columns
        ),
        time_column=form.time_column,
        local_column=form.local_column,
        keys=tuple(Key(key.name, key.kind, key.column, key.unit) for key in form.keys),
        unique=form.unique,
        text=_both(form.text),
        licence=form.licence,
        source=Source(form.source.publisher, form.source.url, form.source.retrieved_day),
    )


def _both(text: Both) -> dict[str, str]:
    return {"ja": text.ja, "en": text.en}


def _recipes(form: DescriptorForm, dataset: Dataset) -> Iterator[Recipe]:
    needed = {key.column for key in form.keys} | {form.time_column}
    for each, column in zip(form.columns, dataset.columns, strict=True):
        required = each.name in needed
        if each.mesh is not None:
            yield Recipe(column, (each.mesh.latitude, each.mesh.longitude), required, mesh_size_m=each.mesh.size_m)
        elif each.name == form.local_column:
            yield Recipe(column, (), required)
        else:
            places = each.from_ if isinstance(each.from_, tuple) else (each.from_ or each.name,)
            yield Recipe(column, places, required, each.format, each.values)


def _problems(form: DescriptorForm) -> Iterator[str]:
    if not is_licence(form.licence):
        accepted = ", ".join(KNOWN_LICENCES)
        yield f"the licence {form.licence!r} is neither an https address nor one of: {accepted} - at `$.licence`"
    if urlsplit(form.source.url).scheme not in ("http", "https"):
        yield f"{form.source.url!r} is no http address - at `$.source.url`"
    yield from _file_problems(form.file)
    for at, each in enumerate(form.columns):
        yield from (f"{problem} - at `$.columns[{at}]`" for problem in _column_problems(form, each))
    if form.local_column is not None and form.time_column is None:
        yield "a local column needs a time column - at `$.local_column`"


def _file_problems(file: FileForm) -> Iterator[str]:
    if (file.format == "gtfs") != (file.table is not None):
        yield "`table` belongs to the format `gtfs`, which needs it - at `$.file`"
    if file.first_row is not None and file.first_row <= file.header_row:
        yield "the first row comes after the header - at `$.file.first_row`"
    if file.timezone is not None and file.timezone not in available_timezones():
        yield f"{file.timezone!r} is no IANA time zone - at `$.file.timezone`"


def _column_problems(form: DescriptorForm, each: ColumnForm) -> Iterator[str]:
    if each.name == PART or each.name == "subject_no":
        yield f"the name {each.name} is reserved"
    if each.name in (form.time_column, form.local_column) and (each.type, each.role) != ("timestamp", "time"):
        yield f"the column {each.name} needs the type timestamp and the role time"
    if each.mesh is not None and (each.type != "text" or each.from_ is not None or each.format or each.values):
        yield "a mesh is a text, made of nothing but its latitude and longitude"
    if each.name == form.local_column and (each.from_ is not None or each.format or each.values):
        yield "the local column is made from the time column"
    if each.domain is not None and each.type != "text":
        yield "a domain belongs to a text"
    if each.format is None:
        return
    if each.format == "gtfs_time":
        if each.type not in ("int32", "int64"):
            yield "gtfs_time gives seconds: the type is int32 or int64"
    elif each.type not in ("date", "timestamp") or not re.search(r"%[a-zA-Z]", each.format):
        yield "a format is a pattern of strptime for a date or timestamp, or gtfs_time"
