// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a plan is refused for, each with its own code and the item's name. */
#include <errno.h>
#include <strings.h>

#include "core/check_rules.h"
#include "core/nv.h"
#include "core/plan_internal.h"

static int contradiction(const struct planner *planner, const char *first, const char *second,
			 const char *remedy)
{
	error_set(planner->reterr, MLX5LM_ERROR_CONTRADICTION, EINVAL, MLX5LM_SOURCE_LIBRARY,
		  "PF %s: %s is wanted, and %s", planner->pf->bdf, first, second);
	error_add_remedy(planner->reterr, "%s", remedy);
	return -EINVAL;
}

static bool wants_anything(const struct vf_config *vf)
{
	for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++) {
		if (vf->attr[attr])
			return true;
	}
	return vf->hw_addr || vf->max_io_eqs.known || vf->msix_count.known ||
	       vf->representor_state || vf->driver;
}

/* An entry for all VFs counts only if there are any. */
static bool counts(const struct planner *planner, const struct vf_config *vf)
{
	return vf->vf_index != MLX5LM_VF_ALL || planner->num_vfs;
}

bool plan_wants_attr(const struct planner *planner, enum mlx5lm_port_attr attr, uint32_t state)
{
	for (size_t i = 0; i < planner->config->num_vf_configs; i++) {
		if (planner->config->vfs[i].attr[attr] == state &&
		    counts(planner, &planner->config->vfs[i]))
			return true;
	}
	return false;
}

/* That a VF is not migratable needs no port: outside switchdev mode none is. */
bool plan_wants_ports(const struct planner *planner)
{
	for (size_t i = 0; i < planner->config->num_vf_configs; i++) {
		const struct vf_config *vf = &planner->config->vfs[i];

		if (!counts(planner, vf))
			continue;
		if (vf->hw_addr || vf->max_io_eqs.known || vf->representor_state)
			return true;
		for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++) {
			if (vf->attr[attr] && !(attr == MLX5LM_PORT_ATTR_MIGRATABLE &&
						vf->attr[attr] == MLX5LM_PORT_ATTR_STATE_DISABLED))
				return true;
		}
	}
	return false;
}

static bool is_nv(const struct planner *planner, unsigned int index, uint64_t value)
{
	const struct fact_u64 *wanted = &planner->config->nv[index];

	return wanted->known && wanted->value == value;
}

static int check_nv_wishes(const struct planner *planner)
{
	const struct mlx5lm_config *config = planner->config;
	_cleanup_free_ char *number = str_printf("num_vfs %" PRIu64, config->num_vfs.value);
	const struct fact_u64 *total = &config->nv[PLAN_NUM_OF_VFS];

	if (!number)
		return error_no_memory(planner->reterr);
	if (config->num_vfs.known && config->num_vfs.value && is_nv(planner, PLAN_SRIOV_EN, 0))
		return contradiction(planner, number, "SRIOV_EN=0", "want SRIOV_EN=1, or no VFs");
	if (config->num_vfs.known && total->known && total->value < config->num_vfs.value)
		return contradiction(planner, number, "a smaller NUM_OF_VFS",
				     "want NUM_OF_VFS to be num_vfs or more");
	if (is_nv(planner, PLAN_VF_MIGRATION_MODE, VF_MIGRATION_DISABLED)) {
		for (size_t i = 0; i < config->num_vf_configs; i++) {
			if (config->vfs[i].attr[MLX5LM_PORT_ATTR_MIGRATABLE] ==
			    MLX5LM_PORT_ATTR_STATE_ENABLED)
				return contradiction(planner, "VF_MIGRATION_MODE=1 (disabled)",
						     "migratable of a VF", "want "
						     "VF_MIGRATION_MODE=2 for migratable VFs");
		}
	}
	return 0;
}

int plan_check_wishes(const struct planner *planner)
{
	const struct mlx5lm_config *config = planner->config;

	if (config->is_undo)
		return 0;
	for (size_t i = 0; i < config->num_vf_configs; i++) {
		if (config->num_vfs.known && !config->num_vfs.value &&
		    wants_anything(&config->vfs[i]))
			return contradiction(planner, "num_vfs 0", "something of its VFs",
					     "leave out what is wanted of VFs, or want some VFs");
	}
	return check_nv_wishes(planner);
}

