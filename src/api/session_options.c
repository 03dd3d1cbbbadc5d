// SPDX-License-Identifier: LGPL-2.1-or-later
#include "api/session_options.h"

#include <errno.h>
#include <stddef.h>

#include "api/context.h"
#include "export.h"
#include "sys/libvirt.h"

/* libvirt counts bandwidth in bytes, in 63 bits. */
#define MAX_MIB_PER_S (INT64_MAX >> 20)
/* Room to add it to a clock and to turn it into nanoseconds. */
#define MAX_DEADLINE_MS (INT64_MAX / 2000000)

static const struct text_option {
	enum mlx5lm_session_key key;
	size_t offset;
} texts[] = {
#define TEXT(name, member)                                                                         \
	{ MLX5LM_SESSION_##name, offsetof(struct mlx5lm_session_options, member) }
	TEXT(DOMAIN, domain),
	TEXT(SOURCE_URI, source_uri),
	TEXT(DESTINATION_URI, destination_uri),
	TEXT(PEER_URI, peer_uri),
	TEXT(DATA_URI, data_uri),
	TEXT(TLS_DESTINATION, tls_destination),
	TEXT(JOURNAL_DIR, journal_dir),
#undef TEXT
};

static const struct number_option {
	enum mlx5lm_session_key key;
	size_t offset;
	uint64_t min, max;
	bool is_fact; /* the library decides if it is not set */
} numbers[] = {
#define PLACE(name, member)                                                                        \
	MLX5LM_SESSION_##name, offsetof(struct mlx5lm_session_options, member)
#define NUMBER(name, member, min, max) { PLACE(name, member), min, max, false }
#define FACT(name, member, min, max) { PLACE(name, member), min, max, true }
	NUMBER(CONTROL, control, MLX5LM_CONTROL_P2P, MLX5LM_CONTROL_DIRECT),
	NUMBER(PERSISTENT, persistent, 0, 1),
	NUMBER(BANDWIDTH_MIB_PER_S, bandwidth_mib_per_s, 0, MAX_MIB_PER_S),
	NUMBER(SWITCHOVER_BANDWIDTH_MIB_PER_S, switchover_bandwidth_mib_per_s, 0, MAX_MIB_PER_S),
	FACT(CHANNELS, channels, 0, 255),
	NUMBER(TLS, tls, 0, 1),
	NUMBER(INTERVAL_MS, interval_ms, 50, 60000),
	NUMBER(DOWNTIME_LIMIT_MS, policy.downtime_limit_ms, 0, DOWNTIME_LIMIT_MAX_MS),
	NUMBER(DOWNTIME_CEILING_MS, policy.downtime_ceiling_ms, 0, DOWNTIME_LIMIT_MAX_MS),
	NUMBER(DOWNTIME_STEPS, policy.downtime_steps, 1, 100),
	NUMBER(STALL_ITERATIONS, policy.stall_iterations, 1, 1000),
	FACT(STALL_ACTION, stall_action, MLX5LM_ACTION_CONTINUE, MLX5LM_ACTION_ABORT),
	NUMBER(STALL_DEADLINE_MS, policy.stall_deadline_ms, 0, MAX_DEADLINE_MS),
	NUMBER(CONNECT_DEADLINE_MS, connect_deadline_ms, 1, MAX_DEADLINE_MS),
	NUMBER(SETUP_DEADLINE_MS, policy.setup_deadline_ms, 0, MAX_DEADLINE_MS),
	NUMBER(TOTAL_DEADLINE_MS, policy.total_deadline_ms, 0, MAX_DEADLINE_MS),
	NUMBER(ANSWER_DEADLINE_MS, answer_deadline_ms, 1000, 3600000),
	NUMBER(DEADLINE_ACTION, deadline_action, MLX5LM_ACTION_FORCE_SWITCHOVER,
	       MLX5LM_ACTION_ABORT),
	FACT(VF_STATE_BYTES, vf_state_bytes, 1, INT64_MAX),
	FACT(LINK_MIB_PER_S, link_mib_per_s, 1, MAX_MIB_PER_S),
	NUMBER(MAKEABLE, makeable, 0, 1),
#undef PLACE
#undef NUMBER
#undef FACT
};

static char **text_of(const struct mlx5lm_session_options *options, enum mlx5lm_session_key key)
{
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		if (texts[i].key == key)
			return (char **)((char *)options + texts[i].offset);
	}
	return NULL;
}

