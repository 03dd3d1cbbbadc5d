/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_FLEET_H
#define MLX5LM_FLEET_H

#include <mlx5lm/types.h>
#include <mlx5lm/check.h>
#include <mlx5lm/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum mlx5lm_class_key - facts about a class of a fleet
 * @MLX5LM_CLASS_UNKNOWN: none
 * @MLX5LM_CLASS_PSID: PSID of the adapters
 * @MLX5LM_CLASS_FIRMWARE: their running firmware
 * @MLX5LM_CLASS_KNOWN: u64, enum mlx5lm_answer: NO if something that decides is not known of its
 *	hosts, so that nobody knows whether VFs can move among them
 * @MLX5LM_CLASS_NEAREST: u64, index of the class that is at least as large and differs least
 *
 * Texts are got with mlx5lm_class_get_str(), numbers (u64) with mlx5lm_class_get_u64().
 *
 * Since: 0.4
 */
enum mlx5lm_class_key {
	MLX5LM_CLASS_UNKNOWN = 0,
	MLX5LM_CLASS_PSID = 1,
	MLX5LM_CLASS_FIRMWARE = 2,
	MLX5LM_CLASS_KNOWN = 3,
	MLX5LM_CLASS_NEAREST = 4
};

/**
 * mlx5lm_fleet_new() - create a fleet without hosts
 * @ret: where to put it; yours, release with mlx5lm_fleet_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.4
 */
int mlx5lm_fleet_new(struct mlx5lm_fleet **ret);

/**
 * mlx5lm_fleet_add() - add a host
 * @fleet: a fleet
 * @host: a snapshot; what counts of it is copied: some 200 bytes if it has two VFs
 * @name: what to call it, at most 255 bytes of UTF-8 without control characters; NULL for its
 *	hostname
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Costs a few microseconds, which grow with the logarithm of the number of hosts. Everything that
 * was borrowed from @fleet becomes invalid. If it fails, @fleet is as before.
 *
 * Return: 0; -EINVAL, also if there is no name; -EEXIST if there is a host of that name;
 * -ENOMEM.
 * Thread: one at a time. Since: 0.4
 */
int mlx5lm_fleet_add(struct mlx5lm_fleet *fleet, const struct mlx5lm_host *host, const char *name,
		     struct mlx5lm_error **reterr);

/**
 * mlx5lm_fleet_length_hosts() - number of hosts
 * @fleet: a fleet, may be NULL
 *
 * Return: the number.
 * Thread: any (while nobody adds). Since: 0.4
 */
size_t mlx5lm_fleet_length_hosts(const struct mlx5lm_fleet *fleet);

/**
 * mlx5lm_fleet_length_classes() - number of classes
 * @fleet: a fleet, may be NULL
 *
 * Hosts are in one class if VFs can move among all of them in any direction: if
 * mlx5lm_compare() finds nothing in their adapters that blocks. A host with different adapters
 * is in a class for each kind; one without any is in none.
 *
 * Return: the number.
 * Thread: any (while nobody adds). Since: 0.4
 */
size_t mlx5lm_fleet_length_classes(const struct mlx5lm_fleet *fleet);

/**
 * mlx5lm_fleet_get_class() - a class by its place
 * @fleet: a fleet
 * @index: less than mlx5lm_fleet_length_classes()
 *
 * The largest is first; of equal ones, that whose first host has the smaller name. The first call
 * after a host was added puts all in order.
 *
 * Return: the class, borrowed from @fleet; NULL if there is none of that index, or no memory.
 * Thread: any (while nobody adds). Since: 0.4
 */
const struct mlx5lm_class *mlx5lm_fleet_get_class(const struct mlx5lm_fleet *fleet, size_t index);

/**
 * mlx5lm_class_length_hosts() - number of hosts in a class
 * @cls: a class, may be NULL
 *
 * Return: the number.
 * Thread: any (while nobody adds). Since: 0.4
 */
size_t mlx5lm_class_length_hosts(const struct mlx5lm_class *cls);

/**
 * mlx5lm_class_get_host() - name of a host in a class
 * @cls: a class
 * @index: less than mlx5lm_class_length_hosts(); names are in order
 *
 * Return: the name, borrowed from the fleet; NULL if there is none of that index.
 * Thread: any (while nobody adds). Since: 0.4
 */
const char *mlx5lm_class_get_host(const struct mlx5lm_class *cls, size_t index);

/**
 * mlx5lm_class_get_str() - a text about a class
 * @cls: a class
 * @key: which
 * @ret: where to put it; borrowed from the fleet
 *
 * Return: 0; -ENODATA if it is not known; -EINVAL if @key is not known to this library or no
 * text.
 * Thread: any (while nobody adds). Since: 0.4
 */
int mlx5lm_class_get_str(const struct mlx5lm_class *cls, enum mlx5lm_class_key key,
			 const char **ret);

/**
 * mlx5lm_class_get_u64() - a number about a class
 * @cls: a class
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if there is none; -EINVAL if @key is not known to this library or no
 * number.
 * Thread: any (while nobody adds). Since: 0.4
 */
int mlx5lm_class_get_u64(const struct mlx5lm_class *cls, enum mlx5lm_class_key key, uint64_t *ret);

/**
 * mlx5lm_fleet_join() - what would put the hosts of one class into another
 * @fleet: a fleet
 * @from: index of the class whose hosts would change
 * @to: index of the class they would join
 * @ret: where to put the findings; yours, release with mlx5lm_findings_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * One finding for each difference: WARN if firmware or NV configuration of each host of @from can
 * be changed, with the command; FAIL if it cannot, such as another PSID, or if it is rather the
 * hosts of @to that should change (MLX5LM_FINDING_SIDE is "destination"); UNKNOWN if it is not
 * known. The number of hosts that change is mlx5lm_class_length_hosts() of @from: ask both ways
 * and take the smaller one.
 *
 * Return: 0; -EINVAL; -ENOENT if there is none of those indices; -ENOMEM.
 * Thread: any (while nobody adds). Since: 0.4
 */
int mlx5lm_fleet_join(const struct mlx5lm_fleet *fleet, size_t from, size_t to,
		      struct mlx5lm_findings **ret, struct mlx5lm_error **reterr);

/**
 * mlx5lm_fleet_serialize() - write a report of a fleet
 * @fleet: a fleet
 * @format: JSON (doc/schema/fleet-1.json) or text: the classes, the odd ones out and why, what
 *	would join them
 * @ret: where to put the text; yours, release with mlx5lm_text_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any (while nobody adds). Since: 0.4
 */
int mlx5lm_fleet_serialize(const struct mlx5lm_fleet *fleet, enum mlx5lm_format format,
			   struct mlx5lm_text **ret);

/**
 * mlx5lm_fleet_free() - release a fleet
 * @fleet: a fleet, may be NULL
 *
 * Thread: any. Since: 0.4
 */
void mlx5lm_fleet_free(struct mlx5lm_fleet *fleet);

#ifdef __cplusplus
}
#endif

#endif
