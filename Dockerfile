# The page at /graphql.
FROM node:22-bookworm-slim AS ui
WORKDIR /build/api/ui
COPY api/ui/package.json api/ui/package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY api/ui ./
RUN npm run build

# The program. Queries are checked against .sqlx: no database is needed here.
FROM rust:1.94-slim-bookworm AS build
WORKDIR /build
ENV SQLX_OFFLINE=true
COPY . .
COPY --from=ui /build/api/ui/dist api/ui/dist
RUN cargo build --locked --release --package vigie-api

# What runs: the program and the certificates, under an account of its own. Postgres is another container.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/vigie vigie
COPY --from=build /build/target/release/vigie /usr/local/bin/vigie
USER vigie
WORKDIR /var/lib/vigie
# All addresses of the container; which of them others reach is what publishing ports decides.
ENV VIGIE_LISTEN=0.0.0.0:8080 \
    VIGIE_ALLOW_REMOTE=true \
    VIGIE_LOG_FORMAT=json
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["curl", "--fail", "--silent", "--output", "/dev/null", "http://127.0.0.1:8080/health/ready"]
ENTRYPOINT ["vigie"]
CMD ["serve"]
