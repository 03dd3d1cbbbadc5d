// SPDX-License-Identifier: MIT-0
/*
 * What the agent does to VFs, and how it takes that back: VF by VF, and not by undoing the plan,
 * for another agent may have made another VF of the same PF ready meanwhile.
 */
#include "agent.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Another process may be at work on the PF, and QEMU needs a moment to let go of a VF. */
#define NUM_ATTEMPTS 40
#define ATTEMPT_MS 250

enum change { COMMIT, RELEASE };

static void wait_for_next_attempt(void)
{
	struct timespec time = { .tv_nsec = ATTEMPT_MS * 1000000L };

	nanosleep(&time, NULL);
}

static const char *vf_str(const struct mlx5lm_vf *vf, enum mlx5lm_vf_key key)
{
	const char *text;

	return mlx5lm_vf_get_str(vf, key, &text) == 0 ? text : "";
}

static uint64_t vf_u64(const struct mlx5lm_vf *vf, enum mlx5lm_vf_key key)
{
	uint64_t value;

	return mlx5lm_vf_get_u64(vf, key, &value) == 0 ? value : 0;
}

static uint32_t vf_index(const struct mlx5lm_vf *vf)
{
	return (uint32_t)vf_u64(vf, MLX5LM_VF_INDEX);
}

static const char *pf_bdf(const struct mlx5lm_pf *pf)
{
	const char *text;

	return mlx5lm_pf_get_str(pf, MLX5LM_PF_BDF, &text) == 0 ? text : "";
}

static const struct mlx5lm_vf *find_vf(const struct mlx5lm_pf *pf, const char *bdf)
{
	for (size_t i = 0; i < mlx5lm_pf_length_vfs(pf); i++) {
		if (strcmp(vf_str(mlx5lm_pf_get_vf(pf, i), MLX5LM_VF_BDF), bdf) == 0)
			return mlx5lm_pf_get_vf(pf, i);
	}
	return NULL;
}

static const struct mlx5lm_vf *find_vf_by_index(const struct mlx5lm_pf *pf, json_int_t index)
{
	for (size_t i = 0; i < mlx5lm_pf_length_vfs(pf); i++) {
		if (vf_index(mlx5lm_pf_get_vf(pf, i)) == index)
			return mlx5lm_pf_get_vf(pf, i);
	}
	return NULL;
}

static struct held *find_held(struct agent *agent, const char *bdf)
{
	for (size_t i = 0; i < agent->num_held; i++) {
		if (strcmp(vf_str(agent->held[i].before, MLX5LM_VF_BDF), bdf) == 0)
			return &agent->held[i];
	}
	return NULL;
}

/* The VFs have been changed. */
static void note(struct agent *agent, enum change change, const json_t *vfs)
{
	const json_t *name;
	size_t i;

	json_array_foreach(vfs, i, name) {
		struct held *held = find_held(agent, json_string_value(name));

		if (held && change == COMMIT)
			held->committed = true;
		else if (held)
			*held = agent->held[--agent->num_held];
	}
}

static int probe(struct agent *agent, const struct mlx5lm_probe_options *options,
		 struct mlx5lm_host **host, json_t **ret)
{
	struct mlx5lm_error *error = NULL;

	if (mlx5lm_host_probe(agent->ctx, options, host, &error) < 0)
		return refuse_error(ret, error);
	return 0;
}

/* Takes text; NULL is no memory. */
static int put_text(struct mlx5lm_text *text, json_t **ret)
{
	*ret = text ? json_loads(mlx5lm_text_get_str(text), 0, NULL) : NULL;
	mlx5lm_text_free(text);
	return *ret ? 0 : -1;
}

int agent_probe(struct agent *agent, const json_t *params, json_t **ret)
{
	struct mlx5lm_text *text = NULL;
	struct mlx5lm_host *host;

	(void)params;
	if (probe(agent, agent->probe, &host, ret) < 0)
		return -1;
	mlx5lm_host_serialize(host, &text);
	mlx5lm_host_free(host);
	return put_text(text, ret);
}

