# shellcheck shell=bash
# Building, and the verbs that build the release and run it.

configure() {
  local folder=$root/build/$1
  # A build folder that was copied or moved along with its checkout cannot be used.
  if [[ -f $folder/CMakeCache.txt ]] &&
    ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$folder/CMakeCache.txt"; then
    rm -rf "$folder"
  fi
  cmake --preset "$1"
}

# build_preset PRESET [TARGET...]: goes on after an error, so that all errors show at once.
build_preset() {
  local preset=$1
  shift
  step "configure $preset" "$logs/configure-$preset.log" configure "$preset" &&
    step "build $preset" "$logs/build-$preset.log" \
      ninja -k 0 -j "$jobs" -C "$root/build/$preset" "$@"
}

has_target() { ninja -C "$root/build/$1" -t query "$2" >/dev/null 2>&1; }

# become COMMAND...: in place of this script, without its lock.
become() {
  exec 9>&-
  trap - EXIT INT TERM HUP
  exec "$@"
}

verb_build() {
  local preset=${1:-release}
  take_lock
  need_packages "${packages_build[@]}"
  build_preset "$preset"
  say "built in build/$preset; $(total)"
}

verb_demo() {
  take_lock
  need_packages "${packages_build[@]}"
  build_preset release pilotfish-lab
  say "starting: build/release/pilotfish-lab demo $*"
  become "$root/build/release/pilotfish-lab" demo "$@"
}

verb_bench() {
  take_lock
  need_packages "${packages_build[@]}" "${packages_bench[@]}"
  build_preset release
  case ${1:---all} in
    --all | --check | --only | --only=* | --render) bench_figures "$@" ;;
  esac
  # Only where it takes part: named, or by the scenario's own choice.
  [[ " $* " == *--against* && $* != *envoy* || $* == *--help* || $1 == list || $1 == compare ]] ||
    need_envoy
  become env PILOTFISH_BIN="$root/build/release/pilotfish" \
    "$root/build/release/pilotfish-lab" bench "$@"
}

# bench_figures [--check] [--only PART,...]: docs/performance.md and its record, or held against them.
bench_figures() {
  local variable
  if [[ $* != *--render* ]]; then
    has_target release pilotfish-micro || die "there is no target pilotfish-micro to run"
    need_envoy
    need_packages "${packages_test[@]}"
    start_parts
    await_parts || say "going on without: what needs them is not measured"
    while IFS= read -r variable; do export "${variable?}"; done < <(part_environment)
  fi
  become "$python" tools/bench.py "$@"
}

verb_fmt() {
  take_lock
  need_packages "${packages_check[@]}"
  step "format" "$logs/fmt.log" "$python" tools/check_format.py --fix
}