int plan_refuse_legacy(const struct planner *planner)
{
	if (planner->config->eswitch_mode)
		return contradiction(planner, "eswitch mode legacy", "a setting of VF ports, which "
				     "are there in switchdev mode only",
				     "want switchdev, or nothing of VF ports");
	error_set(planner->reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP, MLX5LM_SOURCE_LIBRARY,
		  "PF %s: VFs have port functions only in switchdev mode", planner->pf->bdf);
	error_add_remedy(planner->reterr,
			 "ask for switchdev too: mlx5lm_config_set_eswitch_mode()");
	return -EOPNOTSUPP;
}

int plan_check_vf_indices(const struct planner *planner)
{
	for (size_t i = 0; i < planner->config->num_vf_configs; i++) {
		uint32_t index = planner->config->vfs[i].vf_index;

		if (index == MLX5LM_VF_ALL || index < planner->num_vfs || planner->config->is_undo)
			continue;
		error_set(planner->reterr, MLX5LM_ERROR_VF_INDEX, ERANGE, MLX5LM_SOURCE_LIBRARY,
			  "VF %u is configured, but PF %s would have %" PRIu64 " VFs", index,
			  planner->pf->bdf, planner->num_vfs);
		error_add_remedy(planner->reterr, "VFs count from 0; want num_vfs %" PRIu64
				 ", or leave VF %u out", (uint64_t)index + 1, index);
		return -ERANGE;
	}
	return 0;
}

/* An address that a VF is going to have. */
struct taken {
	const char *hw_addr;
	const struct vf_plan *vf;
	bool wanted; /* and not only kept */
};

static int compare_taken(const void *a, const void *b)
{
	const struct taken *x = a, *y = b;
	int order = strcasecmp(x->hw_addr, y->hw_addr);

	return order ? order : (x->vf->index > y->vf->index) - (x->vf->index < y->vf->index);
}

static size_t list_taken(const struct planner *planner, struct taken *list)
{
	size_t length = 0;

	for (size_t i = 0; i < planner->num_vf_plans; i++) {
		const struct vf_plan *vf = &planner->vfs[i];
		const char *wanted = config_hw_addr(planner->config, vf->index);
		const char *hw_addr = wanted || !vf->now ? wanted : vf->now->hw_addr;

		if (hw_addr && strspn(hw_addr, "0:") != strlen(hw_addr))
			list[length++] = (struct taken){ hw_addr, vf, wanted };
	}
	qsort(list, length, sizeof(*list), compare_taken);
	return length;
}

int plan_check_hw_addrs(const struct planner *planner)
{
	_cleanup_free_ struct taken *list = NULL;
	size_t length;

	if (planner->config->is_undo)
		return 0;
	list = calloc(planner->num_vf_plans + 1, sizeof(*list));
	if (!list)
		return error_no_memory(planner->reterr);
	length = list_taken(planner, list);
	for (size_t i = 1; i < length; i++) {
		/* Two that have the same already are not this plan's doing. */
		if (compare_taken(&list[i - 1], &list[i]) == 0 ||
		    strcasecmp(list[i - 1].hw_addr, list[i].hw_addr) != 0 ||
		    !(list[i - 1].wanted || list[i].wanted))
			continue;
		error_set(planner->reterr, MLX5LM_ERROR_HW_ADDR_TAKEN, EEXIST,
			  MLX5LM_SOURCE_LIBRARY, "VF %u and VF %u of PF %s would both have the "
			  "hardware address %s", list[i - 1].vf->index, list[i].vf->index,
			  planner->pf->bdf, list[i].hw_addr);
		error_add_remedy(planner->reterr, "give VF %u another address", list[i].vf->index);
		return -EEXIST;
	}
	return 0;
}

int plan_check_msix(const struct planner *planner)
{
	const struct fact_u64 *total = &planner->pf->sriov_vf_total_msix;
	uint64_t wanted = 0;

	if (planner->config->is_undo || !total->known)
		return 0;
	for (size_t i = 0; i < planner->num_vf_plans; i++)
		wanted += config_msix_count(planner->config, planner->vfs[i].index).value;
	if (wanted <= total->value)
		return 0;
	error_set(planner->reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP, MLX5LM_SOURCE_SYSFS,
		  "PF %s has %" PRIu64 " MSI-X vectors for its VFs, %" PRIu64 " are wanted",
		  planner->pf->bdf, total->value, wanted);
	error_add_remedy(planner->reterr, "cat /sys/bus/pci/devices/%s/sriov_vf_total_msix; want "
			 "fewer of each VF", planner->pf->bdf);
	return -EOPNOTSUPP;
}

