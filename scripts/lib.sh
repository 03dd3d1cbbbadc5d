# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034
# Sourced by ./check and ./demo: what they need on this machine, and how they tell where they are.

# The product and its examples; a C compiler for them
build_packages=(gcc libc6-dev meson ninja-build pkg-config libvirt-dev libmnl-dev libkmod-dev libjansson-dev libxml2-dev
	zlib1g-dev git python3)
# What tests/lab makes the two simulated hosts with
lab_packages=(mmdebstrap dpkg xz-utils cpio make gcc binutils kmod e2fsprogs python3 openssh-client openssl util-linux
	qemu-system-x86 debian-archive-keyring)
# What only the tests need; libclang-rt-dev has libFuzzer and clang's sanitizers, which clang only recommends
check_packages=(libcriterion-dev clang libclang-rt-dev g++ abigail-tools binutils shellcheck valgrind util-linux
	python3-jsonschema)

die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# as_root CMD...: the whole of ./check and ./demo need not run as root
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -- "$@"
	fi
}

need_root_or_sudo()
{
	[ "$(id -u)" = 0 ] || command -v sudo > /dev/null ||
		die "$1 needs root, and there is no sudo here: run it as root"
}

missing_packages()
{
	local package
	for package; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2> /dev/null | grep -qx installed || echo "$package"
	done
}

# ensure_packages LOG PACKAGE...: installs what is missing from apt's sources, whose configuration stays as it is
ensure_packages()
{
	local log=$1 missing
	local -a install=(env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120
		--no-install-recommends install)
	shift
	if ! command -v apt-get > /dev/null || ! command -v dpkg-query > /dev/null; then
		die "this is no Debian, so nothing is installed for you. Needed are, under their Debian 12 names:" \
			$'\n'" $*"$'\n'"Once they are there, give --no-install."
	fi
	mapfile -t missing < <(missing_packages "$@" | sort -u)
	[ ${#missing[@]} -gt 0 ] || return 0
	need_root_or_sudo "installing ${missing[*]}"
	heading "Installing ${#missing[@]} packages"
	# the first try fails where the package lists are empty or old, as in a new container
	if ! as_root "${install[@]}" "${missing[@]}" > "$log" 2>&1; then
		as_root apt-get -q update >> "$log" 2>&1 || true
		as_root "${install[@]}" "${missing[@]}" >> "$log" 2>&1 ||
			{ tail -n 20 "$log" >&2; die "apt-get could not install ${missing[*]}; its whole output: $log"; }
	fi
}

# heading TEXT...: one line with the time since the start
heading()
{
	printf '\n[%3d:%02d] %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$*"
}
