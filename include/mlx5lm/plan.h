/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_PLAN_H
#define MLX5LM_PLAN_H

#include <mlx5lm/types.h>
#include <mlx5lm/check.h>
#include <mlx5lm/config.h>
#include <mlx5lm/host.h>

#ifdef __cplusplus
extern "C" {
#endif

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
 * enum mlx5lm_step_key - facts about a step
 * @MLX5LM_STEP_UNKNOWN: none
 * @MLX5LM_STEP_ID: kind of the step, such as "eswitch-mode"
 * @MLX5LM_STEP_OBJECT: what it changes, usually a BDF
 * @MLX5LM_STEP_CURRENT: the value now
 * @MLX5LM_STEP_WANTED: the value after
 * @MLX5LM_STEP_REASON: why, and why at this place in the order
 * @MLX5LM_STEP_COMMAND: what a person would type
 * @MLX5LM_STEP_DISTURBANCE: what it disturbs, for people (since 0.3, as all that follow)
 * @MLX5LM_STEP_VF_INDEX: u64, which VF it is about; not known of a step of the PF
 * @MLX5LM_STEP_USUAL_TIME_MS: u64, how long it usually takes by itself
 * @MLX5LM_STEP_UNDOABLE: u64, enum mlx5lm_answer: whether it can be undone
 * @MLX5LM_STEP_DISTURBS: u64, set of enum mlx5lm_disturbance
 *
 * Texts are got with mlx5lm_step_get_str(), numbers (u64) with mlx5lm_step_get_u64().
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
	MLX5LM_STEP_COMMAND = 6,
	MLX5LM_STEP_DISTURBANCE = 7,
	MLX5LM_STEP_VF_INDEX = 8,
	MLX5LM_STEP_USUAL_TIME_MS = 9,
	MLX5LM_STEP_UNDOABLE = 10,
	MLX5LM_STEP_DISTURBS = 11
};

/**
 * enum mlx5lm_step_state - how far a step is
 * @MLX5LM_STEP_STATE_UNKNOWN: never produced
 * @MLX5LM_STEP_STATE_STARTED: about to be done
 * @MLX5LM_STEP_STATE_DONE: done and read back
 * @MLX5LM_STEP_STATE_FAILED: failed; mlx5lm_plan_get_step_error() tells why
 * @MLX5LM_STEP_STATE_SKIPPED: not begun, since an earlier step failed or somebody cancelled
 *	(since 0.3)
 *
 * Since: 0.1
 */
enum mlx5lm_step_state {
	MLX5LM_STEP_STATE_UNKNOWN = 0,
	MLX5LM_STEP_STATE_STARTED = 1,
	MLX5LM_STEP_STATE_DONE = 2,
	MLX5LM_STEP_STATE_FAILED = 3,
	MLX5LM_STEP_STATE_SKIPPED = 4
};

/**
 * enum mlx5lm_disturbance - what a step disturbs; values are added up
 * @MLX5LM_DISTURBANCE_UNKNOWN: nothing that is known
 * @MLX5LM_DISTURBANCE_VF_TRAFFIC: traffic of this VF stops
 * @MLX5LM_DISTURBANCE_PF_TRAFFIC: traffic of all VFs of the PF stops
 * @MLX5LM_DISTURBANCE_GUESTS: a guest that runs notices
 * @MLX5LM_DISTURBANCE_ADAPTER: the whole adapter stops for a while, its other PFs too
 *
 * Since: 0.3
 */
enum mlx5lm_disturbance {
	MLX5LM_DISTURBANCE_UNKNOWN = 0,
	MLX5LM_DISTURBANCE_VF_TRAFFIC = 1,
	MLX5LM_DISTURBANCE_PF_TRAFFIC = 2,
	MLX5LM_DISTURBANCE_GUESTS = 4,
	MLX5LM_DISTURBANCE_ADAPTER = 8
};

