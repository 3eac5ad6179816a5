# The image runs the program as nobody special; give it its settings in the environment:
#   docker build -t wyoming-openai . && docker run --rm -p 10800:10800 -e HASS_URL -e HASS_TOKEN -e OPENAI_API_KEY wyoming-openai
FROM python:3.13-slim AS build
WORKDIR /src
COPY setup.cfg pyproject.toml README.md LICENSE ./
COPY wyoming_openai wyoming_openai
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --prefer-binary .

FROM python:3.13-slim
RUN useradd --uid 10800 --create-home --shell /usr/sbin/nologin wyoming \
    && install --directory --owner wyoming /data
COPY --from=build /venv /venv
USER 10800
VOLUME /data
ENV PYTHONUNBUFFERED=1 WYOMING_OPENAI_DATA_DIR=/data
EXPOSE 10800
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=60s --timeout=5s --start-period=20s \
    CMD ["/venv/bin/python", "-c", "import socket; s = socket.create_connection(('127.0.0.1', 10800), 4); s.sendall(b'{\"type\": \"describe\"}\\n'); assert s.recv(1)"]
ENTRYPOINT ["/venv/bin/wyoming-openai"]
