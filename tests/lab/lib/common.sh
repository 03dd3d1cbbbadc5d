# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034,SC2154
# Sourced by the commands of the lab.

lab_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
project_dir=$(cd "$lab_dir/../.." && pwd)
cache_dir=${MLX5LM_CACHE:-$project_dir/.cache}/lab
hosts=(hosta hostb)

die()
{
	echo "lab: $*" >&2
	exit 1
}

# need_tools TOOL=PACKAGE...: all that is missing is named at once
need_tools()
{
	local pair tools=() packages=()
	for pair; do
		PATH=$PATH:/usr/sbin:/sbin command -v "${pair%%=*}" >/dev/null && continue
		tools+=("${pair%%=*}")
		packages+=("${pair#*=}")
	done
	[ ${#tools[@]} = 0 ] ||
		die "missing: ${tools[*]}. Install them with: apt-get install --no-install-recommends ${packages[*]}"
}

need_root()
{
	[ "$(id -u)" = 0 ] || die "this needs root: $*"
}

now_ms()
{
	local t=$EPOCHREALTIME
	echo $((${t%[.,]*} * 1000 + 10#${t#*[.,]} / 1000))
}

# wait_until SECONDS CMD...: runs CMD until it succeeds; fails when the time is over
wait_until()
{
	local deadline_ms=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(now_ms)" -lt "$deadline_ms" ] || return 1
		sleep 0.1
	done
}

is_host()
{
	[[ " ${hosts[*]} " = *" $1 "* ]]
}

usage_error()
{
	echo "$usage" >&2
	exit 3
}

# a lab is one directory; names keep several apart
use_lab()
{
	lab_name=$1
	[[ $lab_name =~ ^[a-z0-9][a-z0-9-]*$ ]] || die "bad lab name '$lab_name': use a-z, 0-9 and -"
	run_dir=$cache_dir/run/$lab_name
}

# qemu_pid HOST: prints the pid if that host's QEMU is alive; a recycled pid is not taken for it
qemu_pid()
{
	local pid command_line=()
	pid=$(cat "$run_dir/$1/qemu.pid" 2>/dev/null) || return 1
	mapfile -d '' -t command_line 2>/dev/null < "/proc/$pid/cmdline" || return 1
	[[ " ${command_line[*]:0:12} " = *" -name mlx5lm-lab-$lab_name-$1 "* ]] || return 1
	echo "$pid"
}

# host_command WORDS ARG...: for commands called as [--name LAB] HOST ARG..., of at least WORDS words with HOST;
# sets host and arguments
host_command()
{
	local words=$1 name=default
	shift
	while [[ ${1:-} = -* ]]; do
		case $1 in
		--name) [ $# -ge 2 ] || usage_error; name=$2; shift 2 ;;
		--help) echo "$usage"; exit 0 ;;
		*) usage_error ;;
		esac
	done
	if [ $# -lt "$words" ] || ! is_host "$1"; then
		usage_error
	fi
	use_lab "$name"
	host=$1
	arguments=("${@:2}")
}

# in_host HOST CMD...: as tests/lab/run, in the lab that this command was given
in_host()
{
	"$lab_dir/run" --name "$lab_name" "$@"
}

# stop_collector NAME: the one of the guest NAME, if it still runs
stop_collector()
{
	local pid_file=$run_dir/collect-$1.pid pid
	pid=$(cat "$pid_file" 2>/dev/null) || return 0
	if tr '\0' ' ' 2>/dev/null < "/proc/$pid/cmdline" | grep -F collector.py > /dev/null; then
		kill "$pid" 2>/dev/null || true
	fi
	rm -f "$pid_file"
}

need_running()
{
	qemu_pid "$1" >/dev/null || die "$1 of lab '$lab_name' is not running; start it with tests/lab/up"
}

# on_host HOST CMD...: CMD is one shell command line on HOST; paths stay relative as unix socket names are short
on_host()
{
	local host=$1
	shift
	(cd "$run_dir/$host" && exec ssh -F ssh_config "$host" "$@")
}