char *vf_user(const struct mlx5lm_vf *vf)
{
	if (vf->in_use_by)
		return str_printf("domain %s", vf->in_use_by);
	return str_printf("process %" PRIu64 " (%s)", vf->in_use_pid.value,
			  vf->in_use_comm ? vf->in_use_comm : "?");
}

int plan_refuse_used(const struct planner *planner, const struct mlx5lm_vf *vf, const char *what)
{
	_cleanup_free_ char *user = vf_user(vf);

	if (!user)
		return error_no_memory(planner->reterr);
	error_set(planner->reterr, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_LIBRARY,
		  "VF %s is used by %s: %s would %s", vf->bdf ? vf->bdf : "?", user, what,
		  planner->mode_changes && !planner->recreate ? "disturb it" : "take it away");
	if (vf->in_use_by)
		error_add_remedy(planner->reterr, "migrate or shut down %s first", user);
	else
		error_add_remedy(planner->reterr, "end %s first, or migrate its guest", user);
	return -EBUSY;
}

int plan_check_unused(const struct planner *planner, const char *what)
{
	for (size_t i = 0; i < planner->pf->num_vfs; i++) {
		if (vf_is_used(&planner->pf->vfs[i]))
			return plan_refuse_used(planner, &planner->pf->vfs[i], what);
	}
	return 0;
}

int plan_check_siblings_empty(const struct planner *planner)
{
	struct bdf own, other;

	if (bdf_parse(planner->pf->bdf, &own) < 0)
		return 0;
	for (size_t i = 0; i < planner->host->num_pfs; i++) {
		const struct mlx5lm_pf *pf = &planner->host->pfs[i];

		if (!pf->bdf || bdf_parse(pf->bdf, &other) < 0 || other.domain != own.domain ||
		    other.bus != own.bus || other.device != own.device ||
		    other.function == own.function ||
		    !(pf->sriov_num_vfs.known && pf->sriov_num_vfs.value))
			continue;
		error_set(planner->reterr, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_LIBRARY,
			  "PF %s of the same adapter has %" PRIu64 " VFs, which a restart of the "
			  "adapter would take away", pf->bdf, pf->sriov_num_vfs.value);
		error_add_remedy(planner->reterr, "remove them first: echo 0 > "
				 "/sys/bus/pci/devices/%s/sriov_numvfs", pf->bdf);
		return -EBUSY;
	}
	return 0;
}

int plan_refuse_num_vfs(const struct planner *planner)
{
	const struct mlx5lm_pf *pf = planner->pf;

	if (!pf->sriov_total_vfs.known || !pf->sriov_total_vfs.value) {
		error_set(planner->reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP,
			  MLX5LM_SOURCE_SYSFS, "PF %s offers no SR-IOV", pf->bdf);
		error_add_remedy(planner->reterr, "%s -d %s set SRIOV_EN=1 NUM_OF_VFS=%" PRIu64
				 " VF_MIGRATION_MODE=2, then reboot", nv_tool(pf), pf->bdf,
				 planner->num_vfs);
		return -EOPNOTSUPP;
	}
	error_set(planner->reterr, MLX5LM_ERROR_TOO_MANY_VFS, ERANGE, MLX5LM_SOURCE_LIBRARY,
		  "PF %s offers %" PRIu64 " VFs, %" PRIu64 " are wanted", pf->bdf,
		  pf->sriov_total_vfs.value, planner->num_vfs);
	error_add_remedy(planner->reterr, "%s -d %s set NUM_OF_VFS=%" PRIu64 ", then reboot",
			 nv_tool(pf), pf->bdf, planner->num_vfs);
	return -ERANGE;
}

