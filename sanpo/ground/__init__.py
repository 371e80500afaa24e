"""What every district stands on: clock, ids, errors, database, outbox, web, words, plug-ins, configuration.

Each file here is one named concept; there is no drawer for the rest. Ground knows no district. Invariants:
one transaction per action, row-level security set from the actor at its start, errors that carry a code and
typed fields instead of HTTP, and no personal data in logs.

Tables: `ground.migrations` (what ran), the job queue's own (`ground.procrastinate_*`).
"""