/**
 * enum mlx5lm_plan_key - facts about a plan
 * @MLX5LM_PLAN_UNKNOWN: none
 * @MLX5LM_PLAN_USUAL_TIME_MS: how long all steps usually take
 * @MLX5LM_PLAN_DISTURBS: set of enum mlx5lm_disturbance, of all steps
 * @MLX5LM_PLAN_RESTART_NEEDED: enum mlx5lm_answer: after it the host has to be booted, or the
 *	firmware reset, before the NV configuration holds
 * @MLX5LM_PLAN_INCOMPLETE: enum mlx5lm_answer: some wishes can only be met after that restart;
 *	probe and plan again then
 * @MLX5LM_PLAN_IS_UNDO: enum mlx5lm_answer: it leads back to the state before another plan
 * @MLX5LM_PLAN_WRITES: files written by mlx5lm_plan_apply() so far
 * @MLX5LM_PLAN_MESSAGES: netlink requests sent by it so far that change something
 * @MLX5LM_PLAN_TOOK_MS: how long mlx5lm_plan_apply() took, undo included; not known before
 *
 * All are got with mlx5lm_plan_get_u64(). Since: 0.3
 */
enum mlx5lm_plan_key {
	MLX5LM_PLAN_UNKNOWN = 0,
	MLX5LM_PLAN_USUAL_TIME_MS = 1,
	MLX5LM_PLAN_DISTURBS = 2,
	MLX5LM_PLAN_RESTART_NEEDED = 3,
	MLX5LM_PLAN_INCOMPLETE = 4,
	MLX5LM_PLAN_IS_UNDO = 5,
	MLX5LM_PLAN_WRITES = 6,
	MLX5LM_PLAN_MESSAGES = 7,
	MLX5LM_PLAN_TOOK_MS = 8
};

/**
 * enum mlx5lm_failure_policy - what mlx5lm_plan_apply() does when a step fails
 * @MLX5LM_FAILURE_POLICY_UNKNOWN: none
 * @MLX5LM_FAILURE_POLICY_UNDO: undo all, so that the host is as before; at first it is this
 * @MLX5LM_FAILURE_POLICY_KEEP_GOOD_VFS: if it is a VF's step, put that VF back as it was and
 *	finish the others; else as UNDO
 * @MLX5LM_FAILURE_POLICY_STOP: leave all as it is then, for mlx5lm_plan_recover() or a person
 *
 * Since: 0.3
 */
enum mlx5lm_failure_policy {
	MLX5LM_FAILURE_POLICY_UNKNOWN = 0,
	MLX5LM_FAILURE_POLICY_UNDO = 1,
	MLX5LM_FAILURE_POLICY_KEEP_GOOD_VFS = 2,
	MLX5LM_FAILURE_POLICY_STOP = 3
};

/**
 * enum mlx5lm_recovery - which way mlx5lm_plan_recover() goes
 * @MLX5LM_RECOVERY_UNKNOWN: none
 * @MLX5LM_RECOVERY_FINISH: on to the wanted state
 * @MLX5LM_RECOVERY_UNDO: back to the state before
 *
 * Since: 0.3
 */
enum mlx5lm_recovery {
	MLX5LM_RECOVERY_UNKNOWN = 0,
	MLX5LM_RECOVERY_FINISH = 1,
	MLX5LM_RECOVERY_UNDO = 2
};

/**
 * mlx5lm_plan_fn - told before and after each step of mlx5lm_plan_apply()
 * @plan: the plan; while it is undone, the one that undoes it (MLX5LM_PLAN_IS_UNDO)
 * @index: which step of it
 * @state: STARTED, then DONE or FAILED
 * @userdata: as registered
 *
 * Runs on the thread that called mlx5lm_plan_apply(). Steps of the same kind on different VFs
 * run side by side: then several are started before the first is done. A negative return stops
 * it: no further step is begun, what is done is undone as the failure policy says, and
 * mlx5lm_plan_apply() returns -ECANCELED. While it is undone the return does not matter.
 *
 * Return: 0 to go on, negative to stop.
 */
