"""Pages: one Jinja environment over the templates of all districts; every page extends the portal's shell by name."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import jinja2
from litestar import MediaType, Request, Response

from sanpo.ground.actors import Anonymous
from sanpo.ground.csrf import csrf_token
from sanpo.ground.problems import language_of

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none';"
    " form-action 'self'"
)


def open_templates(packages: Iterable[str]) -> jinja2.Environment:
    """The environment over `templates/` of each package. Unknown names in a template raise."""
    loaders = []
    for package in packages:
        try:
            loaders.append(jinja2.PackageLoader(package, "templates"))
        except ValueError:
            continue  # a district without pages has no templates folder
    return jinja2.Environment(
        loader=jinja2.ChoiceLoader(loaders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def render(request: Request[Any, Any, Any], template: str, *, status: int = 200, **context: Any) -> Response[str]:
    """The page `template` with `context` and what every page has: lang, t, actor, csrf_token, path, city_name."""
    body = render_text(request, template, **context)
    return Response(body, status_code=status, media_type=MediaType.HTML, headers={"Cache-Control": "no-store"})


def render_text(request: Request[Any, Any, Any], template: str, **context: Any) -> str:
    state = request.app.state
    city, lang = state.city, language_of(request)

    def t(key: str, /, **fields: Any) -> str:
        return str(city.words.text(lang, key, **fields))

    def local_time(moment: datetime | None, form: str = "%Y-%m-%d %H:%M") -> str:
        return "" if moment is None else moment.astimezone(city.settings.zone).strftime(form)

    page: str = state.templates.get_template(template).render(
        lang=lang,
        t=t,
        local_time=local_time,
        actor=getattr(request.state, "actor", Anonymous()),
        csrf_token=csrf_token(city.keys, request.cookies.get(state.session_cookie, "")),
        path=request.scope["path"],
        city_name=city.settings.city_name(lang),
        demo=city.settings.demo,
        asset=state.asset,
        **context,
    )
    return page