int plan_refuse_msix(const struct planner *planner, const char *name)
{
	error_set(planner->reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP, MLX5LM_SOURCE_SYSFS,
		  "VF %s: the number of its MSI-X vectors cannot be set: PF %s has none to share "
		  "out (sriov_vf_total_msix)", name, planner->pf->bdf);
	error_add_remedy(planner->reterr, "leave msix_count out: kernel or firmware does not do "
			 "it");
	return -EOPNOTSUPP;
}

static int refuse_port_function(const struct planner *planner, const char *name, const char *what)
{
	return error_set(planner->reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP,
			 MLX5LM_SOURCE_DEVLINK,
			 "VF %s: kernel or firmware offers no port function attribute %s", name,
			 what);
}

int plan_refuse_max_io_eqs(const struct planner *planner, const char *name)
{
	int r = refuse_port_function(planner, name, "max_io_eqs");

	error_add_remedy(planner->reterr, "leave it out, or boot Linux 6.10 or newer");
	return r;
}

int plan_refuse_attr(const struct planner *planner, const char *name, enum mlx5lm_port_attr attr)
{
	const struct mlx5lm_pf *pf = planner->pf;
	int r = refuse_port_function(planner, name, name_of(&port_attr_names, attr));

	if (attr != MLX5LM_PORT_ATTR_MIGRATABLE)
		error_add_remedy(planner->reterr, "leave it out: neither can be made to");
	else if (plan_nv_waits(planner, PLAN_VF_MIGRATION_MODE) &&
		 plan_nv_next(planner, PLAN_VF_MIGRATION_MODE).value == VF_MIGRATION_ENABLED)
		error_add_remedy(planner->reterr,
				 "reboot: VF_MIGRATION_MODE=2 is stored and waits for it");
	else
		error_add_remedy(planner->reterr, "%s -d %s set VF_MIGRATION_MODE=2, then reboot",
				 nv_tool(pf), pf->bdf);
	return r;
}

/* What the probe noted as the reason, of the object or of its PF. */
static const char *find_note(const struct planner *planner, const char *object, const char *fact)
{
	const struct note *note = host_find_note(planner->host, object, fact);

	if (!note)
		note = host_find_note(planner->host, planner->pf->bdf, fact);
	return note ? note->text : NULL;
}

/* Whoever has all the rights is not told to become root. */
static void add_unknown_remedy(const struct planner *planner, const char *fact, bool has_rights)
{
	const char *bdf = planner->pf->bdf;

	if (streq(fact, "eswitch_mode") && has_rights)
		error_add_remedy(planner->reterr, "see what the kernel answers: devlink dev eswitch "
				 "show pci/%s; dmesg | tail; then probe again", bdf);
	else if (streq(fact, "eswitch_mode"))
		error_add_remedy(planner->reterr, "probe with CAP_NET_ADMIN, as root; then: "
				 "devlink dev eswitch show pci/%s", bdf);
	else if (has_rights)
		error_add_remedy(planner->reterr, "the kernel may say why: dmesg | tail; then probe "
				 "again");
	else
		error_add_remedy(planner->reterr, "probe again as root");
}

int plan_refuse_unknown(const struct planner *planner, const char *object, const char *fact,
			const char *what)
{
	_cleanup_free_ char *rights = NULL;
	const char *note = find_note(planner, object, fact);

	if (planner->pf->eswitch_manager == MLX5LM_ANSWER_NO && streq(fact, "eswitch_mode")) {
		error_set(planner->reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP,
			  MLX5LM_SOURCE_DEVLINK, "PF %s: this host does not manage the eswitch",
			  object);
		error_add_remedy(planner->reterr, "on a BlueField in DPU mode configure it on the "
				 "Arm side");
		return -EOPNOTSUPP;
	}
	if (plan_all_missing_rights(planner->host, &rights) < 0)
		return error_no_memory(planner->reterr);
	error_set(planner->reterr, MLX5LM_ERROR_PERMISSION, rights ? EPERM : ENODATA,
		  MLX5LM_SOURCE_LIBRARY, "%s: %s is not known%s%s", object, what,
		  rights ? ", and rights are missing" : note ? ": " : "",
		  !rights && note ? note : "");
	if (rights)
		error_add_detail(planner->reterr, "%s", rights);
	add_unknown_remedy(planner, fact, !rights && planner->host->num_privileges);
	return rights ? -EPERM : -ENODATA;
}
