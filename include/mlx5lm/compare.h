/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_COMPARE_H
#define MLX5LM_COMPARE_H

#include <mlx5lm/types.h>
#include <mlx5lm/check.h>
#include <mlx5lm/domain.h>
#include <mlx5lm/host.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum mlx5lm_verdict - can VFs move from the source to the destination?
 * @MLX5LM_VERDICT_UNKNOWN: something that decides is not known
 * @MLX5LM_VERDICT_COMPATIBLE: yes
 * @MLX5LM_VERDICT_INCOMPATIBLE: no; the findings with status FAIL say why
 *
 * Since: 0.1
 */
enum mlx5lm_verdict {
	MLX5LM_VERDICT_UNKNOWN = 0,
	MLX5LM_VERDICT_COMPATIBLE = 1,
	MLX5LM_VERDICT_INCOMPATIBLE = 2
};

/**
 * enum mlx5lm_numa_policy - how to choose among VFs on several NUMA nodes
 * @MLX5LM_NUMA_POLICY_UNKNOWN: none
 * @MLX5LM_NUMA_POLICY_PREFER: on the node that the source VF is on, else on any
 * @MLX5LM_NUMA_POLICY_REQUIRE: only on the node that the source VF is on
 * @MLX5LM_NUMA_POLICY_IGNORE: on any
 *
 * Since: 0.4
 */
enum mlx5lm_numa_policy {
	MLX5LM_NUMA_POLICY_UNKNOWN = 0,
	MLX5LM_NUMA_POLICY_PREFER = 1,
	MLX5LM_NUMA_POLICY_REQUIRE = 2,
	MLX5LM_NUMA_POLICY_IGNORE = 3
};

/**
 * enum mlx5lm_pair_key - facts about a source VF and the destination VF it can go to
 * @MLX5LM_PAIR_UNKNOWN: none
 * @MLX5LM_PAIR_SOURCE: BDF of the source VF
 * @MLX5LM_PAIR_DESTINATION: BDF of the destination VF
 * @MLX5LM_PAIR_SOURCE_PF: BDF of the source VF's PF
 * @MLX5LM_PAIR_DESTINATION_PF: BDF of the destination VF's PF
 * @MLX5LM_PAIR_READY: u64, enum mlx5lm_answer: whether the destination VF is ready as it is
 * @MLX5LM_PAIR_REMEDY: what makes the destination VF ready, if it is not
 *
 * Texts are got with mlx5lm_pair_get_str(), numbers (u64) with mlx5lm_pair_get_u64().
 *
 * Since: 0.4
 */
enum mlx5lm_pair_key {
	MLX5LM_PAIR_UNKNOWN = 0,
	MLX5LM_PAIR_SOURCE = 1,
	MLX5LM_PAIR_DESTINATION = 2,
	MLX5LM_PAIR_SOURCE_PF = 3,
	MLX5LM_PAIR_DESTINATION_PF = 4,
	MLX5LM_PAIR_READY = 5,
	MLX5LM_PAIR_REMEDY = 6
};

/**
 * mlx5lm_compare_options_new() - create options of a comparison
 * @ret: where to put them; yours, release with mlx5lm_compare_options_free()
 *
 * Without any: every VF of the source that is ready is paired.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.4
 */
int mlx5lm_compare_options_new(struct mlx5lm_compare_options **ret);

/**
 * mlx5lm_compare_options_set_domain() - compare for one domain
 * @options: options
 * @domain: a domain on the source host, of which a copy is kept; NULL for none
 *
 * The VFs of the domain are paired, all or none; the domain is looked at as
 * mlx5lm_domain_check() does, and mlx5lm_comparison_get_destination_xml() has its XML for the
 * destination.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one at a time. Since: 0.4
 */
int mlx5lm_compare_options_set_domain(struct mlx5lm_compare_options *options,
				      const struct mlx5lm_domain *domain);

