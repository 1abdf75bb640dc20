# shellcheck shell=bash
# A long run of mixed traffic under constant churn (tests/soak).

verb_soak() {
  local preset=asan rest=()
  while (($#)); do
    case $1 in
      --preset)
        preset=${2:-}
        [[ $preset == asan || $preset == release || $preset == tsan ]] ||
          die "soak --preset: asan, release or tsan" 64
        shift
        ;;
      *) rest+=("$1") ;;
    esac
    shift
  done
  take_lock
  parts_pid=''
  need_packages "${packages_build[@]}" "${packages_test[@]}"
  start_parts
  build_preset "$preset" pilotfish
  await_parts || die "the soak needs a real Consul; see build/logs/" 69
  local variable copy
  while IFS= read -r variable; do export "${variable?}"; done < <(part_environment)
  # A copy, so that building again does not disturb it.
  copy=$(mktemp -d)/pilotfish
  cp "$root/build/$preset/pilotfish" "$copy"
  on_exit+=("rm -rf '$(dirname "$copy")'")
  exec 9>&-
  PILOTFISH_BIN=$copy "$python" tests/soak/soak.py "${rest[@]}"
}
