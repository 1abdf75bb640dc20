# shellcheck shell=bash
# libFuzzer over what strangers send (tests/fuzz). What a run finds interesting is kept in the cache
# and continued by the next; tests/fuzz/corpus is the small part that everybody gets.

fuzz_targets=(http_request http_response chunked dns_answer registry_json config_yaml)
fuzz_seconds=${PILOTFISH_FUZZ_SECONDS:-60} # for each target
fuzz_seed=0 # 0: another one each time

# fuzz_one TARGET SECONDS: leaves what broke in build/fuzz/findings/.
fuzz_one() {
  local target=$1 seconds=$2 kept=$cache/fuzz/$1 symbolizer
  mkdir -p "$kept" "$root/build/fuzz/findings"
  symbolizer=$(type -P llvm-symbolizer-19 llvm-symbolizer | head -n 1 || true)
  # A sanitizer's report and an error of libFuzzer itself both end it with a status.
  env ${symbolizer:+ASAN_SYMBOLIZER_PATH="$symbolizer"} \
    nice -n 5 "$root/build/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=20 \
    -rss_limit_mb=2048 -max_len=4096 -print_final_stats=1 -seed="$fuzz_seed" \
    -artifact_prefix="$root/build/fuzz/findings/$target-" \
    -dict="$root/tests/fuzz/dictionaries/$target.dict" "$kept" "$root/tests/fuzz/corpus/$target"
}

# fuzz_figures LOG: "412345 runs, 1322 edges, 364 inputs kept".
fuzz_figures() {
  local runs state
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$1" | tail -n 1)
  state=$(sed -nE 's/.* cov: ([0-9]+) ft: [0-9]+ corp: ([0-9]+)\/.*/\1 edges, \2 inputs kept/p' "$1" |
    tail -n 1)
  printf '%s runs, %s' "${runs:-0}" "${state:-no figures}"
}

# fuzz_report TARGET STATUS BEGIN: its line, and how to repeat what it found.
fuzz_report() {
  local log=$logs/fuzz-$1.log finding
  report "fuzz $1" "$2" "$(seconds_since "$3")" "$(fuzz_figures "$log")"
  count_result "fuzz $1" "$2"
  (($2 != 0)) || return 0
  show_log "$log"
  finding=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
  [[ -z $finding ]] || say "  to repeat it: build/fuzz/fuzz_$1 ${finding#"$root"/}"
}

# fuzz_all SECONDS TARGET...: as many at a time as there are processors.
fuzz_all() {
  local seconds=$1 target
  shift
  local -a waiting=("$@") names pids begins
  while ((${#waiting[@]})); do
    names=() pids=() begins=()
    for target in "${waiting[@]:0:jobs}"; do
      spawn "$logs/fuzz-$target.log" fuzz_one "$target" "$seconds"
      names+=("$target") pids+=("$spawned") begins+=("$EPOCHREALTIME")
    done
    waiting=("${waiting[@]:jobs}")
    for target in "${!names[@]}"; do
      local status=0
      follow "fuzz ${names[target]}" "$logs/fuzz-${names[target]}.log" "${pids[target]}" || status=$?
      fuzz_report "${names[target]}" "$status" "${begins[target]}"
    done
  done
}

# With a fixed seed, so that a run that goes on from the same inputs can be repeated.
test_fuzz() {
  local built=0
  fuzz_seed=1
  build_preset fuzz || built=$?
  count_result "build fuzz" "$built"
  ((built != 0)) || fuzz_all "$fuzz_seconds" "${fuzz_targets[@]}"
}

verb_fuzz() {
  local chosen=() seconds=$fuzz_seconds
  while (($#)); do
    case $1 in
      --seconds)
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || die "--seconds needs a number" 64
        seconds=$2
        shift
        ;;
      *)
        [[ " ${fuzz_targets[*]} " == *" $1 "* ]] ||
          die "no fuzz target \"$1\"; there are: ${fuzz_targets[*]}" 64
        chosen+=("$1")
        ;;
    esac
    shift
  done
  ((${#chosen[@]})) || chosen=("${fuzz_targets[@]}")
  take_lock
  need_packages "${packages_build[@]}" "${packages_fuzz[@]}"
  build_preset fuzz "${chosen[@]/#/fuzz_}"
  fuzz_all "$seconds" "${chosen[@]}"
  closing
  ((failed == 0))
}
