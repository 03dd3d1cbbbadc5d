/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_PLAN_H
#define MLX5LM_PLAN_H

#include <mlx5lm/types.h>
#include <mlx5lm/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/* VF index that means "every VF of the PF". */
#define MLX5LM_VF_ALL UINT32_MAX

/**
 * enum mlx5lm_plan_format - form of a written plan
 * @MLX5LM_PLAN_FORMAT_UNKNOWN: none
 * @MLX5LM_PLAN_FORMAT_JSON: JSON
 * @MLX5LM_PLAN_FORMAT_SHELL: the commands a person would type (devlink, modprobe, echo)
 *
 * Since: 0.1
 */
enum mlx5lm_plan_format {
	MLX5LM_PLAN_FORMAT_UNKNOWN = 0,
	MLX5LM_PLAN_FORMAT_JSON = 1,
	MLX5LM_PLAN_FORMAT_SHELL = 2
};

/**
 * enum mlx5lm_step_key - texts of a step
 * @MLX5LM_STEP_UNKNOWN: none
 * @MLX5LM_STEP_ID: kind of the step, such as "eswitch-mode"
 * @MLX5LM_STEP_OBJECT: what it changes, usually a BDF
 * @MLX5LM_STEP_CURRENT: the value now
 * @MLX5LM_STEP_WANTED: the value after
 * @MLX5LM_STEP_REASON: why, and why at this place in the order
 * @MLX5LM_STEP_COMMAND: what a person would type
 *
 * Since: 0.1
 */
enum mlx5lm_step_key {
	MLX5LM_STEP_UNKNOWN = 0,
	MLX5LM_STEP_ID = 1,
	MLX5LM_STEP_OBJECT = 2,
	MLX5LM_STEP_CURRENT = 3,
	MLX5LM_STEP_WANTED = 4,
	MLX5LM_STEP_REASON = 5,
	MLX5LM_STEP_COMMAND = 6
};

/**
 * enum mlx5lm_step_state - how far a step is
 * @MLX5LM_STEP_STATE_UNKNOWN: never produced
 * @MLX5LM_STEP_STATE_STARTED: about to be done
 * @MLX5LM_STEP_STATE_DONE: done and read back
 * @MLX5LM_STEP_STATE_FAILED: failed; the steps after it are not done
 *
 * Since: 0.1
 */
enum mlx5lm_step_state {
	MLX5LM_STEP_STATE_UNKNOWN = 0,
	MLX5LM_STEP_STATE_STARTED = 1,
	MLX5LM_STEP_STATE_DONE = 2,
	MLX5LM_STEP_STATE_FAILED = 3
};

/**
 * mlx5lm_plan_fn - told before and after each step of mlx5lm_plan_apply()
 * @plan: the plan
 * @index: which step
 * @state: STARTED, then DONE or FAILED
 * @userdata: as registered
 *
 * Runs on the thread that called mlx5lm_plan_apply(). A negative return at STARTED or DONE
 * stops there: mlx5lm_plan_apply() returns -ECANCELED.
 *
 * Return: 0 to go on, negative to stop.
 */
typedef int (*mlx5lm_plan_fn)(const struct mlx5lm_plan *plan, size_t index,
			      enum mlx5lm_step_state state, void *userdata);

/**
 * mlx5lm_config_new() - make an empty wanted state of one PF
 * @ret: where to put it; yours, release with mlx5lm_config_free()
 *
 * What is not set is left as it is on the host.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.1
 */
int mlx5lm_config_new(struct mlx5lm_config **ret);

/**
 * mlx5lm_config_set_num_vfs() - wanted number of VFs
 * @config: a wanted state
 * @num_vfs: 0 to 4096
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_config_set_num_vfs(struct mlx5lm_config *config, uint32_t num_vfs);

/**
 * mlx5lm_config_set_eswitch_mode() - wanted mode of the embedded switch
 * @config: a wanted state
 * @mode: LEGACY or SWITCHDEV
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_config_set_eswitch_mode(struct mlx5lm_config *config, enum mlx5lm_eswitch_mode mode);

/**
 * mlx5lm_config_set_vf_hw_addr() - wanted MAC address of a VF
 * @config: a wanted state
 * @vf_index: which VF; MLX5LM_VF_ALL is refused, addresses are unique
 * @hw_addr: "xx:xx:xx:xx:xx:xx", unicast and not zero
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_config_set_vf_hw_addr(struct mlx5lm_config *config, uint32_t vf_index,
				 const char *hw_addr);

/**
 * mlx5lm_config_set_vf_attr() - wanted port function attribute of a VF
 * @config: a wanted state
 * @vf_index: which VF, or MLX5LM_VF_ALL; a setting for one VF goes before that for all
 * @attr: which attribute
 * @state: ENABLED or DISABLED
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_config_set_vf_attr(struct mlx5lm_config *config, uint32_t vf_index,
			      enum mlx5lm_port_attr attr, enum mlx5lm_port_attr_state state);

/**
 * mlx5lm_config_set_vf_driver() - wanted driver of a VF
 * @config: a wanted state
 * @vf_index: which VF, or MLX5LM_VF_ALL; a setting for one VF goes before that for all
 * @driver: "mlx5_vfio_pci", "mlx5_core", or "" for none
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_config_set_vf_driver(struct mlx5lm_config *config, uint32_t vf_index,
				const char *driver);

/**
 * mlx5lm_config_free() - release a wanted state
 * @config: a wanted state, may be NULL
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_config_free(struct mlx5lm_config *config);

/**
 * mlx5lm_plan_new() - work out the steps from what is to what is wanted
 * @host: snapshot of the host
 * @pf_bdf: which PF; the domain may be left out
 * @config: the wanted state; copied
 * @ret: where to put the plan; yours, release with mlx5lm_plan_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Touches nothing. The order of the steps is that of the kernel's rules: switchdev before VF
 * ports exist, port function attributes before the driver is bound (Linux,
 * Documentation/networking/devlink/devlink-port.rst). A plan without steps means that nothing
 * differs. Recreating VFs of which one is in use by a domain is refused.
 *
 * Return: 0; -EINVAL; -ENOMEM; -ENOENT if there is no such PF, or the kernel has no
 * mlx5_vfio_pci where it is wanted; -ERANGE if the PF offers fewer VFs; -EBUSY if a VF that would go or be rebound is in use; -EOPNOTSUPP if the PF cannot do
 * it; -ENODATA if the snapshot lacks a fact that is needed.
 * Thread: any. Since: 0.1
 */
