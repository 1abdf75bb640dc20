# shellcheck shell=bash
# Debian packages, each list on top of the one before where a verb asks for both.

packages_build=(g++ cmake ninja-build ccache mold git
  libboost1.81-dev libboost-url1.81-dev libboost-json1.81-dev libc-ares-dev
  prometheus-cpp-dev zlib1g-dev libcurl4-openssl-dev libyaml-cpp-dev
  libcli11-dev libspdlog-dev libgtest-dev libgmock-dev libbenchmark-dev)
packages_check=(clang-format-14 clang-tidy-19 python3 python3-pytest)
packages_test=(etcd-server etcd-client dnsmasq-base haproxy nginx
  curl dnsutils procps iproute2 iptables libfaketime strace systemd util-linux
  python3 python3-pytest python3-pytest-xdist)
packages_fuzz=(clang-19 libclang-rt-19-dev)
packages_bench=(haproxy nginx wrk)
policy=/usr/sbin/policy-rc.d

missing_packages() {
  local installed name
  installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null) || true
  for name in "$@"; do
    grep -qxF "$name installed" <<<"$installed" || printf '%s\n' "$name"
  done
}

# A freshly installed haproxy, nginx or etcd must not start: maintainer scripts ask this file.
hold_services() {
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\n# Put here by ./dev of pilotfish for one installation.\nexit 101\n' |
      "${sudo[@]}" tee "$policy" >/dev/null
    "${sudo[@]}" chmod 755 "$policy"
  fi
  on_exit+=(release_services)
}

release_services() {
  if [[ -e $policy ]] && grep -q 'by ./dev of pilotfish' "$policy"; then
    "${sudo[@]}" rm -f "$policy"
  fi
}

# Nor may they start with the machine; only for those that were not there before.
disable_services() {
  [[ -d /run/systemd/system ]] || return 0
  local name unit
  for name in "$@"; do
    case $name in
      etcd-server) unit=etcd ;;
      haproxy | nginx) unit=$name ;;
      *) continue ;;
    esac
    "${sudo[@]}" systemctl disable --now "$unit" >/dev/null 2>&1 || true
  done
}

apt_install() {
  local apt=("${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300)
  # An installation interrupted before leaves packages half configured.
  "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive dpkg --configure -a &&
    "${apt[@]}" update &&
    "${apt[@]}" install -y --no-install-recommends "$@" &&
    disable_services "$@"
}

# need_packages NAME...: installs what is missing; silent and quick where nothing is.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "this is no Debian: going on with the tools that are on PATH"
    return 0
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  sudo=()
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null || ! sudo -v; then
      die "packages are missing and this is not root; run as root:
  apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" 69
    fi
    sudo=(sudo)
  fi
  say "  installing ${#missing[@]} Debian packages: ${missing[*]}"
  hold_services
  step "packages" "$logs/packages.log" apt_install "${missing[@]}" ||
    die "apt-get could not install them (see above)" 69
  release_services
}
