#!/bin/sh
# Lets clients find etcd itself, as `etcdctl --discovery-srv prom.local` does.
set -eu
ETCDCTL_API=3 etcdctl --endpoints "http://127.0.0.1:${ETCD_PORT:-2379}" put \
    "/skydns/local/prom/_tcp/_etcd-client/$(hostname)" \
    "{\"host\":\"127.0.0.1\",\"port\":${ETCD_PORT:-2379},\"priority\":10,\"weight\":100}"
