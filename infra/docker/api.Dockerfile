# The api, and the command `dreamfarm`. No TensorFlow.
# From the repository's root: docker build --file infra/docker/api.Dockerfile --tag dreamfarm-api .

# The Python that the tests run on; PYTHON=3.11-slim-trixie@sha256:… pins it to the byte.
ARG PYTHON=3.11-slim-trixie

FROM python:${PYTHON} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY infra/docker/api.lock /locks/
RUN python -m venv /opt/venv \
 && /opt/venv/bin/python -m pip install --require-hashes --no-deps --only-binary=:all: --requirement /locks/api.lock \
 && /opt/venv/bin/python -m pip uninstall --yes pip setuptools
WORKDIR /opt/dreamfarm
COPY LICENSE ./
COPY api ./api
COPY dreamcore ./dreamcore
COPY dreamfarm ./dreamfarm
COPY farm ./farm
COPY --chmod=755 infra/docker/dreamfarm /opt/venv/bin/dreamfarm
# A read-only image can't keep what Python compiles at its start.
RUN /opt/venv/bin/python -m compileall -q .

FROM python:${PYTHON}
RUN groupadd --gid 10001 dreamfarm \
 && useradd --no-log-init --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin dreamfarm
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/dreamfarm /opt/dreamfarm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/dreamfarm \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    WEB_CONCURRENCY=2
WORKDIR /opt/dreamfarm
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=10s --start-period=60s \
  CMD ["python", "-m", "api.health", "http://127.0.0.1:8000/readyz"]
# api/server.py: a thread for each event stream that it allows, and some for calls; processes: WEB_CONCURRENCY.
CMD ["gunicorn", "--config=python:api.server", "--bind=0.0.0.0:8000", "--graceful-timeout=10", \
     "--worker-tmp-dir=/dev/shm", "--no-control-socket", "api.app:create_app()"]