/**
 * mlx5lm_compare_options_set_vf() - choose the destination VF of a source VF
 * @options: options
 * @source_bdf: BDF of the source VF
 * @destination_bdf: BDF of the destination VF; NULL to leave the choice to the library again
 *
 * Return: 0; -EINVAL if one is no BDF or another source VF has this destination; -ENOMEM.
 * Thread: one at a time. Since: 0.4
 */
int mlx5lm_compare_options_set_vf(struct mlx5lm_compare_options *options, const char *source_bdf,
				  const char *destination_bdf);

/**
 * mlx5lm_compare_options_exclude_vf() - leave a VF of the destination alone
 * @options: options
 * @destination_bdf: its BDF
 *
 * Return: 0; -EINVAL if it is no BDF; -ENOMEM.
 * Thread: one at a time. Since: 0.4
 */
int mlx5lm_compare_options_exclude_vf(struct mlx5lm_compare_options *options,
				      const char *destination_bdf);

/**
 * mlx5lm_compare_options_set_destination_pf() - take VFs of one PF of the destination only
 * @options: options
 * @pf_bdf: BDF of the PF; NULL for any
 *
 * Return: 0; -EINVAL if it is no BDF; -ENOMEM.
 * Thread: one at a time. Since: 0.4
 */
int mlx5lm_compare_options_set_destination_pf(struct mlx5lm_compare_options *options,
					      const char *pf_bdf);

/**
 * mlx5lm_compare_options_set_numa_policy() - how to choose among NUMA nodes
 * @options: options
 * @policy: the policy; MLX5LM_NUMA_POLICY_PREFER until it is set
 *
 * Return: 0; -EINVAL if @policy is not known to this library.
 * Thread: one at a time. Since: 0.4
 */
int mlx5lm_compare_options_set_numa_policy(struct mlx5lm_compare_options *options,
					   enum mlx5lm_numa_policy policy);

/**
 * mlx5lm_compare_options_set_makeable() - also take VFs that are not ready yet
 * @options: options
 * @allowed: 1: take free VFs too that a plan can make ready, if no more ready ones are left; 0: do
 *	not, as until it is set
 *
 * Return: 0; -EINVAL.
 * Thread: one at a time. Since: 0.4
 */
int mlx5lm_compare_options_set_makeable(struct mlx5lm_compare_options *options, int allowed);

/**
 * mlx5lm_compare_options_set_migrate_flags() - how the domain is going to be migrated
 * @options: options
 * @migrate_flags: a set of virDomainMigrateFlags; 0 if not known
 *
 * Return: 0; -EINVAL.
 * Thread: one at a time. Since: 0.4
 */
int mlx5lm_compare_options_set_migrate_flags(struct mlx5lm_compare_options *options,
					     uint64_t migrate_flags);

/**
 * mlx5lm_compare_options_free() - release options
 * @options: options, may be NULL
 *
 * Thread: any. Since: 0.4
 */
void mlx5lm_compare_options_free(struct mlx5lm_compare_options *options);

/**
 * mlx5lm_compare() - compare two hosts
 * @source: snapshot of the host the VM is on
 * @destination: snapshot of the host it shall go to
 * @options: options; NULL for none
 * @ret: where to put the comparison; yours, release with mlx5lm_comparison_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Touches nothing; the same snapshots give the same result, byte for byte. With the hosts
 * exchanged, all findings but those of VFs ("vf.") and of the domain are mirrored: the same ids and
 * statuses, with texts and sides exchanged. PFs are compared in pairs, those first that differ
 * least; with a domain, those that its VFs would move between. Each source VF is paired with a
 * free, ready VF behind a matching PF.
 *
 * Return: 0, whatever the verdict; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.4 (0.1 without @options)
 */
int mlx5lm_compare(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		   const struct mlx5lm_compare_options *options, struct mlx5lm_comparison **ret,
		   struct mlx5lm_error **reterr);

/**
 * mlx5lm_comparison_get_verdict() - the result in one word
 * @comparison: a comparison, may be NULL
 *
 * Return: the verdict; UNKNOWN for NULL.
 * Thread: any (immutable). Since: 0.1
 */
