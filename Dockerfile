FROM node:22-bookworm-slim AS build
WORKDIR /precision-lens
COPY . .
RUN npm ci && npm pack

FROM node:22-bookworm-slim
COPY --from=build /precision-lens/precision-lens-*.tgz /tmp/
RUN npm install --global /tmp/precision-lens-*.tgz && rm /tmp/precision-lens-*.tgz
USER node
ENTRYPOINT ["precision-lens"]
