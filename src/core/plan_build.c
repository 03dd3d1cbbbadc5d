// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The order of the steps is that of the kernel: port functions exist only in switchdev mode,
 * their attributes "should be configured before binding virtual function device to the driver"
 * (Documentation/networking/devlink/devlink-port.rst), and mlx5_vfio_pci looks at migratable
 * once, when it binds (drivers/vfio/pci/mlx5/cmd.c, mlx5vf_cmd_set_migratable()).
 */
#include "core/plan_build.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/array.h"
#include "base/error.h"
#include "core/bdf.h"
#include "core/vf_ready.h"

struct builder {
	const struct mlx5lm_host *host;
	const struct mlx5lm_pf *pf;
	const struct mlx5lm_config *config;
	struct mlx5lm_error **reterr;
	struct step_list *list;
	uint64_t num_vfs;      /* in the end */
	uint32_t eswitch_mode; /* in the end */
	bool recreate;	       /* all VFs go, and come back */
	bool out_of_memory;
};

static char *keep(struct builder *builder, char *string)
{
	if (!string)
		builder->out_of_memory = true;
	return string;
}

#define TEXT(...) keep(builder, str_printf(__VA_ARGS__))

/* A new step; a scratch one when out of memory, which plan_build() notices in the end. */
static struct mlx5lm_step *add(struct builder *builder, enum step_kind kind, uint64_t value,
			       const char *reason)
{
	struct step_list *list = builder->list;
	struct mlx5lm_step *step;

	if (array_reserve(&list->steps, &list->allocated, list->length + 1, sizeof(*step))) {
		builder->out_of_memory = true;
		return NULL;
	}
	step = &list->steps[list->length++];
	*step = (struct mlx5lm_step){ .kind = kind, .value = value };
	step->reason = TEXT("%s", reason);
	return step;
}

static void add_autoprobe(struct builder *builder, bool wanted, const char *reason)
{
	struct mlx5lm_step *step = add(builder, STEP_AUTOPROBE, wanted, reason);

	if (!step)
		return;
	step->object = TEXT("%s", builder->pf->bdf);
	step->current = TEXT("%d", !wanted);
	step->wanted = TEXT("%d", wanted);
	step->command = TEXT("echo %d > /sys/bus/pci/devices/%s/sriov_drivers_autoprobe", wanted,
			     builder->pf->bdf);
}

static void add_eswitch(struct builder *builder)
{
	const char *mode = name_of(&eswitch_mode_names, builder->eswitch_mode);
	struct mlx5lm_step *step = add(builder, STEP_ESWITCH_MODE, builder->eswitch_mode,
				       "only switchdev mode has VF ports with port functions");

	if (!step)
		return;
	if (builder->eswitch_mode == MLX5LM_ESWITCH_LEGACY) {
		free(step->reason);
		step->reason = TEXT("wanted; VF ports and representors go away");
	}
	step->object = TEXT("%s", builder->pf->bdf);
	step->current = TEXT("%s", name_of(&eswitch_mode_names, builder->pf->eswitch_mode));
	step->wanted = TEXT("%s", mode);
	step->command = TEXT("devlink dev eswitch set pci/%s mode %s", builder->pf->bdf, mode);
}

static void add_num_vfs(struct builder *builder, uint64_t current, uint64_t wanted,
			const char *reason)
{
	struct mlx5lm_step *step = add(builder, STEP_NUM_VFS, wanted, reason);

	if (!step)
		return;
	step->object = TEXT("%s", builder->pf->bdf);
	step->current = TEXT("%" PRIu64, current);
	step->wanted = TEXT("%" PRIu64, wanted);
	step->command = TEXT("echo %" PRIu64 " > /sys/bus/pci/devices/%s/sriov_numvfs", wanted,
			     builder->pf->bdf);
}

static void add_load_module(struct builder *builder, const char *module, uint32_t state)
{
	struct mlx5lm_step *step =
		add(builder, STEP_LOAD_MODULE, 0, "a driver must be there before a VF can be bound");

	if (!step)
		return;
	step->text = TEXT("%s", module);
	step->object = TEXT("%s", module);
	step->current = TEXT("%s", name_of(&module_state_names, state));
	step->wanted = TEXT("loaded");
	step->command = TEXT("modprobe %s", module);
}