enum mlx5lm_verdict mlx5lm_comparison_get_verdict(const struct mlx5lm_comparison *comparison);

/**
 * mlx5lm_comparison_get_findings() - what is equal and what differs
 * @comparison: a comparison, may be NULL
 *
 * FAIL blocks, WARN and INFO do not; see doc/findings.md for the ids.
 *
 * Return: the findings, borrowed from @comparison; NULL for NULL.
 * Thread: any (immutable). Since: 0.1
 */
const struct mlx5lm_findings *
mlx5lm_comparison_get_findings(const struct mlx5lm_comparison *comparison);

/**
 * mlx5lm_comparison_length_pairs() - number of VF pairs
 * @comparison: a comparison, may be NULL
 *
 * Return: the number.
 * Thread: any (immutable). Since: 0.1
 */
size_t mlx5lm_comparison_length_pairs(const struct mlx5lm_comparison *comparison);

/**
 * mlx5lm_comparison_get_pair() - a source VF and the destination VF it can go to
 * @comparison: a comparison
 * @index: less than mlx5lm_comparison_length_pairs()
 *
 * Return: the pair, borrowed from @comparison; NULL if there is none of that index.
 * Thread: any (immutable). Since: 0.4
 */
const struct mlx5lm_pair *mlx5lm_comparison_get_pair(const struct mlx5lm_comparison *comparison,
						     size_t index);

/**
 * mlx5lm_pair_get_str() - a text about a pair
 * @pair: a pair
 * @key: which
 * @ret: where to put it; borrowed from the comparison
 *
 * Return: 0; -ENODATA if there is none; -EINVAL if @key is not known to this library or no
 * text.
 * Thread: any (immutable). Since: 0.4
 */
int mlx5lm_pair_get_str(const struct mlx5lm_pair *pair, enum mlx5lm_pair_key key,
			const char **ret);

/**
 * mlx5lm_pair_get_u64() - a number about a pair
 * @pair: a pair
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if it is not known; -EINVAL if @key is not known to this library or no
 * number.
 * Thread: any (immutable). Since: 0.4
 */
int mlx5lm_pair_get_u64(const struct mlx5lm_pair *pair, enum mlx5lm_pair_key key, uint64_t *ret);

/**
 * mlx5lm_comparison_get_destination_xml() - XML of the domain for the destination
 * @comparison: a comparison with a domain
 * @ret: where to put it; borrowed from @comparison
 *
 * It differs from the XML that was given in the source addresses of the VFs, and in their driver
 * where the destination's libvirt needs it; everything else is the same, byte for byte. It is to
 * be given to libvirt twice: for the running domain and for its definition.
 *
 * Return: 0; -EINVAL; -ENODATA if no domain was given or not all of its VFs have a pair.
 * Thread: any (immutable). Since: 0.4
 */
int mlx5lm_comparison_get_destination_xml(const struct mlx5lm_comparison *comparison,
					  const char **ret);

/**
 * mlx5lm_comparison_serialize() - write a comparison
 * @comparison: a comparison
 * @format: JSON (doc/schema/comparison-1.json) or text: what blocks, which side, which command
 * @ret: where to put the text; yours, release with mlx5lm_text_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any (immutable). Since: 0.4 (0.1 without @format)
 */
int mlx5lm_comparison_serialize(const struct mlx5lm_comparison *comparison,
				enum mlx5lm_format format, struct mlx5lm_text **ret);

/**
 * mlx5lm_comparison_free() - release a comparison
 * @comparison: a comparison, may be NULL
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_comparison_free(struct mlx5lm_comparison *comparison);

/**
 * mlx5lm_verdict_str() - name of a verdict
 * @verdict: a verdict
 *
 * Return: a static word: "unknown", "compatible" or "incompatible".
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_verdict_str(enum mlx5lm_verdict verdict);

#ifdef __cplusplus
}
#endif

#endif
