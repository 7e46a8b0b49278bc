# Two stages: Go builds one static binary; the image holds that binary, certificate authorities and time zones, no shell.
FROM golang:1.26-bookworm AS build
WORKDIR /src
# Modules first: a change of code alone does not download them again.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /streamer ./cmd/streamer

FROM gcr.io/distroless/static-debian12:nonroot
LABEL org.opencontainers.image.title=streamer \
      org.opencontainers.image.description="Kafka-native parallel stream consumer" \
      org.opencontainers.image.licenses=Apache-2.0
COPY --from=build /streamer /usr/local/bin/streamer
# A number, so that Kubernetes can check runAsNonRoot without reading /etc/passwd.
USER 65532:65532
# Loopback inside a container could not be scraped or probed. The port has no password: publish it with care.
ENV STREAMER_ADMIN_LISTEN=:4040
EXPOSE 4040
# Readiness. An unhealthy container is shown, not restarted: an outage of Kafka is not cured by restarts.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/local/bin/streamer", "health"]
ENTRYPOINT ["/usr/local/bin/streamer"]
# Reads /etc/streamer/config.yaml if it is there, else the environment alone.
CMD ["run"]