/* A VF that is to be: what stands now, if it stands, and how it is called in commands. */
struct vf_view {
	const struct mlx5lm_vf *now; /* NULL if it is created by this plan */
	uint32_t index;
	char name[BDF_TEXT_SIZE + 16]; /* for people */
	char shell[64];		       /* its BDF in a command */
};

static struct vf_view view_vf(const struct builder *builder, uint32_t index)
{
	const struct mlx5lm_pf *pf = builder->pf;
	struct vf_view view = { .index = index };
	struct bdf base, bdf;

	if (!builder->recreate)
		view.now = pf_find_vf(pf, index);
	if (view.now && view.now->bdf) {
		snprintf(view.name, sizeof(view.name), "%s", view.now->bdf);
		snprintf(view.shell, sizeof(view.shell), "%s", view.now->bdf);
		return view;
	}
	snprintf(view.shell, sizeof(view.shell), "\"$(vf_bdf %s %u)\"", pf->bdf, index);
	if (pf->sriov_offset.known && pf->sriov_stride.known && bdf_parse(pf->bdf, &base) == 0 &&
	    bdf_of_vf(&base, pf->sriov_offset.value, pf->sriov_stride.value, index, &bdf) == 0)
		bdf_format(&bdf, view.name);
	else
		snprintf(view.name, sizeof(view.name), "VF %u", index);
	return view;
}

static struct mlx5lm_step *add_vf_step(struct builder *builder, const struct vf_view *vf,
				       enum step_kind kind, uint64_t value, const char *text,
				       const char *reason)
{
	struct mlx5lm_step *step = add(builder, kind, value, reason);

	if (!step)
		return NULL;
	step->vf_index = vf->index;
	step->object = TEXT("%s", vf->name);
	if (text)
		step->text = TEXT("%s", text);
	return step;
}

static void add_unbind(struct builder *builder, const struct vf_view *vf, const char *driver)
{
	struct mlx5lm_step *step =
		add_vf_step(builder, vf, STEP_UNBIND, 0, driver,
			    "port function attributes and the driver are changed on an unbound VF");

	if (!step)
		return;
	step->current = TEXT("%s", driver);
	step->wanted = TEXT("none");
	step->command = TEXT("echo %s > /sys/bus/pci/drivers/%s/unbind", vf->shell, driver);
}

static void add_hw_addr(struct builder *builder, const struct vf_view *vf, const char *hw_addr)
{
	struct mlx5lm_step *step =
		add_vf_step(builder, vf, STEP_HW_ADDR, 0, hw_addr,
			    "the guest's MAC address; the same on both hosts");

	if (!step)
		return;
	step->current = TEXT("%s", vf->now && vf->now->hw_addr ? vf->now->hw_addr : "unknown");
	step->wanted = TEXT("%s", hw_addr);
	step->command = TEXT("devlink port function set \"$(vf_port %s %u)\" hw_addr %s",
			     builder->pf->bdf, vf->index, hw_addr);
}

static void add_attr(struct builder *builder, const struct vf_view *vf,
		     enum mlx5lm_port_attr attr, uint32_t state)
{
	const char *wanted = name_of(&port_attr_state_names, state);
	const char *name = name_of(&port_attr_names, attr);
	struct mlx5lm_step *step =
		add_vf_step(builder, vf, STEP_PORT_ATTR, state, NULL,
			    attr == MLX5LM_PORT_ATTR_MIGRATABLE ?
				    "before the bind: " VARIANT_DRIVER " looks at it only then" :
				    "before the bind: the driver reads it once");

	if (!step)
		return;
	step->attr = attr;
	step->current = TEXT("%s %s", name,
			     name_of(&port_attr_state_names,
				     vf->now ? vf_attr_state(vf->now, attr) : 0));
	step->wanted = TEXT("%s %s", name, wanted);
	step->command = TEXT("devlink port function set \"$(vf_port %s %u)\" %s %s",
			     builder->pf->bdf, vf->index, name, wanted);
}

static void add_override(struct builder *builder, const struct vf_view *vf, const char *driver)
{
	struct mlx5lm_step *step =
		add_vf_step(builder, vf, STEP_DRIVER_OVERRIDE, 0, driver,
			    *driver ? "only a VF with an override binds to this driver" :
				      "no driver is wanted");

	if (!step)
		return;
	step->current = TEXT("%s", vf->now && vf->now->driver_override ?
					   vf->now->driver_override : "none");
	step->wanted = TEXT("%s", *driver ? driver : "none");
	step->command = TEXT("echo %s > /sys/bus/pci/devices/%s/driver_override",
			     *driver ? driver : "", vf->shell);
}

