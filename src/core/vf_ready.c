// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/vf_ready.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>

#include "base/cleanup.h"
#include "core/bdf.h"

/* VF_MIGRATION_MODE of the NV configuration */
#define NV_MIGRATION_DISABLED 1

void vf_unfit_release(struct vf_unfit *unfit)
{
	free(unfit->reason);
	free(unfit->remedy);
	*unfit = (struct vf_unfit){ 0 };
}

/* Takes reason and remedy over. */
static int unfit(struct vf_unfit *ret, const char *id, char *reason, char *remedy)
{
	*ret = (struct vf_unfit){ .id = id, .reason = reason, .remedy = remedy };
	if (reason && remedy)
		return 0;
	vf_unfit_release(ret);
	return -ENOMEM;
}

/*
 * mlx5_vfio_pci looks at "migratable" only when it is bound, and says nothing if it finds it
 * off (Linux, drivers/vfio/pci/mlx5/cmd.c, mlx5vf_cmd_set_migratable).
 */
uint32_t vf_bind_state(const struct mlx5lm_vf *vf)
{
	if (!vf->driver)
		return MLX5LM_BIND_STATE_UNBOUND;
	if (!streq(vf->driver, VARIANT_DRIVER))
		return MLX5LM_BIND_STATE_WRONG_DRIVER;
	if (vf->migratable == MLX5LM_PORT_ATTR_STATE_ENABLED &&
	    vf->vfio_migration == MLX5LM_ANSWER_NO)
		return MLX5LM_BIND_STATE_NEEDS_REBIND;
	return MLX5LM_BIND_STATE_GOOD;
}

static enum vf_objection object_to_attribute(const struct mlx5lm_pf *pf,
					     const struct mlx5lm_vf *vf)
{
	switch (vf->migratable) {
	case MLX5LM_PORT_ATTR_STATE_ENABLED:
		return VF_NO_OBJECTION;
	case MLX5LM_PORT_ATTR_STATE_DISABLED:
		return VF_MIGRATABLE_DISABLED;
	case MLX5LM_PORT_ATTR_STATE_UNSUPPORTED:
		return VF_MIGRATABLE_UNSUPPORTED;
	default:
		return pf->eswitch_mode == MLX5LM_ESWITCH_LEGACY ? VF_ESWITCH_LEGACY :
								   VF_MIGRATABLE_UNKNOWN;
	}
}

static enum vf_objection object_to_bind(const struct mlx5lm_vf *vf)
{
	switch (vf_bind_state(vf)) {
	case MLX5LM_BIND_STATE_UNBOUND:
		return VF_UNBOUND;
	case MLX5LM_BIND_STATE_WRONG_DRIVER:
		return VF_WRONG_DRIVER;
	case MLX5LM_BIND_STATE_NEEDS_REBIND:
		return VF_NEEDS_REBIND;
	default:
		/* The attribute may not be readable, but the device itself has said no. */
		return vf->vfio_migration == MLX5LM_ANSWER_NO ? VF_NO_MIGRATION : VF_NO_OBJECTION;
	}
}

static enum vf_objection object_to_iommu(const struct mlx5lm_vf *vf)
{
	if (!vf->iommu_group.known)
		return VF_NO_IOMMU_GROUP;
	return vf->iommu_group_viable == MLX5LM_ANSWER_NO ? VF_GROUP_NOT_VIABLE : VF_NO_OBJECTION;
}

static enum vf_objection object_to_user(const struct mlx5lm_vf *vf)
{
	if (vf->in_use_by)
		return VF_USED_BY_DOMAIN;
	return vf->in_use_pid.known ? VF_USED_BY_PROCESS : VF_NO_OBJECTION;
}

bool vf_is_used(const struct mlx5lm_vf *vf)
{
	return object_to_user(vf) != VF_NO_OBJECTION;
}

enum vf_objection vf_find_objection(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf,
				    enum vf_role role)
{
	enum vf_objection objection = object_to_attribute(pf, vf);

	if (!objection)
		objection = object_to_bind(vf);
	if (!objection)
		objection = object_to_iommu(vf);
	if (!objection && role == VF_DESTINATION)
		objection = object_to_user(vf);
	return objection;
}

/* A snapshot is a document from anywhere: not every text belongs into a command. */
static bool is_driver_name(const char *text)
{
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr("_-.", *text))
			return false;
	}
	return true;
}

