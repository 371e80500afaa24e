"""The API of `people`: OAuth, sign-in, and the register of organisations and representatives."""

from typing import Any

from sanpo.people import api_oauth, api_register, api_sign_in

handlers: list[Any] = [*api_oauth.handlers, *api_sign_in.handlers, *api_register.handlers]