/* What is wanted, if it is of VFs alone: hosts are set up by people, not by a migration. */
static int read_config(const json_t *params, struct mlx5lm_config **config, json_t **ret)
{
	static const char *const members[] = { "schema", "schema_version", "vfs", NULL };
	const json_t *document = json_object_get(params, "config");
	struct mlx5lm_error *error = NULL;
	char *text;
	int r;

	if (!json_is_string(json_object_get(params, "pf")) || !json_is_object(document))
		return refuse(ret, "invalid-argument", NULL,
			      "params: pf is needed, a PCI address, and config, an object");
	if (refuse_unknown(ret, "config, which is of VFs alone", document, members) < 0)
		return -1;
	text = json_dumps(document, JSON_COMPACT);
	if (!text)
		return -1;
	r = mlx5lm_config_parse(text, strlen(text), config, &error);
	free(text);
	return r < 0 ? refuse_error(ret, error) : 0;
}

static int make_plan(struct agent *agent, const json_t *params, struct mlx5lm_host **host,
		     struct mlx5lm_plan **plan, json_t **ret)
{
	const char *pf = json_string_value(json_object_get(params, "pf"));
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_config *config;
	int r;

	if (read_config(params, &config, ret) < 0)
		return -1;
	r = probe(agent, agent->probe, host, ret);
	if (r == 0) {
		r = mlx5lm_plan_new(*host, pf, config, plan, &error);
		if (r < 0) {
			mlx5lm_host_free(*host);
			r = refuse_error(ret, error);
		}
	}
	mlx5lm_config_free(config);
	return r;
}

static int put_plan(const struct mlx5lm_plan *plan, json_t **ret)
{
	struct mlx5lm_text *text = NULL;

	mlx5lm_plan_serialize(plan, MLX5LM_PLAN_FORMAT_JSON, &text);
	return put_text(text, ret);
}

int agent_plan(struct agent *agent, const json_t *params, json_t **ret)
{
	struct mlx5lm_plan *plan;
	struct mlx5lm_host *host;
	int r;

	if (make_plan(agent, params, &host, &plan, ret) < 0)
		return -1;
	r = put_plan(plan, ret);
	mlx5lm_plan_free(plan);
	mlx5lm_host_free(host);
	return r;
}

/* Holds what a plan is about, as it is before; the host is kept for that. */
static int hold(struct agent *agent, const json_t *params, struct mlx5lm_host *before, json_t **ret)
{
	const json_t *wishes = json_object_get(json_object_get(params, "config"), "vfs"), *wish;
	const struct mlx5lm_pf *pf =
		mlx5lm_host_get_pf_by_bdf(before, json_string_value(json_object_get(params, "pf")));
	size_t i;

	if (agent->num_snapshots == MAX_SNAPSHOTS ||
	    json_array_size(wishes) > MAX_HELD_VFS - agent->num_held)
		return refuse(ret, "busy", "connect anew",
			      "one connection applies at most %d times, to at most %d VFs",
			      MAX_SNAPSHOTS, MAX_HELD_VFS);
	json_array_foreach(wishes, i, wish) {
		const struct mlx5lm_vf *vf = find_vf_by_index(
			pf, json_integer_value(json_object_get(wish, "index")));

		if (vf && !find_held(agent, vf_str(vf, MLX5LM_VF_BDF)))
			agent->held[agent->num_held++] = (struct held){ .before = vf };
	}
	agent->snapshots[agent->num_snapshots++] = before;
	return 0;
}

/* Once; -EAGAIN if another attempt may succeed. */
static int apply_once(struct agent *agent, const json_t *params, json_t **ret)
{
	size_t num_held = agent->num_held;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_plan *plan;
	struct mlx5lm_host *host;
	int r;

	if (make_plan(agent, params, &host, &plan, ret) < 0)
		return -1;
	if (hold(agent, params, host, ret) < 0) {
		mlx5lm_host_free(host);
		mlx5lm_plan_free(plan);
		return -1;
	}
	r = mlx5lm_plan_set_journal(plan, agent->journal);
	if (r == 0)
		r = mlx5lm_plan_apply(plan, agent->ctx, &error);
	if (r == 0) {
		r = put_plan(plan, ret);
	} else if (mlx5lm_error_get_code(error) != MLX5LM_ERROR_UNDO_FAILED) {
		/* All is as before, and nothing to be taken back. */
		agent->num_held = num_held;
		mlx5lm_host_free(agent->snapshots[--agent->num_snapshots]);
	}
	mlx5lm_plan_free(plan);
	if (error)
		refuse_error(ret, error);
	return r == -EBUSY || r == -ESTALE ? -EAGAIN : r;
}

int agent_apply(struct agent *agent, const json_t *params, json_t **ret)
{
	int r = apply_once(agent, params, ret);

	for (unsigned int attempt = 1; r == -EAGAIN && attempt < NUM_ATTEMPTS; attempt++) {
		json_decref(*ret);
		*ret = NULL;
		wait_for_next_attempt();
		r = apply_once(agent, params, ret);
	}
	return r;
}