/* Frees the VF: a write to unbind blocks for as long as somebody has it open. */
static void add_unbind(struct strbuf *command, const struct mlx5lm_vf *vf)
{
	if (!vf->driver)
		return;
	if (vf->in_use_by)
		strbuf_printf(command, "detach it from domain %s; ", vf->in_use_by);
	else if (vf->in_use_pid.known)
		strbuf_printf(command, "end process %" PRIu64 "; ", vf->in_use_pid.value);
	if (is_driver_name(vf->driver))
		strbuf_printf(command, "echo %s > /sys/bus/pci/drivers/%s/unbind; ", vf->bdf,
			      vf->driver);
	else
		strbuf_printf(command, "echo %s > /sys/bus/pci/devices/%s/driver/unbind; ",
			      vf->bdf, vf->bdf);
}

static void add_bind(struct strbuf *command, const struct mlx5lm_vf *vf)
{
	if (!streq(vf->driver, VARIANT_DRIVER))
		strbuf_printf(command, "echo " VARIANT_DRIVER
			      " > /sys/bus/pci/devices/%s/driver_override; ", vf->bdf);
	strbuf_printf(command, "echo %s > /sys/bus/pci/drivers/" VARIANT_DRIVER "/bind", vf->bdf);
}

static char *take_text(struct strbuf *buf)
{
	char *text = NULL;

	return strbuf_take(buf, &text) < 0 ? NULL : text;
}

/* The whole way, because the attribute counts only when the driver is bound after it. */
static char *enable_command(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf)
{
	struct strbuf command = { 0 };

	add_unbind(&command, vf);
	if (vf->port_index.known)
		strbuf_printf(&command, "devlink port function set pci/%s/%" PRIu64
			      " migratable enable; ", pf->bdf, vf->port_index.value);
	else
		strbuf_printf(&command, "devlink port function set <port of %s> migratable "
			      "enable; ", vf->bdf);
	add_bind(&command, vf);
	return take_text(&command);
}

static char *bind_command(const struct mlx5lm_vf *vf)
{
	struct strbuf command = { 0 };

	add_unbind(&command, vf);
	add_bind(&command, vf);
	return take_text(&command);
}

int vf_check_migratable(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf,
			struct vf_unfit *ret)
{
	int r;

	switch (object_to_attribute(pf, vf)) {
	case VF_NO_OBJECTION:
		return 0;
	case VF_MIGRATABLE_DISABLED:
		return unfit(ret, "vf.unfit", str_printf("migratable is disabled"),
			     enable_command(pf, vf));
	case VF_MIGRATABLE_UNSUPPORTED:
		return unfit(ret, "vf.unfit",
			     str_printf("kernel or firmware offers no migratable attribute"),
			     str_printf("mstconfig -d %s set VF_MIGRATION_MODE=2, then reboot",
					pf->bdf));
	case VF_ESWITCH_LEGACY:
		return unfit(ret, "vf.unfit",
			     str_printf("the eswitch of %s is in legacy mode, which has no port "
					"function", pf->bdf),
			     str_printf("devlink dev eswitch set pci/%s mode switchdev", pf->bdf));
	default:
		r = unfit(ret, "vf.unfit", str_printf("migratable is not known"),
			  str_printf("look with: devlink port show; only a PF bound to mlx5_core "
				     "in switchdev mode has ports for its VFs"));
		ret->unknown = true;
		return r;
	}
}

int vf_check_bind(const struct mlx5lm_vf *vf, struct vf_unfit *ret)
{
	switch (object_to_bind(vf)) {
	case VF_UNBOUND:
		return unfit(ret, "vf.bad_bind", str_printf("it is not bound to " VARIANT_DRIVER),
			     bind_command(vf));
	case VF_WRONG_DRIVER:
		return unfit(ret, "vf.bad_bind",
			     str_printf("it is bound to %s instead of " VARIANT_DRIVER,
					vf->driver),
			     bind_command(vf));
	case VF_NEEDS_REBIND:
		return unfit(ret, "vf.bad_bind",
			     str_printf("it needs a rebind: its VFIO device offers no migration, "
					"as if it was bound before migratable was enabled"),
			     bind_command(vf));
	case VF_NO_MIGRATION:
		return unfit(ret, "vf.migration",
			     str_printf("its VFIO device offers no migration"),
			     str_printf("enable migratable of the VF, and bind it again"));
	default:
		return 0;
	}
}

