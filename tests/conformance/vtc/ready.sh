#!/bin/sh
# Waits until pilotfish of start.sh is ready.
for _ in $(seq 200); do
  curl -s -o /dev/null -f "http://127.0.0.1:$PF_ADMIN/ready" && exit 0
  sleep 0.05
done
exit 1
