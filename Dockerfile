# A tracking server with the drivers of PostgreSQL, MySQL, S3, GCS and Azure. See docs/deploying.md.
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
# The pages are built with a Node that comes as a wheel.
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:3.13-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir "$(echo /wheels/*.whl)[postgresql,mysql,aws,gcs,azure,oidc]" \
    && rm -rf /wheels \
    && useradd --uid 10001 --create-home --home-dir /data millstream
USER 10001
WORKDIR /data
VOLUME /data
# The name of a file of tokens is no secret.
# hadolint ignore=DL3064
ENV PYTHONUNBUFFERED=1 \
    MLFLOW_HOST=0.0.0.0 \
    MLFLOW_BACKEND_STORE_URI=sqlite:////data/mlflow.db \
    MLFLOW_ARTIFACTS_DESTINATION=/data/artifacts \
    MILLSTREAM_TOKEN_FILE=/data/tokens
EXPOSE 5000
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/health', timeout=2)"]
ENTRYPOINT ["mlflow"]
CMD ["server"]
