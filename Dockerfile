# syntax=docker/dockerfile:1

# Both can be replaced: BUILD needs a shell, npm and Node.js 24, BASE only Node.js 24 at /nodejs/bin/node.
ARG BUILD=node:24-trixie-slim
ARG BASE=gcr.io/distroless/nodejs24-debian13:nonroot

# What is made here is JavaScript, the same for every architecture.
FROM --platform=$BUILDPLATFORM ${BUILD} AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc LICENSE ./
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src src
COPY deploy/npm deploy/npm
COPY deploy/image deploy/image
RUN node deploy/npm/build.ts \
  && npm prune --ignore-scripts --omit=dev \
  && npm pkg delete devDependencies scripts \
  && npm sbom --sbom-format=cyclonedx > sbom.json \
  && node deploy/image/prune.ts

FROM ${BASE}
ARG VERSION=0.0.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Pandotate Gateway" \
  org.opencontainers.image.description="One OpenAI-compatible URL in front of every open-weight model you run." \
  org.opencontainers.image.licenses="MIT" \
  org.opencontainers.image.version="${VERSION}" \
  org.opencontainers.image.revision="${REVISION}"

COPY --from=build /build/package.json /build/sbom.json /build/LICENSE /app/
COPY --from=build /build/node_modules /app/node_modules
COPY --from=build /build/dist /app/dist
# It holds /data alone, where the group 0 may write: platforms that choose a user at random leave it that group.
COPY --from=build --chown=65532:0 /build/image/writable/ /
COPY --from=build /build/image/gateway /etc/gateway

ENV NODE_ENV=production \
  HOST=0.0.0.0 \
  PORT=8000 \
  DATA_DIR=/data
# A gateway.yaml that is mounted here is read without being named.
WORKDIR /etc/gateway
VOLUME /data
EXPOSE 8000
USER 65532:0

HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/dist/start.js", "health"]
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=24", "--no-maglev", "--max-inlined-bytecode-size=1000", \
  "--max-inlined-bytecode-size-cumulative=3000", "/app/dist/start.js"]
CMD ["serve"]
