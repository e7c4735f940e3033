# The released binary and nothing else. .github/image.sh lays out the context:
#   ca-certificates.crt, tmp/, linux/amd64/loadline, linux/arm64/loadline
# Files of yours are mounted at /work; the user in the image may not write there
# unless you let it, so add --user "$(id -u)" to get reports out. From inside, the
# host's localhost is not the container's: add --network host.
FROM scratch
ARG TARGETPLATFORM
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY ${TARGETPLATFORM}/loadline /loadline
# For what has no other place: the demo, a report that the disk had no room for.
COPY --chown=65532:65532 tmp /tmp
WORKDIR /work
USER 65532:65532
ENTRYPOINT ["/loadline"]
