"""The Celery application that workers run."""

from __future__ import annotations

from farm.logs import configure_logs
from farm.queue import make_celery
from farm.services import Services
from farm.settings import settings

# Signal handlers stand in included modules: a spawned child imports those, and no others, before its signals fire.
app = make_celery(settings(), include=("worker.tasks", "worker.parent", "worker.child"))
configure_logs(settings())
services = Services.connect(settings(), celery=app)
