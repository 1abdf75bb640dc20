# shellcheck shell=bash
# Third-party suites that judge an HTTP/1.1 proxy (tests/conformance); docs/conformance.md has the outcome.

packages_conformance=(varnish slowhttptest python3-venv curl)
wstest_version=25.10.1

# A virtual environment in the cache with the second-opinion parsers.
conformance_parsers() {
  local venv=$cache/conformance-venv
  if [[ ! -x $venv/bin/python ]] || ! "$venv/bin/python" -c 'import h11, httptools' 2>/dev/null; then
    "$python" -m venv "$venv" && "$venv/bin/pip" install --quiet h11==0.16.0 httptools==0.9.0
  fi
}

# wstest runs on Python 2.7 alone, which Debian 12 does not have: used where pyenv or PATH has one.
conformance_wstest() {
  local two candidate folder=$cache/autobahn-$wstest_version
  for candidate in "$HOME"/.pyenv/versions/2.7*/bin/python2.7 "$(type -P python2.7 || true)"; do
    [[ -x $candidate ]] && "$candidate" -c '' 2>/dev/null && two=$candidate && break
  done
  [[ -n ${two:-} ]] || return 0
  if [[ ! -e $folder/.done ]]; then
    rm -rf "$folder"
    "$two" -m pip install --quiet --target "$folder" "autobahntestsuite==$wstest_version" || return 0
    touch "$folder/zope/__init__.py" "$folder/.done"
  fi
  printf '#!/bin/sh\nPYTHONPATH=%q exec %q "$@"\n' "$folder" "$two" >"$folder/run-wstest-python"
  printf '#!/bin/sh\nexec %q -c "from autobahntestsuite.wstest import run; run()" "$@"\n' \
    "$folder/run-wstest-python" >"$folder/run-wstest"
  chmod +x "$folder/run-wstest" "$folder/run-wstest-python"
  export PILOTFISH_WSTEST=$folder/run-wstest PILOTFISH_WSTEST_VERSION=$wstest_version
}

verb_conformance() {
  take_lock
  need_packages "${packages_build[@]}" "${packages_conformance[@]}"
  build_preset asan pilotfish
  step "parsers" "$logs/conformance.log" conformance_parsers || say "  h11 and httptools: not to be had"
  conformance_wstest
  PILOTFISH_BIN=$root/build/asan/pilotfish \
    "$cache/conformance-venv/bin/python" tests/conformance/run.py "$@"
}
