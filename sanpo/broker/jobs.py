"""The broker's duties: noted writes become observations, changes become notifications, old observations flow away."""

from sanpo.broker import history
from sanpo.broker.flow.moving import flow
from sanpo.broker.ingest.folder import listen_all
from sanpo.broker.ingest.refusals import forget_refused
from sanpo.broker.ringing import CHANGES
from sanpo.broker.subscriptions.burying import bury
from sanpo.broker.subscriptions.sending import FALLBACK_S, notify
from sanpo.ground.jobs import Registry


def jobs(registry: Registry) -> None:
    registry.every(1, "broker.spread", history.spread)
    registry.when(CHANGES, "broker.notify", notify, every_s=FALLBACK_S)
    registry.every(60, "broker.bury", bury)
    registry.every(600, "broker.flow", flow)
    registry.every(5, "broker.listen", listen_all)
    registry.every(3600, "broker.forget_refused", forget_refused)
