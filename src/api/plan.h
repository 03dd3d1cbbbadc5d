/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef API_PLAN_H
#define API_PLAN_H

#include <mlx5lm/plan.h>

#include "api/context.h"
#include "base/cleanup.h"
#include "core/config.h"
#include "core/plan_build.h"
#include "sys/applier.h"

struct mlx5lm_plan {
	char *pf_bdf;
	struct mlx5lm_config *config;
	struct step_list list;
	enum mlx5lm_step_state *states; /* of each step, as the errors */
	struct mlx5lm_error **errors;
	enum mlx5lm_failure_policy policy;
	char *journal_dir;
	bool is_undo;
	bool is_recovery;	    /* its journal goes on where it was left */
	struct mlx5lm_host *before; /* with the PF only; known from mlx5lm_plan_apply() on */
	struct mlx5lm_plan *undo;
	struct applier_counts counts;
	struct fact_u64 took_ms;
	mlx5lm_plan_fn fn;
	void *userdata;
	mlx5lm_destroy_fn destroy;
	bool in_callback;
};

DEFINE_CLEANUP(struct mlx5lm_plan *, mlx5lm_plan_free)
#define _cleanup_plan_ _cleanup_(mlx5lm_plan_free_p)

/* A plan that leads a PF from what it is to what config wants; errors as mlx5lm_plan_new(). */
int plan_make(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
	      const struct mlx5lm_config *config, struct mlx5lm_plan **ret,
	      struct mlx5lm_error **reterr);

/* Takes other steps in the place of those from an index on; list is emptied. 0 or -ENOMEM. */
int plan_replace_steps(struct mlx5lm_plan *plan, size_t from, struct step_list *list);

/* Nothing has happened to any step. */
void plan_forget_results(struct mlx5lm_plan *plan);

/* One mlx5lm_plan_apply() or mlx5lm_plan_rollback(). */
struct plan_run {
	struct mlx5lm_plan *plan; /* that the caller knows */
	const struct mlx5lm_ctx *ctx;
	struct applier *applier;
	int lock_fd;
	int journal_fd; /* -1: none is kept */
	bool cancelled;
	size_t num_failed_vfs;
	bool *failed_vfs; /* by VF index */
	size_t num_vfs;	  /* of that list */
};

/* The PF as it is now, with its NV configuration if the wanted state is about that. */
int plan_probe(const struct mlx5lm_ctx *ctx, const char *pf_bdf, const struct mlx5lm_config *config,
	       struct mlx5lm_host **ret, struct mlx5lm_error **reterr);
int plan_look(const struct plan_run *run, struct mlx5lm_host **ret, struct mlx5lm_error **reterr);

/*
 * Runs the steps of plan from one on; plan may be the one that undoes run->plan. Stops at the
 * first failure, unless it undoes or the failure is a VF's and the policy is to keep the others:
 * run->failed_vfs tells which. The error names the step.
 */
int plan_run_steps(struct plan_run *run, struct mlx5lm_plan *plan, size_t from,
		   struct mlx5lm_error **reterr);

/*
 * Refuses, with code VERIFY_FAILED or for an undo UNDO_FAILED, if the PF is not as the plan
 * wants it: the detail says what is left, with the commands of a person.
 */
int plan_expect_met(const struct plan_run *run, const struct mlx5lm_plan *plan,
		    struct mlx5lm_error **reterr);

/* Did a step cost its deadline? Then a write may still wait in the kernel, and go on later. */
bool plan_has_timed_out(const struct mlx5lm_plan *plan);

/* Leads back to run->plan->before by a plan of its own, run->plan->undo. */
int plan_undo(struct plan_run *run, struct mlx5lm_error **reterr);

/* Puts the VFs that failed back as they were, and nothing else; likewise. */
int plan_put_back_vfs(struct plan_run *run, struct mlx5lm_error **reterr);

/* Journal of a run; all do nothing without one. */
int plan_journal_begin(struct plan_run *run, struct mlx5lm_error **reterr);
int plan_journal_steps(const struct plan_run *run, const struct mlx5lm_plan *plan, size_t first,
		       size_t length, struct mlx5lm_error **reterr);
int plan_journal_learn(const struct plan_run *run, struct mlx5lm_error **reterr);
int plan_journal_end(const struct plan_run *run, bool undone, struct mlx5lm_error **reterr);

/* The guard against a loop of "set, reboot, set": looks; remembers what was set now. */
int plan_check_nv(const struct plan_run *run, const struct mlx5lm_host *now,
		  struct mlx5lm_error **reterr);
int plan_remember_nv(const struct plan_run *run, const struct mlx5lm_plan *plan,
		     struct mlx5lm_error **reterr);

#endif