/* As it was. An address of zeros cannot be wanted: then that of the guest stays, and harms nobody. */
static int want_before(struct mlx5lm_config *config, const struct mlx5lm_vf *before)
{
	enum mlx5lm_port_attr_state migratable = (enum mlx5lm_port_attr_state)
		vf_u64(before, MLX5LM_VF_MIGRATABLE);
	enum mlx5lm_admin_state representor = (enum mlx5lm_admin_state)
		vf_u64(before, MLX5LM_VF_REPRESENTOR_STATE);
	uint32_t index = vf_index(before);
	int r;

	r = mlx5lm_config_set_vf_hw_addr(config, index, vf_str(before, MLX5LM_VF_HW_ADDR));
	if (r != -ENOMEM)
		r = mlx5lm_config_set_vf_driver(config, index, vf_str(before, MLX5LM_VF_DRIVER));
	if (r != -ENOMEM && migratable != MLX5LM_PORT_ATTR_STATE_UNKNOWN)
		r = mlx5lm_config_set_vf_attr(config, index, MLX5LM_PORT_ATTR_MIGRATABLE,
					      migratable);
	if (r != -ENOMEM && representor != MLX5LM_ADMIN_STATE_UNKNOWN)
		r = mlx5lm_config_set_vf_representor_state(config, index, representor);
	return r == -ENOMEM ? r : 0;
}

/* Wants of a VF what the change is. 0; -EAGAIN if somebody uses it; -ENOMEM. */
static int want(struct agent *agent, enum change change, const struct mlx5lm_vf *vf,
		struct mlx5lm_config *config, json_t **ret)
{
	const struct held *held = find_held(agent, vf_str(vf, MLX5LM_VF_BDF));
	const char *user = vf_str(vf, MLX5LM_VF_IN_USE_BY);

	if (change == COMMIT)
		return mlx5lm_config_set_vf_representor_state(config, vf_index(vf),
							      MLX5LM_ADMIN_STATE_UP);
	if (*user || vf_u64(vf, MLX5LM_VF_IN_USE_PID)) {
		json_decref(*ret);
		refuse(ret, "busy", NULL, "VF %s is left as it is, for it is used by %s %s",
		       vf_str(vf, MLX5LM_VF_BDF), *user ? "domain" : "process",
		       *user ? user : vf_str(vf, MLX5LM_VF_IN_USE_COMM));
		return -EAGAIN;
	}
	if (held)
		return want_before(config, held->before);
	/* Made ready over another connection: what it was like before is not known. */
	return mlx5lm_config_set_vf_representor_state(config, vf_index(vf),
						      MLX5LM_ADMIN_STATE_DOWN);
}

/* The named VFs of one PF: 0, or negative with *ret; -EAGAIN if another attempt may succeed. */
static int change_pf(struct agent *agent, enum change change, const json_t *vfs,
		     const struct mlx5lm_host *now, const struct mlx5lm_pf *pf, json_t **ret)
{
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_plan *plan = NULL;
	struct mlx5lm_config *config;
	int used = 0, r = mlx5lm_config_new(&config);
	const json_t *name;
	size_t i;

	if (r < 0)
		return r;
	json_array_foreach(vfs, i, name) {
		const struct mlx5lm_vf *vf = find_vf(pf, json_string_value(name));

		r = vf && r == 0 ? want(agent, change, vf, config, ret) : r;
		if (r == -EAGAIN) {
			used = r;
			r = 0;
		}
	}
	if (r == 0)
		r = mlx5lm_plan_new(now, pf_bdf(pf), config, &plan, &error);
	if (r == 0 && change == RELEASE)
		r = mlx5lm_plan_set_journal(plan, agent->journal);
	if (r == 0 && mlx5lm_plan_length(plan))
		r = mlx5lm_plan_apply(plan, agent->ctx, &error);
	mlx5lm_plan_free(plan);
	mlx5lm_config_free(config);
	if (error) {
		json_decref(*ret);
		refuse_error(ret, error);
	}
	return r == -EBUSY || r == -ESTALE ? -EAGAIN : r < 0 ? r : used;
}

/* The PF of a named VF counts once: at the first of its VFs. */
static bool is_first_of_its_pf(const json_t *vfs, size_t index, const struct mlx5lm_pf *pf)
{
	for (size_t i = 0; i < index; i++) {
		if (find_vf(pf, json_string_value(json_array_get(vfs, i))))
			return false;
	}
	return true;
}