static void add_bind(struct builder *builder, const struct vf_view *vf, const char *driver)
{
	struct mlx5lm_step *step = add_vf_step(builder, vf, STEP_BIND, 0, driver,
					       "last, when everything it looks at is set");

	if (!step)
		return;
	step->current = TEXT("none");
	step->wanted = TEXT("%s", driver);
	step->command = TEXT("echo %s > /sys/bus/pci/drivers_probe", vf->shell);
}

static int refuse_busy(struct builder *builder, const struct mlx5lm_vf *vf, const char *what)
{
	error_set(builder->reterr, MLX5LM_ERROR_BUSY, EBUSY, MLX5LM_SOURCE_LIBRARY,
		  "VF %s is used by domain %s: %s would take it away", vf->bdf, vf->in_use_by,
		  what);
	error_add_remedy(builder->reterr, "migrate or shut down domain %s first", vf->in_use_by);
	return -EBUSY;
}

static int refuse_if_in_use(struct builder *builder, const char *what)
{
	for (size_t i = 0; i < builder->pf->num_vfs; i++) {
		if (builder->pf->vfs[i].in_use_by)
			return refuse_busy(builder, &builder->pf->vfs[i], what);
	}
	return 0;
}

static int check_attr_supported(struct builder *builder, const struct vf_view *vf,
				enum mlx5lm_port_attr attr)
{
	if (!vf->now || vf_attr_state(vf->now, attr) != MLX5LM_PORT_ATTR_STATE_UNSUPPORTED)
		return 0;
	error_set(builder->reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP, MLX5LM_SOURCE_DEVLINK,
		  "VF %s: kernel or firmware offers no port function attribute %s", vf->now->bdf,
		  name_of(&port_attr_names, attr));
	if (attr == MLX5LM_PORT_ATTR_MIGRATABLE)
		error_add_remedy(builder->reterr,
				 "mlxconfig -d %s s VF_MIGRATION_MODE=2, then reboot",
				 builder->pf->bdf);
	return -EOPNOTSUPP;
}

/* Which settings of a VF differ from what is wanted. */
struct vf_changes {
	const char *hw_addr;
	uint32_t attr[CONFIG_NUM_ATTRS];
	const char *driver; /* to be set, rebinding included; NULL: leave alone */
	bool any_attr;
};

static int find_changes(struct builder *builder, const struct vf_view *vf,
			struct vf_changes *changes)
{
	const struct mlx5lm_config *config = builder->config;
	const char *hw_addr = config_hw_addr(config, vf->index);
	const char *driver = config_driver(config, vf->index);
	const char *bound = vf->now ? vf->now->driver : NULL;
	const char *override = vf->now ? vf->now->driver_override : NULL;

	*changes = (struct vf_changes){ 0 };
	if (hw_addr && !(vf->now && streq(vf->now->hw_addr, hw_addr)))
		changes->hw_addr = hw_addr;
	for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++) {
		uint32_t state = config_attr(config, vf->index, attr);
		int r;

		if (!state || (vf->now && vf_attr_state(vf->now, attr) == state))
			continue;
		r = check_attr_supported(builder, vf, attr);
		if (r < 0)
			return r;
		changes->attr[attr] = state;
		changes->any_attr = true;
	}
	if (driver && !(streq(bound ? bound : "", driver) &&
			streq(override ? override : "", driver)))
		changes->driver = driver;
	/* An attribute that is changed under a driver takes effect when it binds anew. */
	if (!driver && bound && changes->any_attr)
		changes->driver = bound;
	else if (driver && changes->any_attr)
		changes->driver = driver;
	return 0;
}