typedef int (*mlx5lm_plan_fn)(const struct mlx5lm_plan *plan, size_t index,
			      enum mlx5lm_step_state state, void *userdata);

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
 * differs. What would take a VF from a domain or process that uses it is refused, and the
 * message names the user.
 *
 * Return: 0; -EINVAL, with code CONTRADICTION if two wishes cannot both be met; -ENOMEM;
 * -ENOENT if there is no such PF, or the kernel has no mlx5_vfio_pci where it is wanted;
 * -ERANGE, with code TOO_MANY_VFS if the PF offers fewer VFs, or VF_INDEX if something is
 * wanted of a VF that there is not going to be; -EEXIST, with code HW_ADDR_TAKEN, if two VFs
 * would have the same address; -EBUSY if a VF that would go or be rebound is in use;
 * -EOPNOTSUPP if the PF cannot do it; -EPERM if facts that are needed are not known since this
 * process may not see them: the detail lists every right that is missing; -ENODATA if they are
 * not known for another reason.
 * Thread: any. Since: 0.1
 */
int mlx5lm_plan_new(const struct mlx5lm_host *host, const char *pf_bdf,
		    const struct mlx5lm_config *config, struct mlx5lm_plan **ret,
		    struct mlx5lm_error **reterr);

/**
 * mlx5lm_plan_recover() - plan how to end or undo a configuration from its journal
 * @ctx: a context whose root is this machine
 * @journal_dir: the directory that mlx5lm_plan_set_journal() was given
 * @pf_bdf: which PF, with its domain
 * @way: FINISH or UNDO
 * @ret: where to put the plan; yours, release with mlx5lm_plan_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * For a configuration that was interrupted (a crash, a kill, FAILURE_POLICY_STOP), and with
 * UNDO for one that ended well, too. Reads the journal and the PF, and changes nothing:
 * mlx5lm_plan_apply() of the new plan does, and closes the journal. A plan without steps must be
 * applied as well, for that.
 *
 * If the host has booted since, VFs and eswitch mode are gone and there is nothing to undo: the
 * plan has no steps.
 *
 * Return: 0; -EINVAL; -ENOMEM; -ENOENT if there is no journal; -ENODATA if FINISH has nothing
 * to end; -EBADMSG if the journal is damaged; -EBUSY if a process that lives is at work on the
 * PF; -EROFS if the root is another machine; and as mlx5lm_plan_new().
 * Thread: any. Since: 0.3
 */
int mlx5lm_plan_recover(struct mlx5lm_ctx *ctx, const char *journal_dir, const char *pf_bdf,
			enum mlx5lm_recovery way, struct mlx5lm_plan **ret,
			struct mlx5lm_error **reterr);

/**
 * mlx5lm_plan_get_u64() - a fact about a plan
 * @plan: a plan
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if it is not known; -EINVAL if @key is not known to this library.
 * Thread: one thread at a time on one object. Since: 0.3
 */
int mlx5lm_plan_get_u64(const struct mlx5lm_plan *plan, enum mlx5lm_plan_key key, uint64_t *ret);

/**
 * mlx5lm_plan_get_findings() - what to think about before a plan is applied
 * @plan: a plan, may be NULL
 *
 * Known limits (so many migratable VFs are supported by a distribution), attributes that do not
 * go well together, settings that are going to be lost.
 *
 * Return: the findings, borrowed from @plan, each with the status WARN or INFO; none for NULL.
 * Thread: any. Since: 0.3
 */
const struct mlx5lm_findings *mlx5lm_plan_get_findings(const struct mlx5lm_plan *plan);

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
 * mlx5lm_step_get_u64() - a number of a step
 * @step: a step
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if it has none; -EINVAL if @key is not known to this library.
 * Thread: any (immutable). Since: 0.3
 */
int mlx5lm_step_get_u64(const struct mlx5lm_step *step, enum mlx5lm_step_key key, uint64_t *ret);

/**
 * mlx5lm_plan_get_step_state() - how far a step is
 * @plan: a plan
 * @index: less than mlx5lm_plan_length()
 *
 * Return: the state; MLX5LM_STEP_STATE_UNKNOWN before mlx5lm_plan_apply() came to it.
 * Thread: one thread at a time on one object. Since: 0.3
 */
enum mlx5lm_step_state mlx5lm_plan_get_step_state(const struct mlx5lm_plan *plan, size_t index);

/**
 * mlx5lm_plan_get_step_error() - why a step failed
 * @plan: a plan
 * @index: less than mlx5lm_plan_length()
 *
 * Return: the error, borrowed from @plan until it is applied again or released; NULL if the
 * step did not fail.
 * Thread: one thread at a time on one object. Since: 0.3
 */
