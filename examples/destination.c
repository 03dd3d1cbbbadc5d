// SPDX-License-Identifier: MIT-0
/* What has to be done at the destination before, at and after the switchover: asked of its agent. */
#include "destination.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"

static const char *pair_str(const struct mlx5lm_pair *pair, enum mlx5lm_pair_key key)
{
	const char *text;

	return mlx5lm_pair_get_str(pair, key, &text) == 0 ? text : "";
}

static const char *vf_str(const struct mlx5lm_vf *vf, enum mlx5lm_vf_key key)
{
	const char *text;

	return vf && mlx5lm_vf_get_str(vf, key, &text) == 0 ? text : "";
}

static const struct mlx5lm_vf *find_vf(const struct mlx5lm_host *host, const char *pf_bdf,
				       const char *bdf)
{
	const struct mlx5lm_pf *pf = mlx5lm_host_get_pf_by_bdf(host, pf_bdf);

	for (size_t i = 0; pf && i < mlx5lm_pf_length_vfs(pf); i++) {
		if (strcmp(vf_str(mlx5lm_pf_get_vf(pf, i), MLX5LM_VF_BDF), bdf) == 0)
			return mlx5lm_pf_get_vf(pf, i);
	}
	return NULL;
}

/* What comes from another host is not to steer this one's terminal. */
static char *to_plain(const char *text)
{
	char *copy = text ? strdup(text) : NULL;

	for (char *sign = copy; sign && *sign; sign++) {
		if ((unsigned char)*sign < ' ' || *sign == 0x7f)
			*sign = ' ';
	}
	return copy;
}

static char *member(const json_t *error, const char *name)
{
	return to_plain(json_string_value(json_object_get(error, name)));
}

/* Takes the agent's error, NULL if there was no memory; remedy goes before the agent's. */
static int fail(struct mlx5lm_session *session, json_t *error, const char *own_remedy)
{
	char *message = member(error, "message"), *detail = member(error, "detail");
	char *remedy = member(error, "remedy"), *whole = NULL;

	if (message && detail && asprintf(&whole, "%s: %s", message, detail) < 0)
		whole = NULL;
	mlx5lm_session_set_hook_error(session, whole ? whole : message ? message : "out of memory",
				      own_remedy ? own_remedy : remedy);
	free(whole);
	free(message);
	free(detail);
	free(remedy);
	json_decref(error);
	return -EREMOTEIO;
}

struct mlx5lm_host *destination_probe(struct destination *destination)
{
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_host *host = NULL;
	json_t *answer;
	char *text;

	if (remote_ask(&destination->remote, "probe", json_object(), &answer) < 0) {
		text = member(answer, "message");
		fprintf(stderr, "error: %s\n", text ? text : "out of memory");
		free(text);
		text = member(answer, "remedy");
		if (text)
			fprintf(stderr, "  to do: %s\n", text);
		free(text);
		json_decref(answer);
		return NULL;
	}
	text = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	if (text && mlx5lm_host_parse_with_limit(text, strlen(text), MAX_SNAPSHOT_BYTES, &host,
						 &error) < 0)
		print_error(error);
	free(text);
	return host;
}

/* The VF as the guest needs it, but for its traffic, which goes to the source until COMMIT. */
static int want_vf(const struct destination *destination, const struct mlx5lm_pair *pair,
		   struct mlx5lm_config *config)
{
	const struct mlx5lm_vf *source = find_vf(destination->source,
						 pair_str(pair, MLX5LM_PAIR_SOURCE_PF),
						 pair_str(pair, MLX5LM_PAIR_SOURCE));
	const struct mlx5lm_vf *vf = find_vf(destination->host,
					     pair_str(pair, MLX5LM_PAIR_DESTINATION_PF),
					     pair_str(pair, MLX5LM_PAIR_DESTINATION));
	uint64_t number;
	uint32_t index;

	if (!vf || mlx5lm_vf_get_u64(vf, MLX5LM_VF_INDEX, &number) < 0)
		return -1;
	index = (uint32_t)number;
	if (mlx5lm_config_set_vf_attr(config, index, MLX5LM_PORT_ATTR_MIGRATABLE,
				      MLX5LM_PORT_ATTR_STATE_ENABLED) < 0 ||
	    mlx5lm_config_set_vf_driver(config, index, "mlx5_vfio_pci") < 0 ||
	    mlx5lm_config_set_vf_representor_state(config, index, MLX5LM_ADMIN_STATE_DOWN) < 0)
		return -1;
	if (mlx5lm_config_set_vf_hw_addr(config, index, vf_str(source, MLX5LM_VF_HW_ADDR)) < 0)
		fprintf(stderr, "warning: VF %s has no hardware address of its own, so that the "
			"destination's cannot get the same\n", pair_str(pair, MLX5LM_PAIR_SOURCE));
	return 0;
}

