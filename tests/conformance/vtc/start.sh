#!/bin/sh
# start.sh BACKEND [OPTIONS]: pilotfish in front of one server, on $PF_PORT, admin on $PF_ADMIN.
# OPTIONS are further lines of the upstream, in flow style: "retry: {attempts: 0}, fresh: ttl".
set -eu
file=$(mktemp -d)/vtc.yaml
cat >"$file" <<YAML
admin: 127.0.0.1:$PF_ADMIN
upstreams:
  app: {listen: "127.0.0.1:$PF_PORT", static: ["$1"]${2:+, $2}}
YAML
exec "$PILOTFISH_BIN" run -c "$file"
