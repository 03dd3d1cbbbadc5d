#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
set -euo pipefail

usage="usage: configure.sh PF N

The documented procedure for N migratable VFs, command by command, as somebody who knows the shell writes it down for
many VFs: what is asked once is not asked again, and no program is started where the shell can do it.
tests/lab/suite/bench_configure.py holds its time against the library's."

[ $# = 2 ] || { echo "$usage" >&2; exit 3; }
pf=$1
count=$2
device=/sys/bus/pci/devices/$pf
drivers=/sys/bus/pci/drivers

modprobe -a mlx5_core mlx5_vfio_pci
echo "$count" > "$device/sriov_numvfs"

links=()
for ((index = 0; index < count; index++)); do
	links+=("$device/virtfn$index")
done
mapfile -t vfs < <(readlink "${links[@]}")
vfs=("${vfs[@]##*/}")

for vf in "${vfs[@]}"; do
	[ ! -e "$drivers/mlx5_core/$vf" ] || echo "$vf" > "$drivers/mlx5_core/unbind"
done
devlink dev eswitch set "pci/$pf" mode switchdev

# pci/0000:40:00.0/1: type eth netdev eth1 flavour pcivf controller 0 pfnum 0 vfnum 0 external false ...
declare -A ports
while read -r port rest; do
	if [[ $port = pci/$pf/* && $rest =~ flavour\ pcivf\ .*vfnum\ ([0-9]+) ]]; then
		ports[${BASH_REMATCH[1]}]=${port%:}
	fi
done < <(devlink port show)

for ((index = 0; index < count; index++)); do
	devlink port function set "${ports[$index]}" migratable enable
	echo mlx5_vfio_pci > "/sys/bus/pci/devices/${vfs[$index]}/driver_override"
	echo "${vfs[$index]}" > $drivers/mlx5_vfio_pci/bind
done
