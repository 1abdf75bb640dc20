# shellcheck shell=bash
# Everything that CI runs. A part that fails does not keep the next from running.

e2e_limit=${PILOTFISH_E2E_LIMIT:-1800} # seconds

# count_junit TITLE FILE STATUS: adds a JUnit report to the counts. A run that left no report, no test
# or a bad status without a failure counts as one failure.
count_junit() {
  local title=$1 file=$2 status=$3 ran bad idle
  read -r ran bad idle < <("$python" tools/junit_counts.py "$file" 2>/dev/null || echo "0 0 0")
  if ((ran == 0 || (status != 0 && bad == 0))); then bad=$((bad + 1)); fi
  passed=$((passed + ran)) failed=$((failed + bad)) skipped=$((skipped + idle))
  ((bad == 0)) || failures+=("$title: $bad of $((ran + bad)); see ${logs#"$root"/}/")
}

sanitizer_environment() {
  export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:halt_on_error=1:detect_stack_use_after_return=0
  export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
}

run_ctest() {
  sanitizer_environment
  rm -f "$logs/ctest.xml"
  ctest --test-dir "$root/build/asan" -j "$jobs" --output-on-failure --no-tests=error \
    --output-junit "$logs/ctest.xml"
}

# run_pytest NAME ARGUMENT...: the suite in tests/NAME.
run_pytest() {
  local name=$1 variable
  shift
  sanitizer_environment
  rm -f "$logs/$name.xml"
  while IFS= read -r variable; do export "${variable?}"; done < <(part_environment)
  export PILOTFISH_BIN=$root/build/asan/pilotfish PILOTFISH_LAB=$root/build/asan/pilotfish-lab
  # In this process group, so that an interrupt reaches it and what it started.
  timeout --foreground --signal=INT --kill-after=30 "$e2e_limit" \
    "$python" -m pytest -v -p no:cacheprovider --durations=10 --junitxml="$logs/$name.xml" \
    --rootdir="$root" "tests/$name" "$@"
}

# The closing lines of a runner are for whoever reads CI's output by them.
closing_line_of() { grep -E "$2" "$1" | tail -n 1 || true; }

test_ctest() {
  local status=0
  step "unit and component tests" "$logs/ctest.log" run_ctest || status=$?
  closing_line_of "$logs/ctest.log" '% tests passed'
  count_junit "unit and component tests" "$logs/ctest.xml" "$status"
}

test_e2e() {
  local status=0
  await_parts || count_result "building the real parts" 1
  step "end-to-end tests" "$logs/e2e.log" run_pytest e2e || status=$?
  closing_line_of "$logs/e2e.log" '^=+ .*(passed|failed|error|no tests).* =+$'
  count_junit "end-to-end tests" "$logs/e2e.xml" "$status"
}

# Mostly waiting, so several at once; each has its own ports and namespaces.
test_faults() {
  local status=0
  await_parts || count_result "building the real parts" 1
  rm -f "$logs/faults.txt"
  step "fault matrix" "$logs/faults.log" run_pytest faults -n "${PILOTFISH_FAULT_WORKERS:-4}" ||
    status=$?
  closing_line_of "$logs/faults.log" '^=+ .*(passed|failed|error|no tests).* =+$'
  count_junit "fault matrix" "$logs/faults.xml" "$status"
}

# Where several threads meet: reload, watch, admin pages, drain and stop, each sidecar with 3 workers.
run_tsan() {
  local variable
  rm -f "$logs/tsan.xml"
  while IFS= read -r variable; do export "${variable?}"; done < <(part_environment)
  export PILOTFISH_BIN=$root/build/tsan/pilotfish PILOTFISH_WORKERS=3
  timeout --foreground --signal=INT --kill-after=30 "$e2e_limit" \
    "$python" -m pytest -v -p no:cacheprovider --durations=10 --junitxml="$logs/tsan.xml" \
    --rootdir="$root" tests/e2e/test_{reload,consul_watch,lifecycle,drain,admin}.py
}

test_tsan() {
  local status=0 built=0
  await_parts || count_result "building the real parts" 1
  build_preset tsan pilotfish || built=$?
  count_result "build tsan" "$built"
  ((built == 0)) || return 0
  step "several workers under TSan" "$logs/tsan.log" run_tsan || status=$?
  closing_line_of "$logs/tsan.log" '^=+ .*(passed|failed|error|no tests).* =+$'
  count_junit "several workers under TSan" "$logs/tsan.xml" "$status"
}

verb_test() {
  local chosen=("$@") what built=0
  ((${#chosen[@]})) || chosen=(ctest e2e faults fuzz check)
  for what in "${chosen[@]}"; do
    [[ " ctest e2e faults fuzz check tsan " == *" $what "* ]] ||
      die "no part \"$what\" of the tests; there are: ctest e2e faults fuzz check tsan" 64
  done
  take_lock
  parts_pid=''
  need_packages "${packages_build[@]}" "${packages_check[@]}" "${packages_test[@]}" \
    "${packages_fuzz[@]}"
  [[ ! " ${chosen[*]} " =~ " "(e2e|faults|tsan)" " ]] || start_parts
  if [[ ${chosen[*]} != tsan ]]; then
    build_preset asan || built=$?
    count_result "build asan" "$built"
  fi
  for what in "${chosen[@]}"; do
    case $what in
      ctest) test_ctest ;;
      e2e) test_e2e ;;
      faults) test_faults ;;
      fuzz) test_fuzz ;;
      tsan) test_tsan ;;
      check) run_checks "$root/build/asan" "${checks[@]}" ;;
    esac
  done
  closing
  ((failed == 0))
}
