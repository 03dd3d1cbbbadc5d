/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_EVACUATION_H
#define MLX5LM_EVACUATION_H

#include <mlx5lm/types.h>
#include <mlx5lm/check.h>
#include <mlx5lm/fleet.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum mlx5lm_evacuation_option - bounds of an evacuation
 * @MLX5LM_EVACUATION_OPTION_UNKNOWN: none
 * @MLX5LM_EVACUATION_OPTION_MAX_VFS_PER_PF: how many VFs of one PF, on either side, may migrate at
 *	a time; 4 until it is set (Red Hat, "Live migrating a VM with an attached Mellanox virtual
 *	function"); 0 for no limit. A domain that has to have more goes alone
 * @MLX5LM_EVACUATION_OPTION_BANDWIDTH_MIB_PER_S: of the network between the hosts, for the state
 *	of VFs at switchover; 0 if it is not known, as until it is set
 * @MLX5LM_EVACUATION_OPTION_STATE_BYTES_PER_VF: how much state of a VF is left to be sent at
 *	switchover; 0 if it is not known, as until it is set
 * @MLX5LM_EVACUATION_OPTION_DOWNTIME_LIMIT_MS: no guest may stand still for longer; 0 for no
 *	limit, as until it is set. Needs the two before: the guests of a wave share the network
 *
 * Since: 0.4
 */
enum mlx5lm_evacuation_option {
	MLX5LM_EVACUATION_OPTION_UNKNOWN = 0,
	MLX5LM_EVACUATION_OPTION_MAX_VFS_PER_PF = 1,
	MLX5LM_EVACUATION_OPTION_BANDWIDTH_MIB_PER_S = 2,
	MLX5LM_EVACUATION_OPTION_STATE_BYTES_PER_VF = 3,
	MLX5LM_EVACUATION_OPTION_DOWNTIME_LIMIT_MS = 4
};

/**
 * enum mlx5lm_evacuation_key - facts about an evacuation
 * @MLX5LM_EVACUATION_UNKNOWN: none
 * @MLX5LM_EVACUATION_NUM_WAVES: u64, how many waves there are
 * @MLX5LM_EVACUATION_NUM_LEFT: u64, how many domains have no place to go
 * @MLX5LM_EVACUATION_OPTIMAL: u64, enum mlx5lm_answer: whether no other plan leaves fewer domains
 *	behind, or as few in fewer waves; UNKNOWN if there were too many possibilities to tell
 *
 * Since: 0.4
 */
enum mlx5lm_evacuation_key {
	MLX5LM_EVACUATION_UNKNOWN = 0,
	MLX5LM_EVACUATION_NUM_WAVES = 1,
	MLX5LM_EVACUATION_NUM_LEFT = 2,
	MLX5LM_EVACUATION_OPTIMAL = 3
};

/**
 * enum mlx5lm_move_key - facts about the move of a domain
 * @MLX5LM_MOVE_UNKNOWN: none
 * @MLX5LM_MOVE_DOMAIN: name of the domain
 * @MLX5LM_MOVE_DESTINATION: name of the host it goes to
 * @MLX5LM_MOVE_WAVE: u64, 1 and up: those of a wave can go at the same time
 * @MLX5LM_MOVE_DOWNTIME_MS: u64, for how long the network keeps the guest standing still if all
 *	of its wave switch over at once; only known with bandwidth and size of state
 * @MLX5LM_MOVE_NUM_VFS: u64, how many VFs it has
 *
 * Texts are got with mlx5lm_move_get_str(), numbers (u64) with mlx5lm_move_get_u64().
 *
 * Since: 0.4
 */
enum mlx5lm_move_key {
	MLX5LM_MOVE_UNKNOWN = 0,
	MLX5LM_MOVE_DOMAIN = 1,
	MLX5LM_MOVE_DESTINATION = 2,
	MLX5LM_MOVE_WAVE = 3,
	MLX5LM_MOVE_DOWNTIME_MS = 4,
	MLX5LM_MOVE_NUM_VFS = 5
};

/**
 * mlx5lm_evacuation_options_new() - create options of an evacuation
 * @ret: where to put them; yours, release with mlx5lm_evacuation_options_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.4
 */
int mlx5lm_evacuation_options_new(struct mlx5lm_evacuation_options **ret);

/**
 * mlx5lm_evacuation_options_set_u64() - set a bound
 * @options: options
 * @option: which; its unit is in its name
 * @value: the value
 *
 * Return: 0; -EINVAL if @option is not known to this library.
 * Thread: one at a time. Since: 0.4
 */
int mlx5lm_evacuation_options_set_u64(struct mlx5lm_evacuation_options *options,
				      enum mlx5lm_evacuation_option option, uint64_t value);

/**
 * mlx5lm_evacuation_options_exclude_host() - send nothing to a host
 * @options: options
 * @name: its name in the fleet
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one at a time. Since: 0.4
 */
int mlx5lm_evacuation_options_exclude_host(struct mlx5lm_evacuation_options *options,
					   const char *name);

/**
 * mlx5lm_evacuation_options_free() - release options
 * @options: options, may be NULL
 *
 * Thread: any. Since: 0.4
 */
void mlx5lm_evacuation_options_free(struct mlx5lm_evacuation_options *options);

/**
 * mlx5lm_evacuation_new() - plan to empty a host
 * @fleet: a fleet
 * @host: name of the host in it whose domains shall go
 * @options: options; NULL for none
 * @ret: where to put the plan; yours, release with mlx5lm_evacuation_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * For the domains that have VFs, as the snapshots know them. Each goes to one host with as many
 * free, ready VFs of the right classes; as few as possible stay behind, and the others go in as
 * few waves as possible. Touches nothing; the same fleet gives the same plan.
 *
 * Return: 0, whatever stays behind; -EINVAL; -ENOENT if there is no host of that name; -ENOMEM.
 * Thread: any (while nobody adds to @fleet). Since: 0.4
 */
int mlx5lm_evacuation_new(const struct mlx5lm_fleet *fleet, const char *host,
			  const struct mlx5lm_evacuation_options *options,
			  struct mlx5lm_evacuation **ret, struct mlx5lm_error **reterr);

/**
 * mlx5lm_evacuation_get_u64() - a number about an evacuation
 * @evacuation: an evacuation
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -EINVAL if @key is not known to this library.
 * Thread: any (immutable). Since: 0.4
 */
int mlx5lm_evacuation_get_u64(const struct mlx5lm_evacuation *evacuation,
			      enum mlx5lm_evacuation_key key, uint64_t *ret);

/**
 * mlx5lm_evacuation_get_findings() - who stays behind, and why
 * @evacuation: an evacuation, may be NULL
 *
 * Return: a finding for each domain that has no place to go, borrowed from @evacuation; NULL for
 * NULL.
 * Thread: any (immutable). Since: 0.4
 */
const struct mlx5lm_findings *
mlx5lm_evacuation_get_findings(const struct mlx5lm_evacuation *evacuation);

/**
 * mlx5lm_evacuation_length_moves() - number of domains that have a place to go
 * @evacuation: an evacuation, may be NULL
 *
 * Return: the number.
 * Thread: any (immutable). Since: 0.4
 */
size_t mlx5lm_evacuation_length_moves(const struct mlx5lm_evacuation *evacuation);

/**
 * mlx5lm_evacuation_get_move() - the move of a domain
 * @evacuation: an evacuation
 * @index: less than mlx5lm_evacuation_length_moves(); wave by wave, names in order
 *
 * Return: the move, borrowed from @evacuation; NULL if there is none of that index.
 * Thread: any (immutable). Since: 0.4
 */
const struct mlx5lm_move *mlx5lm_evacuation_get_move(const struct mlx5lm_evacuation *evacuation,
						     size_t index);

/**
 * mlx5lm_move_get_str() - a text about a move
 * @move: a move
 * @key: which
 * @ret: where to put it; borrowed from the evacuation
 *
 * Return: 0; -EINVAL if @key is not known to this library or no text.
 * Thread: any (immutable). Since: 0.4
 */
int mlx5lm_move_get_str(const struct mlx5lm_move *move, enum mlx5lm_move_key key,
			const char **ret);

/**
 * mlx5lm_move_get_u64() - a number about a move
 * @move: a move
 * @key: which; its unit is in its name
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if it is not known; -EINVAL if @key is not known to this library or no
 * number.
 * Thread: any (immutable). Since: 0.4
 */
int mlx5lm_move_get_u64(const struct mlx5lm_move *move, enum mlx5lm_move_key key, uint64_t *ret);

/**
 * mlx5lm_move_get_vf() - a VF of a domain that moves, and the VF that takes it over
 * @move: a move
 * @index: less than MLX5LM_MOVE_NUM_VFS
 * @ret_source_bdf: where to put the BDF of the VF it has; borrowed from the evacuation
 * @ret_destination_bdf: where to put the BDF of the VF it gets; borrowed from the evacuation
 *
 * Return: 0; -EINVAL; -ENOENT if there is none of that index.
 * Thread: any (immutable). Since: 0.4
 */
int mlx5lm_move_get_vf(const struct mlx5lm_move *move, size_t index, const char **ret_source_bdf,
		       const char **ret_destination_bdf);

/**
 * mlx5lm_evacuation_serialize() - write an evacuation
 * @evacuation: an evacuation
 * @format: JSON (doc/schema/evacuation-1.json) or text
 * @ret: where to put the text; yours, release with mlx5lm_text_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any (immutable). Since: 0.4
 */
int mlx5lm_evacuation_serialize(const struct mlx5lm_evacuation *evacuation,
				enum mlx5lm_format format, struct mlx5lm_text **ret);

/**
 * mlx5lm_evacuation_free() - release an evacuation
 * @evacuation: an evacuation, may be NULL
 *
 * Thread: any. Since: 0.4
 */
void mlx5lm_evacuation_free(struct mlx5lm_evacuation *evacuation);

#ifdef __cplusplus
}
#endif

#endif