static int add_vf(struct builder *builder, uint32_t index)
{
	struct vf_view vf = view_vf(builder, index);
	const char *bound = vf.now ? vf.now->driver : NULL;
	struct vf_changes changes;
	int r = find_changes(builder, &vf, &changes);

	if (r < 0)
		return r;
	if (!changes.hw_addr && !changes.any_attr && !changes.driver)
		return 0;
	if (vf.now && vf.now->in_use_by)
		return refuse_busy(builder, vf.now, "changing it");
	if (bound && (changes.any_attr || !streq(bound, changes.driver ? changes.driver : bound)))
		add_unbind(builder, &vf, bound);
	if (changes.hw_addr)
		add_hw_addr(builder, &vf, changes.hw_addr);
	for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++) {
		if (changes.attr[attr])
			add_attr(builder, &vf, attr, changes.attr[attr]);
	}
	if (!changes.driver)
		return 0;
	if (!(vf.now && streq(vf.now->driver_override ? vf.now->driver_override : "",
			      changes.driver)))
		add_override(builder, &vf, changes.driver);
	if (*changes.driver && (!streq(bound, changes.driver) || changes.any_attr))
		add_bind(builder, &vf, changes.driver);
	return 0;
}

/* Does any VF that is to be want anything for which devlink ports are needed? */
static bool needs_ports(const struct builder *builder)
{
	for (uint32_t i = 0; i < builder->num_vfs; i++) {
		if (config_hw_addr(builder->config, i))
			return true;
		for (uint32_t attr = 1; attr < CONFIG_NUM_ATTRS; attr++) {
			if (config_attr(builder->config, i, attr))
				return true;
		}
	}
	return false;
}

static bool wants_driver(const struct builder *builder, const char *driver)
{
	for (uint32_t i = 0; i < builder->num_vfs; i++) {
		if (streq(config_driver(builder->config, i), driver))
			return true;
	}
	return false;
}

