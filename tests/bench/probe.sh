#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
set -euo pipefail

usage="usage: probe.sh [--libvirt URI]

What a person without the library types to learn the same: JSON of this host's kernel, modules, PFs and VFs, and of
libvirt if its URI is given. tests/lab/suite/bench_probe.py holds its time against the library's."

devices=/sys/bus/pci/devices

# link_name PATH: the last part of what a link leads to, empty without one
link_name()
{
	[ ! -e "$1" ] || basename "$(readlink "$1")"
}

module()
{
	local name=$1 state=missing file="" version=""
	file=$(modinfo -F filename "$name" 2> /dev/null) && state=loadable
	version=$(modinfo -F srcversion "$name" 2> /dev/null) || true
	[ ! -d "/sys/module/$name" ] || state=loaded
	jq -n --arg name "$name" --arg state "$state" --arg file "$file" --arg srcversion "$version" '$ARGS.named'
}

host()
{
	jq -n --arg hostname "$(hostname)" --arg kernel "$(uname -r)" --arg architecture "$(uname -m)" \
		--arg boot_id "$(cat /proc/sys/kernel/random/boot_id)" --arg cmdline "$(cat /proc/cmdline)" \
		--arg tainted "$(cat /proc/sys/kernel/tainted)" \
		--arg lockdown "$(cat /sys/kernel/security/lockdown 2> /dev/null)" \
		--arg config "$(grep -E 'VFIO|IOMMUFD|MLX5' "/boot/config-$(uname -r)" 2> /dev/null)" \
		--arg iommus "$(ls /sys/class/iommu)" --arg memlock "$(ulimit -l)" \
		--arg memory "$(grep -E 'MemTotal|Huge' /proc/meminfo)" '$ARGS.named'
}

# vf INDEX VF_ADDRESS PORTS LSPCI: the files of a VF in one go, so that few programs are started
vf()
{
	local device=$devices/$2 attributes links features port msix
	mapfile -t attributes < <(cat "$device/"{vendor,device,modalias,driver_override})
	mapfile -t links < <(readlink "$device/"{driver,iommu_group})
	features=$(cat "/sys/kernel/debug/vfio/$2/migration/features" 2> /dev/null) || true
	port=$(grep -F "\"vfnum\":$1," <<< "$3") || port='{}'
	msix=$(sed -n "/^$2 /,/^\$/s/.*MSI-X: Enable. Count=\([0-9]*\).*/\1/p" <<< "$4")
	printf '{"bdf":"%s","index":%d,"vendor":"%s","device":"%s","modalias":"%s","driver_override":"%s",' \
		"$2" "$1" "${attributes[@]}"
	printf '"driver":"%s","iommu_group":"%s","features":"%s","msix":"%s","port":%s}\n' \
		"${links[0]##*/}" "${links[1]##*/}" "${features//$'\n'/ }" "$msix" "$port"
}

vfs()
{
	local pf=$1 index=0 ports lspci
	ports=$(devlink -j port show | jq -c '.port[] | select(.flavour == "pcivf")')
	lspci=$(lspci -D -vv -d 15b3:)
	while [ -e "$devices/$pf/virtfn$index" ]; do
		vf "$index" "$(link_name "$devices/$pf/virtfn$index")" "$ports" "$lspci"
		index=$((index + 1))
	done | jq -s .
}

pf()
{
	local pf=$1 file facts="{}"
	for file in vendor device class numa_node subsystem_vendor subsystem_device revision current_link_speed \
		current_link_width sriov_totalvfs sriov_numvfs sriov_offset sriov_stride sriov_vf_device \
		sriov_drivers_autoprobe; do
		facts=$(jq --arg name "$file" --arg value "$(cat "$devices/$pf/$file")" '.[$name] = $value' <<< "$facts")
	done
	jq -n --arg bdf "$pf" --argjson facts "$facts" --arg driver "$(link_name "$devices/$pf/driver")" \
		--arg netdev "$(ls "$devices/$pf/net" 2> /dev/null)" \
		--argjson info "$(devlink -j dev info "pci/$pf")" \
		--argjson eswitch "$(devlink -j dev eswitch show "pci/$pf")" \
		--argjson params "$(devlink -j dev param show "pci/$pf")" --argjson vfs "$(vfs "$pf")" '$ARGS.named'
}

pfs()
{
	local total
	for total in "$devices"/*/sriov_totalvfs; do
		if [ "$(cat "$(dirname "$total")/vendor")" = 0x15b3 ]; then
			pf "$(basename "$(dirname "$total")")"
		fi
	done | jq -s .
}

libvirt()
{
	jq -n --arg version "$(virsh -c "$1" version --daemon)" --arg capabilities "$(virsh -c "$1" capabilities)" \
		--arg domains "$(for name in $(virsh -c "$1" list --name); do virsh -c "$1" dumpxml "$name"; done)" \
		'$ARGS.named'
}

main()
{
	local libvirt='{}' name
	case ${1:-} in
	"") ;;
	--libvirt) libvirt=$(libvirt "$2") ;;
	*) echo "$usage" >&2; exit 3 ;;
	esac
	jq -n --argjson host "$(host)" --argjson libvirt "$libvirt" --argjson pfs "$(pfs)" \
		--argjson modules "$(for name in mlx5_core mlx5_vfio_pci vfio_pci vfio vfio_iommu_type1 iommufd mlx5_fwctl
			do module "$name"; done | jq -s .)" '$ARGS.named'
}

main "$@"