const struct mlx5lm_error *mlx5lm_plan_get_step_error(const struct mlx5lm_plan *plan,
						       size_t index);

/**
 * mlx5lm_plan_get_undo() - the plan that undid, or was to undo, this one
 * @plan: a plan
 *
 * Return: that plan with the states and errors of its steps, borrowed from @plan until it is
 * applied again or released; NULL if nothing was undone.
 * Thread: one thread at a time on one object. Since: 0.3
 */
const struct mlx5lm_plan *mlx5lm_plan_get_undo(const struct mlx5lm_plan *plan);

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
 * mlx5lm_plan_set_failure_policy() - what to do when a step fails
 * @plan: a plan
 * @policy: UNDO, KEEP_GOOD_VFS or STOP
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.3
 */
int mlx5lm_plan_set_failure_policy(struct mlx5lm_plan *plan, enum mlx5lm_failure_policy policy);

/**
 * mlx5lm_plan_set_journal() - keep a journal, so that a crash leaves nothing in between
 * @plan: a plan
 * @journal_dir: a directory on a disk, which must exist; NULL for none, as at first
 *
 * mlx5lm_plan_apply() writes there, durably and before it changes anything, what the PF was
 * like and what is wanted: one file for each PF, mode 0600. mlx5lm_plan_recover() reads it. A
 * plan is refused while the journal of its PF tells of an earlier one that was interrupted.
 * It also remembers there when a parameter of the NV configuration was set.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.3
 */
int mlx5lm_plan_set_journal(struct mlx5lm_plan *plan, const char *journal_dir);

/**
 * mlx5lm_plan_apply() - carry out a plan on the running host
 * @plan: a plan
 * @ctx: a context whose root is this machine
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Keeps other configurators that use this library away from the PF meanwhile, reads the PF
 * again and refuses if it is not as the plan expects, or if this process lacks rights for any
 * step. Steps run in the order shown, those of one kind on different VFs side by side; each is
 * read back. What happens when one fails is for mlx5lm_plan_set_failure_policy() to say: as a
 * rule all is undone. A step that blocks costs its deadline, and the error names who holds the
 * VF.
 *
 * If the kernel refuses the change of eswitch mode with EINVAL and the number of VFs changes as
 * well, the other order of the two is tried; the reason of the steps says so then.
 *
 * Needs CAP_NET_ADMIN, CAP_SYS_MODULE if a module has to be loaded, and root for sysfs.
 *
 * Return: 0; -EINVAL; -ENOMEM; -EROFS if the root is another machine; -ESTALE if the host has
 * changed; -ECANCELED if the callback said so; -EPERM or -EACCES, where the detail lists every
 * right that is missing; -EBUSY if another process configures the PF; -EUCLEAN, with code
 * RECOVERY_NEEDED; -ENOTRECOVERABLE, with code NV_NOT_APPLIED; -ETIMEDOUT, -EIO or what the
 * kernel answered to the failing step, which the error names. Code UNDO_FAILED says that the
 * host is not as before; the detail tells what is left to do, with commands.
 * With KEEP_GOOD_VFS: the number of VFs that failed, if the others are done.
 * Thread: blocks; one thread at a time on one object. Since: 0.1
 */
int mlx5lm_plan_apply(struct mlx5lm_plan *plan, struct mlx5lm_ctx *ctx,
		      struct mlx5lm_error **reterr);

/**
 * mlx5lm_plan_rollback() - go back to the state before mlx5lm_plan_apply()
 * @plan: a plan that was applied
 * @ctx: a context whose root is this machine
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Works out the way from what is now to what was before, and goes it; see
 * mlx5lm_plan_get_undo(). Steps that cannot be undone (modules stay loaded, parameters of the
 * NV configuration stay set) are left alone. Goes on past a step that fails.
 *
 * Return: 0, also if there is nothing to do; -EINVAL; -ENODATA if the plan was not applied;
 * -EBUSY if a VF is in use by now, or another process configures the PF; and as
 * mlx5lm_plan_apply().
 * Thread: blocks; one thread at a time on one object. Since: 0.3
 */
int mlx5lm_plan_rollback(struct mlx5lm_plan *plan, struct mlx5lm_ctx *ctx,
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