static const struct mlx5lm_pf *find_pf_of(const struct mlx5lm_host *host, const char *bdf)
{
	for (size_t i = 0; i < mlx5lm_host_length_pfs(host); i++) {
		if (find_vf(mlx5lm_host_get_pf(host, i), bdf))
			return mlx5lm_host_get_pf(host, i);
	}
	return NULL;
}

/* Once, as far as it goes; what cannot be done does not keep the rest from being done. */
static int change_once(struct agent *agent, enum change change, const json_t *vfs, json_t **ret)
{
	struct mlx5lm_host *now;
	const json_t *name;
	int r = 0;
	size_t i;

	/* That a guest uses it is no obstacle to a commit, and its downtime runs. */
	if (probe(agent, change == COMMIT ? agent->quick_probe : agent->probe, &now, ret) < 0)
		return -1;
	json_array_foreach(vfs, i, name) {
		if (r == 0 && !find_pf_of(now, json_string_value(name)))
			r = refuse(ret, "not-found", NULL, "this host has no VF %s",
				   json_string_value(name));
	}
	if (r < 0) {
		mlx5lm_host_free(now);
		return r;
	}
	json_array_foreach(vfs, i, name) {
		const struct mlx5lm_pf *pf = find_pf_of(now, json_string_value(name));
		int changed = is_first_of_its_pf(vfs, i, pf) ?
				      change_pf(agent, change, vfs, now, pf, ret) : 0;

		r = changed < 0 && r != -1 ? changed : r;
	}
	mlx5lm_host_free(now);
	return r;
}

static int change_vfs(struct agent *agent, enum change change, const json_t *vfs, json_t **ret)
{
	int r = change_once(agent, change, vfs, ret);

	for (unsigned int attempt = 1; r == -EAGAIN && attempt < NUM_ATTEMPTS; attempt++) {
		json_decref(*ret);
		*ret = NULL;
		wait_for_next_attempt();
		r = change_once(agent, change, vfs, ret);
	}
	if (r == 0)
		note(agent, change, vfs);
	return r;
}

static int answer_change(struct agent *agent, enum change change, const json_t *params,
			 json_t **ret)
{
	const json_t *vfs = json_object_get(params, "vfs"), *name;
	size_t i;

	if (!json_is_array(vfs) || json_array_size(vfs) > MAX_HELD_VFS)
		return refuse(ret, "invalid-argument", NULL,
			      "params: vfs is needed, an array of at most %d PCI addresses",
			      MAX_HELD_VFS);
	json_array_foreach(vfs, i, name) {
		if (!json_is_string(name))
			return refuse(ret, "invalid-argument", NULL,
				      "params: vfs: a PCI address is a string");
	}
	if (change_vfs(agent, change, vfs, ret) < 0)
		return -1;
	*ret = json_pack("{s:O}", "vfs", vfs);
	return *ret ? 0 : -1;
}

int agent_commit(struct agent *agent, const json_t *params, json_t **ret)
{
	return answer_change(agent, COMMIT, params, ret);
}

int agent_release(struct agent *agent, const json_t *params, json_t **ret)
{
	return answer_change(agent, RELEASE, params, ret);
}

static json_t *name_uncommitted(const struct agent *agent)
{
	json_t *vfs = json_array();

	for (size_t i = 0; i < agent->num_held; i++) {
		const char *bdf = vf_str(agent->held[i].before, MLX5LM_VF_BDF);

		if (!agent->held[i].committed &&
		    json_array_append_new(vfs, json_string(bdf)) < 0) {
			json_decref(vfs);
			return NULL;
		}
	}
	return vfs;
}

/* What a guest uses by now belongs to a migration that outlived its caller, and is left to it. */
void agent_end(struct agent *agent)
{
	json_t *vfs = name_uncommitted(agent), *error = NULL;

	if (!vfs || (json_array_size(vfs) && change_vfs(agent, RELEASE, vfs, &error) < 0))
		fprintf(stderr, "mlx5lm-agent: the connection has ended: %s\n",
			error ? json_string_value(json_object_get(error, "message")) :
				"out of memory");
	json_decref(error);
	json_decref(vfs);
	agent->num_held = 0;
	while (agent->num_snapshots)
		mlx5lm_host_free(agent->snapshots[--agent->num_snapshots]);
}
