/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_COMPARE_H
#define MLX5LM_COMPARE_H

#include <mlx5lm/types.h>

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
 * mlx5lm_compare() - compare two hosts
 * @source: snapshot of the host the VM is on
 * @destination: snapshot of the host it shall go to
 * @ret: where to put the comparison; yours, release with mlx5lm_comparison_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Touches nothing; the same snapshots give the same result. PSID, running firmware, device
 * and port function capabilities of the PFs are compared, and each source VF that is ready to
 * migrate is paired with a free, ready VF of a matching destination PF.
 *
 * Return: 0, whatever the verdict; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.1
 */
int mlx5lm_compare(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		   struct mlx5lm_comparison **ret, struct mlx5lm_error **reterr);

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
 * @ret_source: where to put the BDF of the source VF; borrowed from @comparison
 * @ret_destination: where to put the BDF of the destination VF; borrowed from @comparison
 *
 * Return: 0; -EINVAL; -ENOENT if there is none of that index.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_comparison_get_pair(const struct mlx5lm_comparison *comparison, size_t index,
			       const char **ret_source, const char **ret_destination);

/**
 * mlx5lm_comparison_serialize() - write a comparison as JSON
 * @comparison: a comparison
 * @ret: where to put the text; yours, release with mlx5lm_text_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_comparison_serialize(const struct mlx5lm_comparison *comparison,
				struct mlx5lm_text **ret);

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
