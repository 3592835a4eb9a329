# The bot in an image with nothing else in it but what it takes to know whom to trust over TLS. Time zones are inside the program.
#
#   docker build -t maturitybot .
#   podman build --format docker -t maturitybot .    # without it, Podman leaves the health check out
#
# The same source and the same Go give the same program, byte for byte: no path and no time of the build is in it. To have the same Go in
# a year's time, put the digest after the tag below, golang:1.26-alpine@sha256:..., as docker buildx imagetools inspect golang:1.26-alpine prints it.

FROM golang:1.26-alpine AS build
RUN apk add --no-cache ca-certificates git && mkdir /maturity
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /maturitybot ./cmd/maturitybot
RUN .ci/notices >/NOTICES.txt

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /maturitybot /maturitybot
COPY --from=build /NOTICES.txt /NOTICES.txt
COPY --from=build --chown=65532:65532 /maturity /var/lib/maturity
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["/maturitybot", "ready"]
ENTRYPOINT ["/maturitybot"]
CMD ["serve"]
