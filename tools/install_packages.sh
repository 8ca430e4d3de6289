#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian or Ubuntu packages that joulemap needs and that are not
# there yet, with sudo when not root.
#
#   tools/install_packages.sh GROUP...     groups: build test check
set -euo pipefail

packages=()
for group in "$@"; do
	case $group in
	build) packages+=(gcc g++ make cmake pkg-config libjansson-dev libssl-dev zlib1g-dev) ;;
	test) packages+=(libcmocka-dev procps python3 python3-pip) ;;
	check) packages+=(clang clang-format clang-tidy cppcheck shellcheck ninja-build "libclang-rt-dev") ;;
	*)
		echo "install_packages.sh: unknown group '$group'" >&2
		exit 2
		;;
	esac
done

missing=()
for package in "${packages[@]}"; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
	[ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "install_packages.sh: no apt-get here; install what corresponds to: ${missing[*]}" >&2
	exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
	if ! command -v sudo >/dev/null; then
		echo "install_packages.sh: not root and no sudo; have installed: ${missing[*]}" >&2
		exit 1
	fi
	as_root=(sudo)
fi
echo "installing: ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update -qq &&
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	echo "install_packages.sh: apt-get failed, see above" >&2
	exit 1
fi
