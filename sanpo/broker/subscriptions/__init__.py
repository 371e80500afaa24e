"""Subscriptions and notifications (ETSI GS CIM 009 §5.8, §5.11, §5.2.12 to §5.2.15).

Invariants
* A change becomes notifications in one transaction (`following`), in the order of the changes of each entity.
* A change of a registration and its notifications commit together (`telling`).
* Notifications of one subscription arrive in order, each at least once and under one id; what was acknowledged is never
  sent again. An endpoint that is dead has its own few places and delays nobody else (`sending`).
* What of a personal entity leaves is decided at the moment of sending, by the sight of the subscription's owner; the use is
  in the journal before.

Tables: `broker.subscriptions`, `broker.subscription_revision`, `broker.notifications`.
"""
