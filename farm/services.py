"""The farm's services, put together in one place for api and worker alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dreamcore.own_models import add_folder
from farm.address_guard import AddressGuard
from farm.api_keys import ApiKeys
from farm.audit import AuditLog
from farm.batch_store import BatchStore
from farm.batches import BatchService
from farm.dispatch import Dispatcher
from farm.estimates import EstimateService
from farm.events import EventReader
from farm.history import HistoryStore
from farm.idempotency import IdempotencyStore
from farm.jobs import JobService
from farm.limits import Limits
from farm.line import WaitingLine
from farm.metrics import Metrics
from farm.outbound import Outbound
from farm.pace import PaceStore
from farm.pictures import PictureService
from farm.queue import RenderQueue, make_celery
from farm.redis import connect_redis
from farm.relay import Relay
from farm.sessions import Sessions
from farm.storage import ObjectStore
from farm.store import JobStore
from farm.traces import Traces, traces_of
from farm.webhooks import WebhookStore
from farm.workers import WorkerRegistry

if TYPE_CHECKING:
    from celery import Celery

    from farm.settings import Settings


@dataclass(frozen=True)
class Services:
    """Everything that a process of the farm works with."""

    settings: Settings
    storage: ObjectStore
    store: JobStore
    dispatch: Dispatcher
    jobs: JobService
    batches: BatchService
    pictures: PictureService
    events: EventReader
    workers: WorkerRegistry
    api_keys: ApiKeys
    sessions: Sessions
    idempotency: IdempotencyStore
    limits: Limits
    outbound: Outbound
    webhooks: WebhookStore
    relay: Relay
    metrics: Metrics
    history: HistoryStore
    paces: PaceStore
    line: WaitingLine
    estimates: EstimateService
    audit: AuditLog
    traces: Traces

    @classmethod
    def connect(cls, settings: Settings, celery: Celery | None = None) -> Self:
        """Put the services together; connections are made at first use."""
        add_folder(settings.models_dir)
        redis = connect_redis(settings)
        storage = ObjectStore(settings)
        store = JobStore(redis)
        guard = AddressGuard(settings.allowed_networks)
        outbound = Outbound(guard, timeout_s=settings.fetch_timeout_s)
        pictures = PictureService(storage, redis, outbound, settings)
        batch_store, webhooks = BatchStore(redis), WebhookStore(redis)
        traces = traces_of(settings)
        queue = RenderQueue(celery or make_celery(settings), traces)
        dispatch = Dispatcher(store, queue, settings.owner_weights)
        limits = Limits(redis, settings)
        jobs = JobService(store, storage, dispatch, pictures, limits)
        paces, workers, api_keys = PaceStore(redis), WorkerRegistry(redis), ApiKeys(redis)
        line = WaitingLine(redis)
        estimates = EstimateService(paces, line, workers, settings)
        return cls(
            settings=settings,
            storage=storage,
            store=store,
            dispatch=dispatch,
            jobs=jobs,
            batches=BatchService(batch_store, jobs, pictures, estimates),
            pictures=pictures,
            events=EventReader(redis),
            workers=workers,
            paces=paces,
            line=line,
            estimates=estimates,
            api_keys=api_keys,
            sessions=Sessions(redis, api_keys),
            idempotency=IdempotencyStore(redis),
            limits=limits,
            outbound=outbound,
            webhooks=webhooks,
            metrics=Metrics(redis, workers),
            history=HistoryStore(redis, workers),
            relay=Relay(webhooks, store, batch_store, outbound),
            audit=AuditLog(redis),
            traces=traces,
        )