int vf_check_iommu(const struct mlx5lm_vf *vf, struct vf_unfit *ret)
{
	switch (object_to_iommu(vf)) {
	case VF_NO_IOMMU_GROUP:
		return unfit(ret, "vf.iommu_group", str_printf("it has no IOMMU group"),
			     str_printf("boot with intel_iommu=on, or enable the IOMMU in the "
					"firmware setup"));
	case VF_GROUP_NOT_VIABLE:
		return unfit(ret, "vf.iommu_group",
			     str_printf("a host driver holds another function of its IOMMU group "
					"%" PRIu64, vf->iommu_group.value),
			     str_printf("unbind the others: ls -d /sys/kernel/iommu_groups/%" PRIu64
					"/devices/*/driver", vf->iommu_group.value));
	default:
		return 0;
	}
}

static int check_free(const struct mlx5lm_vf *vf, struct vf_unfit *ret)
{
	char *reason;
	int r;

	switch (object_to_user(vf)) {
	case VF_USED_BY_DOMAIN:
		reason = str_printf("domain %s uses it", vf->in_use_by);
		break;
	case VF_USED_BY_PROCESS:
		reason = str_printf("process %" PRIu64 " (%s) uses it", vf->in_use_pid.value,
				    vf->in_use_comm ? vf->in_use_comm : "?");
		break;
	default:
		return 0;
	}
	r = unfit(ret, "vf.in_use", reason, str_printf("choose another VF"));
	ret->busy = true;
	return r;
}

int vf_check_role(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf, enum vf_role role,
		  struct vf_unfit *ret)
{
	int r;

	*ret = (struct vf_unfit){ 0 };
	r = vf_check_migratable(pf, vf, ret);
	if (r == 0 && !ret->reason)
		r = vf_check_bind(vf, ret);
	if (r == 0 && !ret->reason)
		r = vf_check_iommu(vf, ret);
	if (r == 0 && !ret->reason && role == VF_DESTINATION)
		r = check_free(vf, ret);
	return r;
}

static bool has_users(const struct mlx5lm_pf *pf)
{
	for (size_t i = 0; i < pf->num_vfs; i++) {
		if (vf_is_used(&pf->vfs[i]))
			return true;
	}
	return false;
}

/* Could its eswitch get the mode in which VFs have a port that can be made migratable? */
static bool may_change_mode(const struct mlx5lm_pf *pf)
{
	const struct mlx5lm_nv *mode = pf_find_nv(pf, "VF_MIGRATION_MODE");

	if (pf->eswitch_manager == MLX5LM_ANSWER_NO || has_users(pf))
		return false;
	return !mode || !mode->current.known || mode->current.value != NV_MIGRATION_DISABLED;
}

bool vf_is_makeable(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf)
{
	if (!vf->index.known || !streq(pf->driver, "mlx5_core") || vf_is_used(vf) ||
	    object_to_iommu(vf))
		return false;
	switch (object_to_attribute(pf, vf)) {
	case VF_NO_OBJECTION:
	case VF_MIGRATABLE_DISABLED:
		return pf->eswitch_mode == MLX5LM_ESWITCH_SWITCHDEV;
	case VF_ESWITCH_LEGACY:
		return may_change_mode(pf);
	default:
		return false;
	}
}

char *vf_make_command(const struct mlx5lm_pf *pf, const struct mlx5lm_vf *vf)
{
	uint64_t index = vf->index.value;

	return str_printf("mlx5lm-configure --pf %s %s--vf %" PRIu64 ":migratable=enable --vf %"
			  PRIu64 ":driver=" VARIANT_DRIVER " --apply", pf->bdf,
			  pf->eswitch_mode == MLX5LM_ESWITCH_LEGACY ? "--mode switchdev " : "",
			  index, index);
}

static const struct mlx5lm_vf *find_vf(const struct mlx5lm_host *host, const char *bdf,
				       bool (*same)(const char *, const char *),
				       const struct mlx5lm_pf **ret_pf)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		const struct mlx5lm_pf *pf = &host->pfs[i];

		for (size_t j = 0; j < pf->num_vfs; j++) {
			if (!same(pf->vfs[j].bdf, bdf))
				continue;
			if (ret_pf)
				*ret_pf = pf;
			return &pf->vfs[j];
		}
	}
	return NULL;
}

const struct mlx5lm_vf *host_find_vf(const struct mlx5lm_host *host, const char *bdf,
				     const struct mlx5lm_pf **ret_pf)
{
	/* As a rule both are written alike. */
	const struct mlx5lm_vf *vf = find_vf(host, bdf, streq, ret_pf);

	return vf ? vf : find_vf(host, bdf, bdf_equal, ret_pf);
}
