"""Text tables as rows, so that an auditor can read a specification and a test can run it."""


def rows_of(table: str) -> list[dict[str, str]]:
    """The rows of a table of `|`-separated cells under a line of column names."""
    lines = [line.strip() for line in table.strip().splitlines() if line.strip()]
    names, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(names, row, strict=True)) for row in rows]


def to_markdown(names: list[str], rows: list[list[str]]) -> str:
    """The rows as a table of Markdown."""
    lines = [names, ["---"] * len(names), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
