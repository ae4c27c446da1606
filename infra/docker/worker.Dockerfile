# A worker that renders on processors.
# From the repository's root: docker build --file infra/docker/worker.Dockerfile --tag dreamfarm-worker .

# The Python that the tests run on; PYTHON=3.11-slim-trixie@sha256:… pins it to the byte.
ARG PYTHON=3.11-slim-trixie

FROM python:${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY infra/docker/worker.lock infra/docker/sources.lock /locks/
RUN python -m venv /opt/venv \
 && /opt/venv/bin/python -m pip install --require-hashes --no-deps --only-binary=:all: --requirement /locks/worker.lock \
 && /opt/venv/bin/python -m pip install --require-hashes --no-deps --no-build-isolation --requirement /locks/sources.lock \
 && /opt/venv/bin/python -m pip uninstall --yes pip
WORKDIR /opt/dreamfarm
COPY LICENSE ./
COPY dreamcore ./dreamcore
COPY dreamfarm ./dreamfarm
COPY farm ./farm
COPY worker ./worker
COPY --chmod=755 infra/docker/dreamfarm /opt/venv/bin/dreamfarm
# A read-only image can't keep what Python compiles at its start.
RUN /opt/venv/bin/python -m compileall -q .

FROM python:${PYTHON}
# Weights that are fetched, speeds that are measured and compiled steps stay in a volume on /var/cache/dreamfarm.
RUN groupadd --gid 10001 dreamfarm \
 && useradd --no-log-init --uid 10001 --gid 10001 --home-dir /var/cache/dreamfarm --no-create-home \
      --shell /usr/sbin/nologin dreamfarm \
 && install -d --owner=10001 --group=10001 /var/cache/dreamfarm
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/dreamfarm /opt/dreamfarm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/dreamfarm \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/var/cache/dreamfarm \
    DREAMFARM_CACHE_DIR=/var/cache/dreamfarm
WORKDIR /opt/dreamfarm
USER 10001:10001
VOLUME ["/var/cache/dreamfarm"]
# SIGTERM reaches Celery itself: the job is handed back within a step, and the worker leaves.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=30s --start-period=60s \
  CMD ["python", "-m", "worker.health"]
CMD ["python", "-m", "worker"]
