# shellcheck shell=bash
# Steps: what runs is said in one line while it runs and in one line with its time when it ended.
# Everything written here goes to stderr, so that a verb's own output can be used by a script.

if [[ -t 2 && -z ${NO_COLOR:-} && ${TERM:-dumb} != dumb ]]; then
  live=1 green=$'\e[32m' red=$'\e[31m' dim=$'\e[2m' plain=$'\e[0m'
else
  live=0 green='' red='' dim='' plain=''
fi
declare -A children=()  # process groups of ours that may still run
on_exit=()   # commands for the very end
verbose=0
begun=$EPOCHREALTIME

say() { printf '%s\n' "$*" >&2; }
die() {
  say "${red}./dev: $1${plain}"
  exit "${2:-1}"
}

# seconds_since START: "12.3"; both ends as EPOCHREALTIME has them, whatever the locale's comma.
seconds_since() {
  local now=$EPOCHREALTIME
  local micros=$((${now//[.,]/} - ${1//[.,]/}))
  printf '%d.%d' $((micros / 1000000)) $((micros % 1000000 / 100000))
}

end_group() {
  local pid=$1 signal round
  for signal in INT TERM KILL; do
    kill -s "$signal" -- "-$pid" 2>/dev/null || return 0
    for ((round = 0; round < 50; round++)); do
      kill -0 -- "-$pid" 2>/dev/null || return 0
      sleep 0.1
    done
  done
}

at_exit() {
  local status=$? pid command
  trap '' INT TERM HUP
  trap - EXIT
  for pid in "${!children[@]}"; do end_group "$pid"; done
  for command in "${on_exit[@]}"; do eval "$command"; done
  exit "$status"
}
trap at_exit EXIT
trap 'say ""; say "interrupted; run the same command again to go on"; exit 130' INT
trap 'exit 143' TERM HUP

# spawn LOG COMMAND...: in the background, as a process group of its own; sets `spawned`.
spawn() {
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  set -m
  if ((verbose)); then
    "$@" > >(tee "$log" >&2) 2>&1 </dev/null 9>&- &
  else
    "$@" >"$log" 2>&1 </dev/null 9>&- &
  fi
  spawned=$!
  set +m
  children[$spawned]=1
}

last_line() { tail -c 600 "$1" 2>/dev/null | tr '\r' '\n' | grep -v '^[[:space:]]*$' | tail -n 1 || true; }

# follow TITLE LOG PID: shows life until PID ends; returns its exit status.
follow() {
  local title=$1 log=$2 pid=$3 status=0 begin=$EPOCHREALTIME pause=0.05 said=0 elapsed line
  while kill -0 "$pid" 2>/dev/null; do
    sleep "$pause"
    elapsed=$(seconds_since "$begin")
    ((${elapsed%.*} < 2)) || pause=0.5
    ((verbose)) && continue
    if ((live)); then
      line=$(last_line "$log")
      printf '\r\e[K  %s..%s    %-36s %8s s  %s%.60s%s' "$dim" "$plain" "$title" "$elapsed" \
        "$dim" "$line" "$plain" >&2
    elif ((${elapsed%.*} >= said + 30)); then
      said=${elapsed%.*}
      printf '  ..    %-36s %8s s  %.80s\n' "$title" "$elapsed" "$(last_line "$log")" >&2
    fi
  done
  ((live && !verbose)) && printf '\r\e[K' >&2
  wait "$pid" || status=$?
  end_group "$pid" # what the step left behind
  unset "children[$pid]"
  return "$status"
}

# report TITLE STATUS SECONDS [NOTE]: the line of a step that has ended.
report() {
  if (($2 == 0)); then
    printf '  %sok%s    %-36s %8s s  %s\n' "$green" "$plain" "$1" "$3" "${4:-}" >&2
  else
    printf '  %sFAIL%s  %-36s %8s s  %s\n' "$red" "$plain" "$1" "$3" "${4:-}" >&2
  fi
}

# show_log LOG [LINES]: what a failed step printed last.
show_log() {
  ((verbose)) && return 0
  say "${dim}--- the end of $1${plain}"
  tail -n "${2:-60}" "$1" >&2 || true
  say "${dim}---${plain}"
}

# step TITLE LOG COMMAND...: runs it; on failure shows the end of its output and returns its status.
step() {
  local title=$1 log=$2 begin=$EPOCHREALTIME status=0
  shift 2
  spawn "$log" "$@"
  follow "$title" "$log" "$spawned" || status=$?
  report "$title" "$status" "$(seconds_since "$begin")"
  ((status == 0)) || show_log "$log"
  return "$status"
}

# One ./dev at a time works in a checkout; a second one waits.
take_lock() {
  mkdir -p "$logs" "$cache"
  exec 9>>"$root/build/.dev.lock"
  if ! flock -n 9; then
    say "another ./dev is at work in this checkout; waiting for it"
    flock 9
  fi
}

total() { printf 'total %s s; logs in %s' "$(seconds_since "$begun")" "${logs#"$root"/}"; }
