/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_CHECK_H
#define MLX5LM_CHECK_H

#include <mlx5lm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum mlx5lm_status - how one point, or all of them together, turned out
 * @MLX5LM_STATUS_UNKNOWN: could not be found out
 * @MLX5LM_STATUS_PASS: as required
 * @MLX5LM_STATUS_INFO: worth knowing, not in the way
 * @MLX5LM_STATUS_WARN: may be in the way; a feature probe or a person decides
 * @MLX5LM_STATUS_FAIL: in the way: migration will not work
 *
 * Since: 0.1
 */
enum mlx5lm_status {
	MLX5LM_STATUS_UNKNOWN = 0,
	MLX5LM_STATUS_PASS = 1,
	MLX5LM_STATUS_INFO = 2,
	MLX5LM_STATUS_WARN = 3,
	MLX5LM_STATUS_FAIL = 4
};

/**
 * enum mlx5lm_finding_key - texts of a finding
 * @MLX5LM_FINDING_UNKNOWN: none
 * @MLX5LM_FINDING_ID: stable id such as "kernel.version"; see doc/findings.md
 * @MLX5LM_FINDING_OBJECT: what it is about: "host", "domain" or a BDF
 * @MLX5LM_FINDING_FOUND: what is there (check)
 * @MLX5LM_FINDING_REQUIRED: what is needed (check)
 * @MLX5LM_FINDING_SOURCE: what the source host has (comparison)
 * @MLX5LM_FINDING_DESTINATION: what the destination host has (comparison)
 * @MLX5LM_FINDING_MESSAGE: one line for people
 * @MLX5LM_FINDING_REMEDY: what mends it, with the command where there is one
 * @MLX5LM_FINDING_SCOPE: "host", "pf" or "vf" (check, since 0.2), "domain" (since 0.4)
 * @MLX5LM_FINDING_EXPLAIN: the evidence, a line for each fact that was looked at: where it
 *	comes from, and what it says or why it is not known (check, since 0.2)
 * @MLX5LM_FINDING_SIDE: which host should change: "source", "destination", "either" or "both";
 *	none if nothing can be changed, or nothing need be (comparison, since 0.4)
 *
 * Since: 0.1
 */
enum mlx5lm_finding_key {
	MLX5LM_FINDING_UNKNOWN = 0,
	MLX5LM_FINDING_ID = 1,
	MLX5LM_FINDING_OBJECT = 2,
	MLX5LM_FINDING_FOUND = 3,
	MLX5LM_FINDING_REQUIRED = 4,
	MLX5LM_FINDING_SOURCE = 5,
	MLX5LM_FINDING_DESTINATION = 6,
	MLX5LM_FINDING_MESSAGE = 7,
	MLX5LM_FINDING_REMEDY = 8,
	MLX5LM_FINDING_SCOPE = 9,
	MLX5LM_FINDING_EXPLAIN = 10,
	MLX5LM_FINDING_SIDE = 11
};

/**
 * mlx5lm_profile_new_from_name() - take a set of requirements by its name
 * @name: "nvidia-doca" or "rhel" for the newest version of it that the library knows, or one
 *	with its version, such as "nvidia-doca-2.9"; NULL for "nvidia-doca"
 * @ret: where to put it; yours, release with mlx5lm_profile_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Source of "nvidia-doca-2.9": NVIDIA, "SR-IOV Live Migration", DOCA 2.9. Source of
 * "rhel-10": Red Hat, "Live migrating a VM with an attached Mellanox virtual function".
 *
 * Return: 0; -EINVAL; -ENOMEM; -ENOENT if there is no profile of that name.
 * Thread: any. Since: 0.1
 */
int mlx5lm_profile_new_from_name(const char *name, struct mlx5lm_profile **ret,
				 struct mlx5lm_error **reterr);

/**
 * mlx5lm_profile_parse() - read a set of requirements of one's own
 * @json: a document as mlx5lm_profile_serialize() writes it (doc/schema/profile-1.json)
 * @length: length of @json in bytes, at most 64 KiB
 * @ret: where to put it; yours, release with mlx5lm_profile_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * A key that this library does not know is refused: a requirement must not get lost.
 *
 * Return: 0; -EINVAL; -ENOMEM; -EBADMSG if the document is refused, the message names the
 * place; -EFBIG if too large.
 * Thread: any. Since: 0.2
 */
int mlx5lm_profile_parse(const char *json, size_t length, struct mlx5lm_profile **ret,
			 struct mlx5lm_error **reterr);

/**
 * mlx5lm_profile_serialize() - write a set of requirements as JSON
 * @profile: a profile
 * @ret: where to put the text; yours, release with mlx5lm_text_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any (immutable). Since: 0.2
 */
