#!/bin/sh
# start.sh consul|dns: Prometheus with that file. Prometheus reads no environment, so a CONSUL_PORT or
# PROMETHEUS_PORT other than the usual one is written into a copy.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
data=${PROMETHEUS_DATA:-$(mktemp -d)}
mkdir -p "$data"
sed "s/localhost:8500/localhost:${CONSUL_PORT:-8500}/" "$here/$1.yml" >"$data/prometheus.yml"
exec "${PROMETHEUS:-prometheus}" --config.file="$data/prometheus.yml" --storage.tsdb.path="$data/data" \
    --web.listen-address="127.0.0.1:${PROMETHEUS_PORT:-9090}"
