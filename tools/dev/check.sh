# shellcheck shell=bash
# Checks that run no product code. Each is one entry in the count.

checks=(format sizes layers registered headers tidy checkers)
passed=0 failed=0 skipped=0 failures=()

count_result() { # TITLE STATUS
  if (($2 == 0)); then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    failures+=("$1")
  fi
}

closing() {
  local line
  for line in "${failures[@]}"; do say "  ${red}failed:${plain} $line"; done
  say "$(total)"
  printf '%d passed, %d failed' "$passed" "$failed"
  ((skipped == 0)) || printf ', %d skipped' "$skipped"
  printf '\n'
}

# run_check NAME BUILD
run_check() {
  local name=$1 build=$2 status=0 command
  case $name in
    format | sizes | layers) command=("$python" "tools/check_$name.py") ;;
    registered) command=("$python" tools/check_tests_registered.py --build "$build") ;;
    headers | tidy)
      command=("$python" "tools/check_$name.py" --build "$build" --jobs "$jobs"
        --cache "$cache/check/$name")
      ;;
    checkers) command=("$python" -m pytest -q -p no:cacheprovider tools/tests) ;;
    *) die "no check \"$name\"; there are: ${checks[*]}" 64 ;;
  esac
  step "check $name" "$logs/check-$name.log" "${command[@]}" || status=$?
  count_result "check $name" "$status"
}

run_checks() {
  local build=$1 name
  shift
  for name in "$@"; do run_check "$name" "$build"; done
}

verb_check() {
  local chosen=("$@")
  ((${#chosen[@]})) || chosen=("${checks[@]}")
  take_lock
  need_packages "${packages_build[@]}" "${packages_check[@]}"
  if [[ " ${chosen[*]} " =~ \ (registered|headers|tidy)\  ]]; then
    step "configure asan" "$logs/configure-asan.log" configure asan || count_result "configure asan" 1
  fi
  run_checks "$root/build/asan" "${chosen[@]}"
  closing
  ((failed == 0))
}
