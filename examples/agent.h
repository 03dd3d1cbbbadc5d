/* SPDX-License-Identifier: MIT-0 */
#ifndef AGENT_H
#define AGENT_H

#include <jansson.h>
#include <mlx5lm/mlx5lm.h>
#include <stdbool.h>

#define MAX_HELD_VFS 4096
#define MAX_SNAPSHOTS 64

/* What the requests of one connection have done to this host, and what it takes to undo it. */
struct agent {
	struct mlx5lm_ctx *ctx;
	struct mlx5lm_probe_options *probe;	  /* with libvirt: who uses which VF */
	struct mlx5lm_probe_options *quick_probe; /* without */
	const char *journal;			  /* NULL: none */
	struct held {
		const struct mlx5lm_vf *before;
		bool committed; /* the guest's: taken back only if somebody asks for it */
	} held[MAX_HELD_VFS];
	size_t num_held;
	struct mlx5lm_host *snapshots[MAX_SNAPSHOTS]; /* that these are of */
	size_t num_snapshots;
};

/*
 * Each takes the "params" of a request, of which the members are known by name. 0 with the result,
 * or negative with the error, in *ret; NULL there if there is no memory.
 */
int agent_probe(struct agent *agent, const json_t *params, json_t **ret);
int agent_plan(struct agent *agent, const json_t *params, json_t **ret);
int agent_apply(struct agent *agent, const json_t *params, json_t **ret);
int agent_commit(struct agent *agent, const json_t *params, json_t **ret);
int agent_release(struct agent *agent, const json_t *params, json_t **ret);

/* The connection has ended: takes back what was applied and not committed. */
void agent_end(struct agent *agent);

/* Makes *ret an error. The code is a word as of mlx5lm_error_code_str(). Returns -1. */
int refuse(json_t **ret, const char *code, const char *remedy, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
/* The same of an error of the library, which is released. */
int refuse_error(json_t **ret, struct mlx5lm_error *error);
/* -1 with an error that names the first member of object not among names, which end with NULL. */
int refuse_unknown(json_t **ret, const char *where, const json_t *object,
		   const char *const *names);

#endif