/* The wishes for all VFs of one PF of the destination, as params of a request; NULL if not. */
static json_t *new_params(const struct destination *destination, struct mlx5lm_session *session,
			  const char *pf)
{
	struct mlx5lm_config *config = NULL;
	struct mlx5lm_text *text = NULL;
	json_t *document = NULL;
	int r = mlx5lm_config_new(&config);

	for (size_t i = 0; r == 0 && i < mlx5lm_session_length_pairs(session); i++) {
		const struct mlx5lm_pair *pair = mlx5lm_session_get_pair(session, i);

		if (strcmp(pair_str(pair, MLX5LM_PAIR_DESTINATION_PF), pf) == 0)
			r = want_vf(destination, pair, config);
	}
	if (r == 0 && mlx5lm_config_serialize(config, &text) == 0)
		document = json_loads(mlx5lm_text_get_str(text), 0, NULL);
	mlx5lm_text_free(text);
	mlx5lm_config_free(config);
	return document ? json_pack("{s:s, s:o}", "pf", pf, "config", document) : NULL;
}

/* Is the pair the first one with its PF at the destination? */
static int is_first(struct mlx5lm_session *session, size_t index, const char *pf)
{
	for (size_t i = 0; i < index; i++) {
		const struct mlx5lm_pair *pair = mlx5lm_session_get_pair(session, i);

		if (strcmp(pair_str(pair, MLX5LM_PAIR_DESTINATION_PF), pf) == 0)
			return 0;
	}
	return 1;
}

static int ask_for_vfs(struct destination *destination, struct mlx5lm_session *session,
		       const char *method, const char *remedy)
{
	json_t *vfs = json_array(), *answer;

	for (size_t i = 0; i < mlx5lm_session_length_pairs(session); i++)
		json_array_append_new(vfs, json_string(pair_str(mlx5lm_session_get_pair(session, i),
								MLX5LM_PAIR_DESTINATION)));
	if (json_array_size(vfs) == 0) {
		json_decref(vfs);
		return 0;
	}
	if (remote_ask(&destination->remote, method, json_pack("{s:o}", "vfs", vfs), &answer) < 0)
		return fail(session, answer, remedy);
	json_decref(answer);
	return 0;
}

static int apply(struct destination *destination, struct mlx5lm_session *session)
{
	json_t *answer;

	for (size_t i = 0; i < mlx5lm_session_length_pairs(session); i++) {
		const char *pf = pair_str(mlx5lm_session_get_pair(session, i),
					  MLX5LM_PAIR_DESTINATION_PF);
		json_t *params;

		if (!is_first(session, i, pf))
			continue;
		params = new_params(destination, session, pf);
		if (!params)
			return fail(session, NULL, NULL);
		if (remote_ask(&destination->remote, "apply", params, &answer) < 0)
			return fail(session, answer, NULL);
		json_decref(answer);
	}
	return 0;
}

static int prepare(struct destination *destination, struct mlx5lm_session *session)
{
	struct mlx5lm_host *host;
	int r;

	if (mlx5lm_session_length_pairs(session) == 0)
		return 0;
	r = apply(destination, session);
	if (r < 0)
		return r;
	host = destination_probe(destination);
	if (!host)
		return fail(session, NULL, NULL);
	r = mlx5lm_session_set_destination(session, host);
	mlx5lm_host_free(host);
	return r;
}

int destination_hook(struct mlx5lm_session *session, enum mlx5lm_hook hook, void *userdata)
{
	struct destination *destination = userdata;

	switch (hook) {
	case MLX5LM_HOOK_PREPARE:
		return prepare(destination, session);
	case MLX5LM_HOOK_COMMIT:
		return ask_for_vfs(destination, session, "commit",
				   "if the guest runs at the destination, set the representors of "
				   "its VFs up there: mlx5lm-configure --pf PF --vf "
				   "INDEX:representor=up --apply");
	case MLX5LM_HOOK_RELEASE:
		return ask_for_vfs(destination, session, "release", NULL);
	default:
		return 0;
	}
}
