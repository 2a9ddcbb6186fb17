# Three images from one file:
#   docker build .                  cpu: the bot, and trainings on the processor (the trainer image without a GPU)
#   docker build --target gpu .     gpu: the same with CUDA
#   docker build --target bot .     bot: without TensorFlow, for a bot whose workers train elsewhere (0.3 GB, not 1.7)
# Everything kept lies in /data; settings come from the environment (see .env.example).

FROM python:3.12-slim-bookworm AS venv
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/pastiche
ENV PATH="/opt/pastiche/bin:$PATH"
WORKDIR /src
# For the compiled step of textgen; what runs has no compiler.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libc6-dev \
    && rm -rf /var/lib/apt/lists/*

FROM scratch AS source
COPY pyproject.toml README.md LICENSE /source/
COPY textgen /source/textgen
COPY models /source/models
COPY migrations /source/migrations
COPY bot /source/bot
COPY distributions /source/distributions

# The requirements come first: they change less often than the code, and are by far the larger layer.
FROM venv AS venv-cpu
COPY requirements/run.txt requirements/
RUN pip install --require-hashes -r requirements/run.txt
COPY --from=source /source ./
RUN pip install --no-deps --no-build-isolation . ./distributions/pastiche-bot

FROM venv AS venv-bot
COPY requirements/bot.txt requirements/
RUN pip install --require-hashes -r requirements/bot.txt
COPY --from=source /source ./
RUN pip install --no-deps --no-build-isolation . ./distributions/pastiche-bot

FROM venv AS venv-gpu
COPY requirements/gpu.txt requirements/
RUN pip install --require-hashes -r requirements/gpu.txt
COPY --from=source /source ./
RUN pip install --no-deps --no-build-isolation . ./distributions/pastiche-bot

FROM python:3.12-slim-bookworm AS runtime
ENV PATH="/opt/pastiche/bin:$PATH" \
    PASTICHE_DATA_DIR=/data \
    TEXTGEN_BASES=/data/bases \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    TF_CPP_MIN_LOG_LEVEL=2
RUN groupadd --gid 10001 pastiche \
    && useradd --uid 10001 --gid pastiche --no-log-init --shell /usr/sbin/nologin \
       --no-create-home --home-dir /data pastiche \
    && install --directory --owner=pastiche --group=pastiche --mode=0750 /data
USER 10001:10001
WORKDIR /data
VOLUME /data
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 CMD ["pastiche", "check"]
ENTRYPOINT ["pastiche"]
CMD ["run"]

FROM runtime AS bot
# It cannot train: `pastiche worker` does, in one of the other images.
ENV PASTICHE_JOBS=elsewhere
COPY --from=venv-bot /opt/pastiche /opt/pastiche

FROM runtime AS gpu
# Read by NVIDIA's container runtime; the CUDA libraries themselves come with the requirements.
ENV NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility
COPY --from=venv-gpu /opt/pastiche /opt/pastiche

FROM runtime AS cpu
COPY --from=venv-cpu /opt/pastiche /opt/pastiche