int mlx5lm_profile_serialize(const struct mlx5lm_profile *profile, struct mlx5lm_text **ret);

/**
 * mlx5lm_profile_get_name() - name of a profile, with its version
 * @profile: a profile, may be NULL
 *
 * Return: the name, such as "nvidia-doca-2.9", borrowed from @profile; NULL for NULL.
 * Thread: any (immutable). Since: 0.1
 */
const char *mlx5lm_profile_get_name(const struct mlx5lm_profile *profile);

/**
 * mlx5lm_profile_known_name() - names of the profiles that the library brings
 * @index: 0 and up
 *
 * Return: a static name, such as "nvidia-doca-2.9"; NULL if there is none of that index.
 * Thread: any. Since: 0.2
 */
const char *mlx5lm_profile_known_name(size_t index);

/**
 * mlx5lm_profile_free() - release a profile
 * @profile: a profile, may be NULL
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_profile_free(struct mlx5lm_profile *profile);

/**
 * mlx5lm_check() - is the host ready for VF live migration, and if not, what mends it?
 * @host: a snapshot of it
 * @profile: the requirements; NULL for the newest one of NVIDIA
 * @scope: NULL or "host" for all of it; the BDF of a PF for it and its VFs, or that of a VF
 *	for it and its PF; what holds for the whole host is always looked at
 * @ret: where to put the findings; yours, release with mlx5lm_findings_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * A PF without VFs does not count against a host that has ready VFs on another one.
 *
 * Touches nothing and never stops at the first failure. One cause makes one failure: what
 * cannot be looked at because of it is INFO, and names it. A kernel whose version looks old
 * only warns if the kernel itself shows the feature, because distributions backport.
 * doc/findings.md has an entry for each id.
 *
 * Return: 0, whatever the findings say; -EINVAL; -ENOMEM; -ENOENT if the snapshot has no
 * function @scope.
 * Thread: any. Since: 0.1
 */
int mlx5lm_check(const struct mlx5lm_host *host, const struct mlx5lm_profile *profile,
		 const char *scope, struct mlx5lm_findings **ret, struct mlx5lm_error **reterr);

/**
 * mlx5lm_findings_length() - number of findings
 * @findings: findings, may be NULL
 *
 * Return: the number.
 * Thread: any (immutable). Since: 0.1
 */
size_t mlx5lm_findings_length(const struct mlx5lm_findings *findings);

/**
 * mlx5lm_findings_get() - a finding by its place
 * @findings: findings
 * @index: less than mlx5lm_findings_length()
 *
 * Return: the finding, borrowed from @findings; NULL if there is none of that index.
 * Thread: any (immutable). Since: 0.1
 */
const struct mlx5lm_finding *mlx5lm_findings_get(const struct mlx5lm_findings *findings,
						 size_t index);

/**
 * mlx5lm_findings_get_status() - all findings in one word
 * @findings: findings, may be NULL
 *
 * Return: FAIL if any failed, else UNKNOWN if any is unknown, else WARN if any warns, else
 * PASS; UNKNOWN for NULL.
 * Thread: any (immutable). Since: 0.1
 */
enum mlx5lm_status mlx5lm_findings_get_status(const struct mlx5lm_findings *findings);

/**
 * mlx5lm_findings_serialize() - write findings as JSON
 * @findings: findings
 * @ret: where to put the text; yours, release with mlx5lm_text_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_findings_serialize(const struct mlx5lm_findings *findings, struct mlx5lm_text **ret);

/**
 * mlx5lm_findings_free() - release findings
 * @findings: findings, may be NULL
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_findings_free(struct mlx5lm_findings *findings);

/**
 * mlx5lm_finding_get_status() - how this point turned out
 * @finding: a finding, may be NULL
 *
 * Return: the status; UNKNOWN for NULL.
 * Thread: any (immutable). Since: 0.1
 */
enum mlx5lm_status mlx5lm_finding_get_status(const struct mlx5lm_finding *finding);

/**
 * mlx5lm_finding_get_str() - a text of a finding
 * @finding: a finding
 * @key: which
 * @ret: where to put it; borrowed from the findings
 *
 * Return: 0; -ENODATA if it has none; -EINVAL if @key is not known to this library.
 * Thread: any (immutable). Since: 0.1
 */
int mlx5lm_finding_get_str(const struct mlx5lm_finding *finding, enum mlx5lm_finding_key key,
			   const char **ret);

/**
 * mlx5lm_status_str() - name of a status
 * @status: a status
 *
 * Return: a static word: "unknown", "pass", "info", "warn" or "fail".
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_status_str(enum mlx5lm_status status);

#ifdef __cplusplus
}
#endif

#endif
