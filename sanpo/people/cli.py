"""`sanpo people …`, for the operator at the city's own machine: the register, letters and lost phones, organisations."""

import typer

from sanpo.people import cli_organisations, cli_register, cli_sign_in

cli = typer.Typer(no_args_is_help=True, help="Residents, organisations and how they sign in.")
for part in (cli_register, cli_sign_in, cli_organisations):
    cli.add_typer(part.cli)
