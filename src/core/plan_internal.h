/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_PLAN_INTERNAL_H
#define CORE_PLAN_INTERNAL_H

#include <inttypes.h>

#include "base/error.h"
#include "core/bdf.h"
#include "core/plan_build.h"
#include "core/vf_ready.h"

/* What the files plan_*.c of the planner share. */

/* What has to be done to a VF that there is going to be. NULL, 0 and not known: nothing. */
struct vf_plan {
	uint32_t index;
	const struct mlx5lm_vf *now;   /* NULL: this plan creates it */
	char name[BDF_TEXT_SIZE + 16]; /* for people */
	char shell[64];		       /* its BDF in a command */
	const char *unbind;	       /* from this driver */
	const char *hw_addr;
	uint32_t attr[CONFIG_NUM_ATTRS];
	struct fact_u64 max_io_eqs;
	struct fact_u64 msix_count;
	const char *override; /* before the bind */
	const char *bind;
	const char *override_after;
	uint32_t representor_state;
};

struct planner {
	const struct mlx5lm_host *host;
	const struct mlx5lm_pf *pf;
	const struct mlx5lm_config *config;
	struct mlx5lm_error **reterr;
	struct step_list *list;
	/* in the end */
	uint64_t num_vfs;
	uint32_t eswitch_mode; /* 0: not known, and not to be known */
	/* on the way there */
	bool reset;	   /* the adapter is restarted */
	bool recreate;	   /* all VFs go, and those wanted come back */
	bool mode_changes;
	bool autoprobe_off; /* while VFs are bound */
	struct vf_plan *vfs;
	size_t num_vf_plans;
	bool out_of_memory;
};

/* A text that is a step's; out of memory is noticed once, at the end. */
char *plan_keep(struct planner *planner, char *string);
#define TEXT(...) plan_keep(planner, str_printf(__VA_ARGS__))

/* plan_goal.c: what there is going to be in the end, and the way there; refuses what cannot be. */
int plan_find_goal(struct planner *planner);
/* Has the PF the VFs that it is going to have already? */
bool plan_keeps_vfs(const struct planner *planner);

/* plan_nv.c */
enum {
	PLAN_SRIOV_EN, /* indices for nv_name() */
	PLAN_NUM_OF_VFS,
	PLAN_VF_MIGRATION_MODE,
	PLAN_NUM_NV,
};
#define VF_MIGRATION_DISABLED 1
#define VF_MIGRATION_ENABLED 2

int plan_nv(struct planner *planner);
bool plan_nv_waits(const struct planner *planner, unsigned int index);
struct fact_u64 plan_nv_next(const struct planner *planner, unsigned int index);

/* plan_vf.c: fills in planner->vfs. */
int plan_find_vf_changes(struct planner *planner);
uint32_t plan_final_attr(const struct planner *planner, const struct vf_plan *vf,
			 enum mlx5lm_port_attr attr);

/* plan_refuse.c: each sets the error and returns -errno, or 0 if there is nothing to refuse. */
int plan_check_wishes(const struct planner *planner);
int plan_check_vf_indices(const struct planner *planner);
int plan_check_hw_addrs(const struct planner *planner);
int plan_check_msix(const struct planner *planner);
int plan_check_unused(const struct planner *planner, const char *what);
int plan_check_siblings_empty(const struct planner *planner);
bool plan_wants_ports(const struct planner *planner);
bool plan_wants_attr(const struct planner *planner, enum mlx5lm_port_attr attr, uint32_t state);
int plan_refuse_used(const struct planner *planner, const struct mlx5lm_vf *vf, const char *what);
int plan_refuse_num_vfs(const struct planner *planner);
int plan_refuse_legacy(const struct planner *planner);
int plan_refuse_attr(const struct planner *planner, const char *name, enum mlx5lm_port_attr attr);
int plan_refuse_max_io_eqs(const struct planner *planner, const char *name);
int plan_refuse_msix(const struct planner *planner, const char *name);
/* A fact that is needed is not known: fact is its JSON name, what it is called for people. */
int plan_refuse_unknown(const struct planner *planner, const char *object, const char *fact,
			const char *what);
/* "domain guest", "process 4711 (qemu)"; NULL when out of memory. */
char *vf_user(const struct mlx5lm_vf *vf);

/* plan_rights.c: "step: what is missing" of every right, one a line; NULL if there is none. */
int plan_all_missing_rights(const struct mlx5lm_host *host, char **ret);

/* plan_findings.c */
int plan_add_findings(struct planner *planner);

/* plan_steps.c, plan_steps_vf.c: each adds one step. */
struct mlx5lm_step *plan_add_step(struct planner *planner, enum step_kind kind, uint64_t value);
void plan_add_nv(struct planner *planner, unsigned int index, const struct mlx5lm_nv *nv,
		 const char *backend);
void plan_add_firmware_reset(struct planner *planner);
void plan_add_autoprobe(struct planner *planner, bool current, bool wanted, const char *reason);
void plan_add_eswitch(struct planner *planner);
void plan_add_num_vfs(struct planner *planner, uint64_t current, uint64_t wanted,
		      const char *reason);
void plan_add_load_module(struct planner *planner, const char *name, uint32_t state);
void plan_add_unbind(struct planner *planner, const struct vf_plan *vf);
void plan_add_hw_addr(struct planner *planner, const struct vf_plan *vf);
void plan_add_attr(struct planner *planner, const struct vf_plan *vf, enum mlx5lm_port_attr attr);
void plan_add_max_io_eqs(struct planner *planner, const struct vf_plan *vf);
void plan_add_msix_count(struct planner *planner, const struct vf_plan *vf);
void plan_add_override(struct planner *planner, const struct vf_plan *vf, const char *current,
		       const char *wanted);
void plan_add_bind(struct planner *planner, const struct vf_plan *vf);
void plan_add_representor(struct planner *planner, const struct vf_plan *vf);

#endif
