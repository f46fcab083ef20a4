# syntax=docker/dockerfile:1
ARG PYTHON=3.13.9-slim-bookworm

# ---- build: the locked dependencies, every file checked against its hash, then Vigil itself -------------
FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 POETRY_VIRTUALENVS_CREATE=false
WORKDIR /src
RUN python -m venv /opt/poetry \
 && /opt/poetry/bin/pip install poetry==2.5.1 poetry-plugin-export==1.10.1
COPY pyproject.toml poetry.lock ./
RUN python -m venv --without-pip /opt/vigil \
 && /opt/poetry/bin/poetry export --output requirements.txt \
 && /opt/poetry/bin/pip --python /opt/vigil/bin/python install --require-hashes -r requirements.txt
COPY README.md LICENSE ./
COPY domain domain
COPY persistence persistence
COPY worker worker
COPY migrations migrations
RUN /opt/poetry/bin/poetry build --format wheel \
 && /opt/poetry/bin/pip --python /opt/vigil/bin/python install --no-deps dist/*.whl

# ---- run: an interpreter and /opt/vigil; no pip, no compiler, no shell needed ---------------------------
FROM python:${PYTHON} AS run
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Vigil" \
      org.opencontainers.image.description="Asynchronous alerting worker for an oncology infirmary" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 vigil \
 && useradd --uid 10001 --gid vigil --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin vigil
COPY --from=build /opt/vigil /opt/vigil

# Nothing is written at run time, so the file system may be read-only.
ENV PATH=/opt/vigil/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VIGIL_HTTP_HOST=0.0.0.0 \
    VIGIL_HTTP_PORT=8000
USER 10001:10001
WORKDIR /
EXPOSE 8000
STOPSIGNAL SIGTERM

# Alive, not ready: a worker that waits for its broker must not be restarted for it.
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 CMD ["python", "-c", \
  "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['VIGIL_HTTP_PORT'] + '/health/live', timeout=2)"]

ENTRYPOINT ["vigil"]
CMD ["run"]
