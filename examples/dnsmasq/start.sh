#!/bin/sh
# dnsmasq in the foreground, without root; DNSMASQ_PORT and CONSUL_DNS_PORT move the usual ports.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
copy=$(mktemp)
trap 'rm -f "$copy"' EXIT
sed -e "s/^port=5300/port=${DNSMASQ_PORT:-5300}/" -e "s/#8600/#${CONSUL_DNS_PORT:-8600}/" \
    "$here/dnsmasq.conf" >"$copy"
PATH=$PATH:/usr/sbin
dnsmasq --keep-in-foreground --conf-file="$copy" --pid-file= --user= --group= --log-facility=- &
trap 'kill $! 2>/dev/null; rm -f "$copy"' EXIT TERM INT
wait $!