int mlx5lm_plan_new(const struct mlx5lm_host *host, const char *pf_bdf,
		    const struct mlx5lm_config *config, struct mlx5lm_plan **ret,
		    struct mlx5lm_error **reterr);

/**
 * mlx5lm_plan_length() - number of steps
 * @plan: a plan, may be NULL
 *
 * Return: the number; 0 means that nothing differs.
 * Thread: any. Since: 0.1
 */
size_t mlx5lm_plan_length(const struct mlx5lm_plan *plan);

/**
 * mlx5lm_plan_get_step() - a step by its place
 * @plan: a plan
 * @index: less than mlx5lm_plan_length()
 *
 * Return: the step, borrowed from @plan; NULL if there is none of that index.
 * Thread: any. Since: 0.1
 */
const struct mlx5lm_step *mlx5lm_plan_get_step(const struct mlx5lm_plan *plan, size_t index);

/**
 * mlx5lm_step_get_str() - a text of a step
 * @step: a step
 * @key: which
 * @ret: where to put it; borrowed from the plan
 *
 * Return: 0; -ENODATA if it has none; -EINVAL if @key is not known to this library.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_step_get_str(const struct mlx5lm_step *step, enum mlx5lm_step_key key,
			const char **ret);

/**
 * mlx5lm_plan_serialize() - write a plan
 * @plan: a plan
 * @format: JSON, or shell commands with the same end state
 * @ret: where to put the text; yours, release with mlx5lm_text_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.1
 */
int mlx5lm_plan_serialize(const struct mlx5lm_plan *plan, enum mlx5lm_plan_format format,
			  struct mlx5lm_text **ret);

/**
 * mlx5lm_plan_set_progress() - be told of each step
 * @plan: a plan
 * @fn: called before and after each step; NULL for none
 * @userdata: passed to @fn
 * @destroy: releases @userdata, may be NULL
 *
 * Return: 0; -EINVAL (then @destroy has been called); -EBUSY from within @fn (likewise).
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_plan_set_progress(struct mlx5lm_plan *plan, mlx5lm_plan_fn fn, void *userdata,
			     mlx5lm_destroy_fn destroy);

/**
 * mlx5lm_plan_apply() - carry out a plan on the running host
 * @plan: a plan
 * @ctx: a context whose root is this machine
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Reads the PF again first and refuses if it is not as the plan expects. Steps run in the
 * order shown; each is read back. It stops at the first failure and leaves the steps before it
 * done, except that sriov_drivers_autoprobe gets its old value back. Planning again and
 * applying goes on from there.
 *
 * Needs CAP_NET_ADMIN, CAP_SYS_MODULE if a module has to be loaded, and root for sysfs.
 *
 * Return: 0; -EINVAL; -ENOMEM; -EROFS if the root is another machine; -ESTALE if the host has
 * changed; -ECANCELED if the callback said so; -EPERM, -EBUSY, -ETIMEDOUT, -EIO or what the
 * kernel answered to the failing step, which the error names.
 * Thread: blocks; one thread at a time on one object. Since: 0.1
 */
int mlx5lm_plan_apply(struct mlx5lm_plan *plan, struct mlx5lm_ctx *ctx,
		      struct mlx5lm_error **reterr);

/**
 * mlx5lm_plan_free() - release a plan
 * @plan: a plan, may be NULL
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_plan_free(struct mlx5lm_plan *plan);

/**
 * mlx5lm_step_state_str() - name of a step state
 * @state: a state
 *
 * Return: a static word such as "done"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_step_state_str(enum mlx5lm_step_state state);

#ifdef __cplusplus
}
#endif

#endif
