"""Files that only their owner may read: letters with links that sign in, and reports that name residents."""

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from sanpo.people.errors import FileCannotBeWritten


def write_private_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]], *, replace: bool) -> None:
    """A CSV file of mode 0600, on the disk when this returns. Raises `FileCannotBeWritten`, and leaves no half of one.

    Without `replace` a file that is there is never touched, and neither is where a link of its name leads.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | (os.O_TRUNC if replace else os.O_EXCL)
    try:
        handle = os.open(path, flags, 0o600)
    except OSError as error:
        raise FileCannotBeWritten(file=str(path), problem=error.strerror or type(error).__name__) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            os.fchmod(handle, 0o600)
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows)
            file.flush()
            os.fsync(handle)
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise FileCannotBeWritten(file=str(path), problem=error.strerror or type(error).__name__) from error
        raise