static int resolve_eswitch(struct builder *builder)
{
	const struct mlx5lm_pf *pf = builder->pf;

	builder->eswitch_mode = builder->config->eswitch_mode ? builder->config->eswitch_mode :
								pf->eswitch_mode;
	if (builder->config->eswitch_mode && !pf->eswitch_mode) {
		error_set(builder->reterr, MLX5LM_ERROR_PERMISSION, ENODATA, MLX5LM_SOURCE_DEVLINK,
			  "eswitch mode of PF %s is not known", pf->bdf);
		error_add_remedy(builder->reterr,
				 "probe with CAP_NET_ADMIN; then: devlink dev eswitch show pci/%s",
				 pf->bdf);
		return -ENODATA;
	}
	if (builder->eswitch_mode == MLX5LM_ESWITCH_LEGACY && needs_ports(builder)) {
		error_set(builder->reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP,
			  MLX5LM_SOURCE_LIBRARY,
			  "PF %s: VFs have port functions only in switchdev mode", pf->bdf);
		error_add_remedy(builder->reterr,
				 "ask for switchdev too: mlx5lm_config_set_eswitch_mode()");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int resolve_num_vfs(struct builder *builder)
{
	const struct mlx5lm_pf *pf = builder->pf;
	const struct mlx5lm_config *config = builder->config;

	if (!pf->sriov_num_vfs.known || !pf->sriov_total_vfs.known) {
		error_set(builder->reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP,
			  MLX5LM_SOURCE_SYSFS, "PF %s offers no SR-IOV", pf->bdf);
		error_add_remedy(builder->reterr,
				 "mlxconfig -d %s s SRIOV_EN=1 NUM_OF_VFS=4 VF_MIGRATION_MODE=2, "
				 "then reboot", pf->bdf);
		return -EOPNOTSUPP;
	}
	builder->num_vfs = config->num_vfs.known ? config->num_vfs.value : pf->sriov_num_vfs.value;
	builder->recreate = builder->num_vfs != pf->sriov_num_vfs.value;
	if (builder->num_vfs > pf->sriov_total_vfs.value) {
		error_set(builder->reterr, MLX5LM_ERROR_INVALID_ARGUMENT, ERANGE,
			  MLX5LM_SOURCE_LIBRARY,
			  "PF %s offers %" PRIu64 " VFs, %" PRIu64 " are wanted", pf->bdf,
			  pf->sriov_total_vfs.value, builder->num_vfs);
		error_add_remedy(builder->reterr, "mlxconfig -d %s s NUM_OF_VFS=%" PRIu64
				 ", then reboot", pf->bdf, builder->num_vfs);
		return -ERANGE;
	}
	for (size_t i = 0; i < config->num_vf_configs; i++) {
		uint32_t index = config->vfs[i].vf_index;

		if (index != MLX5LM_VF_ALL && index >= builder->num_vfs)
			return error_invalid(builder->reterr,
					     "VF %u is configured, but PF %s would have %" PRIu64
					     " VFs", index, pf->bdf, builder->num_vfs);
	}
	return builder->recreate ? refuse_if_in_use(builder, "recreating the VFs") : 0;
}

static int add_module(struct builder *builder, const char *name)
{
	const struct mlx5lm_module *module = host_find_module(builder->host, name);
	uint32_t state = module ? module->state : MLX5LM_MODULE_UNKNOWN;

	if (state == MLX5LM_MODULE_MISSING) {
		error_set(builder->reterr, MLX5LM_ERROR_NOT_FOUND, ENOENT, MLX5LM_SOURCE_KMOD,
			  "kernel %s has no module %s",
			  builder->host->kernel_release ? builder->host->kernel_release : "", name);
		error_add_remedy(builder->reterr,
				 "install a kernel built with CONFIG_MLX5_VFIO_PCI");
		return -ENOENT;
	}
	if (state != MLX5LM_MODULE_LOADED && state != MLX5LM_MODULE_BUILTIN)
		add_load_module(builder, name, state);
	return 0;
}

static int build(struct builder *builder)
{
	const struct mlx5lm_pf *pf = builder->pf;
	bool autoprobe_off;
	int r;

	r = resolve_num_vfs(builder);
	if (r < 0)
		return r;
	r = resolve_eswitch(builder);
	if (r < 0)
		return r;
	/* Else each new VF would be probed by mlx5_core, only to be unbound again. */
	autoprobe_off = builder->recreate && builder->num_vfs &&
			pf->sriov_autoprobe == MLX5LM_ANSWER_YES;
	if (autoprobe_off)
		add_autoprobe(builder, false, "no driver takes the new VFs before they are set up");
	if (builder->recreate && pf->sriov_num_vfs.value)
		add_num_vfs(builder, pf->sriov_num_vfs.value, 0,
			    "the kernel changes the number of VFs only from 0 and to 0");
	if (builder->eswitch_mode != pf->eswitch_mode) {
		r = builder->recreate ? 0 : refuse_if_in_use(builder, "a change of eswitch mode");
		if (r < 0)
			return r;
		add_eswitch(builder);
	}
	if (builder->recreate && builder->num_vfs)
		add_num_vfs(builder, 0, builder->num_vfs, "the wanted number of VFs");
	if (wants_driver(builder, VARIANT_DRIVER)) {
		r = add_module(builder, VARIANT_DRIVER);
		if (r < 0)
			return r;
	}
	for (uint32_t i = 0; i < builder->num_vfs; i++) {
		r = add_vf(builder, i);
		if (r < 0)
			return r;
	}
	if (autoprobe_off)
		add_autoprobe(builder, true, "as it was before");
	return builder->out_of_memory ? error_no_memory(builder->reterr) : 0;
}

int plan_build(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
	       const struct mlx5lm_config *config, struct step_list *ret,
	       struct mlx5lm_error **reterr)
{
	_cleanup_step_list_ struct step_list list = { 0 };
	struct builder builder = {
		.host = host,
		.pf = pf,
		.config = config,
		.reterr = reterr,
		.list = &list,
	};
	int r = build(&builder);

	if (r < 0)
		return r;
	*ret = list;
	list = (struct step_list){ 0 };
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return (!a && !b) || streq(a, b);
}

static bool same_step(const struct mlx5lm_step *a, const struct mlx5lm_step *b)
{
	return a->kind == b->kind && a->vf_index == b->vf_index && a->attr == b->attr &&
	       a->value == b->value && same_text(a->text, b->text) &&
	       same_text(a->current, b->current);
}

ssize_t step_list_differ(const struct step_list *a, const struct step_list *b)
{
	size_t length = a->length < b->length ? a->length : b->length;

	for (size_t i = 0; i < length; i++) {
		if (!same_step(&a->steps[i], &b->steps[i]))
			return (ssize_t)i;
	}
	return a->length == b->length ? -1 : (ssize_t)length;
}

void step_list_release(struct step_list *list)
{
	for (size_t i = 0; i < list->length; i++)
		step_release(&list->steps[i]);
	free(list->steps);
	mlx5lm_findings_free(list->findings);
	*list = (struct step_list){ 0 };
}
