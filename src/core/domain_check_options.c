// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_check_rules.h"

static void check_launch_security(struct domain_checker *checker)
{
	struct mlx5lm_finding *finding;

	if (!checker->parsed->launch_security)
		return;
	finding = domain_point(checker, "domain.launch_security", MLX5LM_STATUS_FAIL, SIDE_SOURCE,
			       "QEMU does not migrate a guest whose memory is encrypted");
	FOUND("<launchSecurity type='%s'>", checker->parsed->launch_security);
	REQUIRED("no launch security");
	REMEDY("virsh edit %s: remove <launchSecurity>, and start the guest anew", checker->name);
}

static void check_qemu_options(struct domain_checker *checker)
{
	const struct domain_xml *parsed = checker->parsed;
	struct mlx5lm_finding *finding;

	if (parsed->qemu_disables_migration) {
		finding = domain_point(checker, "domain.migration_off", MLX5LM_STATUS_FAIL,
				       SIDE_SOURCE, "the migration of VFIO devices is switched off");
		FOUND("enable-migration=off");
		REQUIRED("enable-migration=auto, which is QEMU's default");
		REMEDY("virsh edit %s: remove it from <qemu:commandline> or <qemu:override>, and "
		       "start the guest anew", checker->name);
	}
	if (!parsed->has_qemu_options)
		return;
	finding = domain_point(checker, "domain.qemu_options",
			       parsed->qemu_adds_vfio ? MLX5LM_STATUS_FAIL : MLX5LM_STATUS_WARN,
			       SIDE_SOURCE,
			       parsed->qemu_adds_vfio ?
				       "a VFIO device that libvirt does not know of gets no other "
				       "address at the destination" :
				       "libvirt hands these options on without looking at them: they "
				       "may be wrong at the destination");
	FOUND("<qemu:commandline> or <qemu:override>%s",
	      parsed->qemu_adds_vfio ? " with vfio-pci" : "");
	REQUIRED("what libvirt has elements for");
	if (parsed->qemu_adds_vfio)
		REMEDY("virsh edit %s: <hostdev> instead, and start the guest anew", checker->name);
	else
		REMEDY("look through them: virsh dumpxml --xpath '//*[local-name()=\"commandline\"]' "
		       "%s", checker->name);
}

void domain_check_options(struct domain_checker *checker)
{
	check_launch_security(checker);
	check_qemu_options(checker);
}