static const struct number_option *find_number(enum mlx5lm_session_key key)
{
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		if (numbers[i].key == key)
			return &numbers[i];
	}
	return NULL;
}

static int set_defaults(struct mlx5lm_session_options *options)
{
	options->control = MLX5LM_CONTROL_P2P;
	options->persistent = 1;
	options->interval_ms = 200;
	options->policy.downtime_steps = 5;
	options->policy.stall_iterations = 3;
	options->connect_deadline_ms = 30000;
	options->answer_deadline_ms = 30000;
	options->deadline_action = MLX5LM_ACTION_ABORT;
	return str_replace(&options->source_uri, DEFAULT_LIBVIRT_URI);
}

MLX5LM_EXPORT int mlx5lm_session_options_new(struct mlx5lm_session_options **ret)
{
	_cleanup_session_options_ struct mlx5lm_session_options *options = NULL;

	if (!ret)
		return -EINVAL;
	options = calloc(1, sizeof(*options));
	if (!options || set_defaults(options) < 0)
		return -ENOMEM;
	*ret = TAKE(options);
	return 0;
}

MLX5LM_EXPORT void mlx5lm_session_options_free(struct mlx5lm_session_options *options)
{
	if (!options)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		free(*text_of(options, texts[i].key));
	libvirt_close(options->connection);
	mlx5lm_host_free(options->source);
	mlx5lm_host_free(options->destination);
	vf_mappings_release(&options->vfs);
	free(options);
}

static struct mlx5lm_host *host_ref(struct mlx5lm_host *host)
{
	if (host)
		refcount_get(&host->refcount);
	return host;
}

static int copy_vfs(const struct vf_mappings *from, struct vf_mappings *to)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < from->length; i++)
		r = vf_mappings_add(to, from->items[i].source, from->items[i].destination);
	return r;
}

int session_options_copy(const struct mlx5lm_session_options *options,
			 struct mlx5lm_session_options **ret)
{
	_cleanup_session_options_ struct mlx5lm_session_options *copy = malloc(sizeof(*copy));
	int r;

	if (!copy)
		return -ENOMEM;
	*copy = *options;
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		*text_of(copy, texts[i].key) = NULL;
	copy->vfs = (struct vf_mappings){ 0 };
	copy->connection = NULL;
	copy->source = host_ref(options->source);
	copy->destination = host_ref(options->destination);
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		r = str_replace(text_of(copy, texts[i].key), *text_of(options, texts[i].key));
		if (r < 0)
			return r;
	}
	if (options->connection && libvirt_ref(options->connection, &copy->connection) < 0)
		return -ENOMEM;
	r = copy_vfs(&options->vfs, &copy->vfs);
	if (r < 0)
		return r;
	*ret = TAKE(copy);
	return 0;
}

const char *session_options_complaint(const struct mlx5lm_session_options *options)
{
	const struct job_policy *policy = &options->policy;

	if (!options->domain || !options->destination_uri)
		return "a session needs a domain and a destination URI";
	if (policy->downtime_ceiling_ms &&
	    policy->downtime_ceiling_ms < policy->downtime_limit_ms)
		return "the ceiling of the downtime limit is below the limit itself";
	if (options->stall_action.known &&
	    options->stall_action.value == MLX5LM_ACTION_RAISE_DOWNTIME &&
	    !policy->downtime_ceiling_ms)
		return "to raise the downtime limit at a stall, a ceiling is needed";
	if (options->tls_destination && !options->tls)
		return "a name of the TLS destination is given, but no TLS is wanted";
	if (options->peer_uri && options->control == MLX5LM_CONTROL_DIRECT)
		return "in direct control the daemons do not talk to one another: a peer URI has no "
		       "meaning";
	return NULL;
}

