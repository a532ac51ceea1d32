# Installs Debian packages, for `./dev` and `servers`, which bring `say` and `fail`.
# shellcheck shell=bash

# Run as root. Packages that bring a service do not start it, neither now nor with the machine: nobody asked for a server on its usual
# port. A policy that is there already (in containers, for example) is left as it is.
# shellcheck disable=SC2016 # Expanded by the shell that runs it.
readonly APT_WITHOUT_SERVICES='
    set -e
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        trap "rm -f $policy" EXIT
        printf "#!/bin/sh\nexit 101\n" >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "$@"
    if command -v systemctl >/dev/null; then
        for package; do systemctl disable --quiet "$package.service" 2>/dev/null || true; done
    fi'

# The first argument says how much that is.
install_debian() {
    local size=$1 as_root=()
    shift
    local by_hand="apt-get update && apt-get install -y --no-install-recommends $*"
    command -v apt-get >/dev/null || fail "Install it with this system's package manager (in Debian: $*), then repeat."
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "Run as root, then repeat: $by_hand"
        as_root=(sudo)
        # Without a terminal nobody can type a password.
        [[ -t 0 ]] || as_root=(sudo -n)
    fi
    say "Installing the Debian packages $* ($size)${as_root[*]:+ with sudo}."
    "${as_root[@]}" bash -c "$APT_WITHOUT_SERVICES" apt "$@" || fail "That did not work. Run as root, then repeat: $by_hand"
}
