"""How entities look outside: what comes in is checked and made canonical, what goes out is compacted again.

`reading` takes normalized, concise and simplified members alike; `writing` makes each of them, `geojson` makes features.
Pure: names are translated by the `Context` that the caller resolved.
"""