void session_options_get_policy(const struct mlx5lm_session_options *options,
				struct job_policy *ret)
{
	*ret = options->policy;
	ret->deadline_action = (enum mlx5lm_action)options->deadline_action;
	if (options->stall_action.known)
		ret->stall_action = (enum mlx5lm_action)options->stall_action.value;
	else
		ret->stall_action = ret->downtime_ceiling_ms ? MLX5LM_ACTION_RAISE_DOWNTIME :
							       MLX5LM_ACTION_CONTINUE;
}

MLX5LM_EXPORT int mlx5lm_session_options_set_str(struct mlx5lm_session_options *options,
						 enum mlx5lm_session_key key, const char *value)
{
	char **text = options ? text_of(options, key) : NULL;

	if (!text || (value && !*value))
		return -EINVAL;
	if (!value && key == MLX5LM_SESSION_SOURCE_URI)
		value = DEFAULT_LIBVIRT_URI;
	return str_replace(text, value);
}

MLX5LM_EXPORT int mlx5lm_session_options_get_str(const struct mlx5lm_session_options *options,
						 enum mlx5lm_session_key key, const char **ret)
{
	char **text = options ? text_of(options, key) : NULL;

	if (!text || !ret)
		return -EINVAL;
	if (!*text)
		return -ENODATA;
	*ret = *text;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_options_set_u64(struct mlx5lm_session_options *options,
						 enum mlx5lm_session_key key, uint64_t value)
{
	const struct number_option *number = find_number(key);
	char *member;

	if (!options || !number)
		return -EINVAL;
	if (value < number->min || value > number->max)
		return -ERANGE;
	member = (char *)options + number->offset;
	if (number->is_fact)
		*(struct fact_u64 *)member = fact_u64(value);
	else
		*(uint64_t *)member = value;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_options_get_u64(const struct mlx5lm_session_options *options,
						 enum mlx5lm_session_key key, uint64_t *ret)
{
	const struct number_option *number = find_number(key);
	const char *member;

	if (!options || !number || !ret)
		return -EINVAL;
	member = (const char *)options + number->offset;
	if (!number->is_fact) {
		*ret = *(const uint64_t *)member;
		return 0;
	}
	if (!((const struct fact_u64 *)member)->known)
		return -ENODATA;
	*ret = ((const struct fact_u64 *)member)->value;
	return 0;
}

MLX5LM_EXPORT int
mlx5lm_session_options_set_source_connection(struct mlx5lm_session_options *options,
					     struct _virConnect *connection)
{
	_cleanup_libvirt_ struct _virConnect *mine = NULL;
	char *uri = NULL;

	if (!options)
		return -EINVAL;
	/* The same daemon under its own name: in messages, the journal and the queue. */
	if (connection && (libvirt_ref(connection, &mine) < 0 ||
			   libvirt_get_uri(connection, &uri, NULL) < 0))
		return -EINVAL;
	if (uri) {
		free(options->source_uri);
		options->source_uri = uri;
	}
	libvirt_close(options->connection);
	options->connection = TAKE(mine);
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_options_set_hosts(struct mlx5lm_session_options *options,
						   struct mlx5lm_host *source,
						   struct mlx5lm_host *destination)
{
	if (!options || !source || !destination)
		return -EINVAL;
	/* The new ones first: they may be the old ones. */
	host_ref(source);
	host_ref(destination);
	mlx5lm_host_free(options->source);
	mlx5lm_host_free(options->destination);
	options->source = source;
	options->destination = destination;
	return 0;
}

MLX5LM_EXPORT int mlx5lm_session_options_set_vf(struct mlx5lm_session_options *options,
						const char *source_bdf,
						const char *destination_bdf)
{
	if (!options || !source_bdf || !destination_bdf)
		return -EINVAL;
	if (vf_mappings_find(&options->vfs, source_bdf) ||
	    vf_mappings_has_destination(&options->vfs, destination_bdf))
		return -EEXIST;
	return vf_mappings_add(&options->vfs, source_bdf, destination_bdf);
}
