# The app for one's own server: docs/HOSTING.md says how to build and run it.
FROM python:3.11-slim-bookworm

# Where torch comes from. Empty: the package index, whose build computes on the CPU and on NVIDIA
# GPUs. The address of an index with CPU-only builds makes the image several times smaller.
ARG TORCH_INDEX=""
# 1: the pose model is fetched while building, so that the container starts without a network.
ARG FETCH_POSE=1

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

WORKDIR /srv/skeletr
COPY packages.txt requirements.txt ./
RUN apt-get update \
    && xargs -a packages.txt apt-get install -y --no-install-recommends \
    && rm -rf /var/lib/apt/lists/*
RUN pip install ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$(grep '^torch==' requirements.txt)" \
    && pip install -r requirements.txt

# Nothing in the image belongs to the user that serves: what breaks out of the app can change nothing.
RUN useradd --create-home --uid 1000 serve && install -d -o serve -g serve /var/cache/skeletr
COPY launch.py ./
COPY app app
COPY skeletr skeletr
COPY checkpoints checkpoints

USER serve
ENV SKELETR_CACHE=/var/cache/skeletr SKELETR_LOG=json \
    GRADIO_SERVER_NAME=0.0.0.0 GRADIO_SERVER_PORT=7860 GRADIO_TEMP_DIR=/tmp/skeletr-files
RUN if [ "$FETCH_POSE" = 1 ]; then \
      python -c "from skeletr.pose import create_frontend; create_frontend().close()"; fi

EXPOSE 7860
# The first start without the pose model in the image fetches it, which may take minutes.
HEALTHCHECK --interval=30s --timeout=10s --start-period=300s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/health', timeout=8)"]
STOPSIGNAL SIGTERM
CMD ["python", "launch.py"]
