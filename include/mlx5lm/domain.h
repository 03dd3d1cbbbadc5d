/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_DOMAIN_H
#define MLX5LM_DOMAIN_H

#include <mlx5lm/types.h>
#include <mlx5lm/check.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum mlx5lm_domain_key - facts about a domain
 * @MLX5LM_DOMAIN_UNKNOWN: none
 * @MLX5LM_DOMAIN_NAME: name
 * @MLX5LM_DOMAIN_UUID: UUID
 * @MLX5LM_DOMAIN_XML: the XML as it was given or read
 * @MLX5LM_DOMAIN_MEMORY_BYTES: u64, the most memory that it can have, with what can be plugged in
 * @MLX5LM_DOMAIN_CPU: u64, enum mlx5lm_answer: whether the destination that
 *	mlx5lm_domain_ask_destination() asked has the CPU
 *
 * Texts are got with mlx5lm_domain_get_str(), numbers (u64) with mlx5lm_domain_get_u64().
 *
 * Since: 0.4
 */
enum mlx5lm_domain_key {
	MLX5LM_DOMAIN_UNKNOWN = 0,
	MLX5LM_DOMAIN_NAME = 1,
	MLX5LM_DOMAIN_UUID = 2,
	MLX5LM_DOMAIN_XML = 3,
	MLX5LM_DOMAIN_MEMORY_BYTES = 4,
	MLX5LM_DOMAIN_CPU = 5
};

/**
 * mlx5lm_domain_parse() - read the definition of a domain
 * @xml: live XML of a domain, such as virsh dumpxml --migratable prints
 * @length: length of @xml in bytes, at most 10 MiB
 * @ret: where to put it; yours, release with mlx5lm_domain_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * The XML need not be trusted: a document type declaration is refused, and nothing is loaded. At
 * most 64 levels, 65536 elements, 64 attributes of an element, 64 KiB of an attribute.
 *
 * Return: 0; -EINVAL; -ENOMEM; -EBADMSG if the document is refused, the message says where.
 * Thread: any. Since: 0.4
 */
int mlx5lm_domain_parse(const char *xml, size_t length, struct mlx5lm_domain **ret,
			struct mlx5lm_error **reterr);

/**
 * mlx5lm_domain_read() - read the definition of a domain from libvirt
 * @ctx: a context; its root must be this machine
 * @uri: libvirt connection URI; NULL for "qemu:///system"
 * @name: name or UUID of the domain
 * @timeout_ms: for how many milliseconds to wait for the daemon; 0 for 10000
 * @ret: where to put it; yours, release with mlx5lm_domain_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Of a running domain it is the live XML, in the form that a migration sends, but without
 * passwords.
 *
 * Return: 0; -EINVAL; -ENOMEM; -ENOENT if there is no such domain; -ENOTCONN or what
 * libvirt said if the daemon cannot be reached; -ETIMEDOUT; -EBADMSG; -EROFS if the root is
 * another machine.
 * Thread: one at a time for @ctx. Since: 0.4
 */
int mlx5lm_domain_read(struct mlx5lm_ctx *ctx, const char *uri, const char *name,
		       uint32_t timeout_ms, struct mlx5lm_domain **ret,
		       struct mlx5lm_error **reterr);

/**
 * mlx5lm_domain_ask_destination() - ask the destination's libvirt whether it has the CPU
 * @domain: a domain; it keeps the answer
 * @ctx: a context; its root must be this machine
 * @uri: libvirt connection URI of the destination
 * @timeout_ms: for how many milliseconds to wait for the daemon; 0 for 10000
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * By virConnectCompareHypervisorCPU(). A domain without <cpu> runs on any host of its
 * architecture, and one that sees the CPU of its host names none that could be compared: nobody
 * is asked then.
 *
 * Return: 0, whatever the answer; -EINVAL; -ENOMEM; -ETIMEDOUT; what libvirt said if it
 * cannot be reached or cannot compare; -EROFS if the root is another machine.
 * Thread: one at a time for @ctx and @domain. Since: 0.4
 */
int mlx5lm_domain_ask_destination(struct mlx5lm_domain *domain, struct mlx5lm_ctx *ctx,
				  const char *uri, uint32_t timeout_ms,
				  struct mlx5lm_error **reterr);

/**
 * mlx5lm_domain_get_str() - a text about a domain
 * @domain: a domain
 * @key: which
 * @ret: where to put it; borrowed from @domain
 *
 * Return: 0; -ENODATA if it is not known; -EINVAL if @key is not known to this library or no
 * text.
 * Thread: any. Since: 0.4
 */
int mlx5lm_domain_get_str(const struct mlx5lm_domain *domain, enum mlx5lm_domain_key key,
			  const char **ret);

/**
 * mlx5lm_domain_get_u64() - a number about a domain
 * @domain: a domain
 * @key: which; its unit is in its name
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if it is not known; -EINVAL if @key is not known to this library or no
 * number.
 * Thread: any. Since: 0.4
 */
int mlx5lm_domain_get_u64(const struct mlx5lm_domain *domain, enum mlx5lm_domain_key key,
			  uint64_t *ret);

/**
 * mlx5lm_domain_length_hostdevs() - number of PCI devices of the host that a domain has
 * @domain: a domain, may be NULL
 *
 * Return: the number, of hostdevs and interfaces of type hostdev.
 * Thread: any. Since: 0.4
 */
size_t mlx5lm_domain_length_hostdevs(const struct mlx5lm_domain *domain);

/**
 * mlx5lm_domain_get_hostdev() - a PCI device of the host that a domain has
 * @domain: a domain
 * @index: less than mlx5lm_domain_length_hostdevs()
 *
 * Return: its BDF at the source, borrowed from @domain; NULL if there is none of that index.
 * Thread: any. Since: 0.4
 */
const char *mlx5lm_domain_get_hostdev(const struct mlx5lm_domain *domain, size_t index);

/**
 * mlx5lm_domain_check() - can this domain be migrated live with its VFs?
 * @domain: a domain
 * @source: snapshot of the host it is on; NULL if there is none
 * @destination: snapshot of the host it shall go to; NULL if there is none
 * @migrate_flags: the set of virDomainMigrateFlags that are going to be used; 0 if not known
 * @ret: where to put the findings; yours, release with mlx5lm_findings_free()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Touches nothing. mlx5lm_compare() looks at the same points when it is given the domain.
 * doc/findings.md has an entry for each id.
 *
 * Return: 0, whatever the findings say; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.4
 */
int mlx5lm_domain_check(const struct mlx5lm_domain *domain, const struct mlx5lm_host *source,
			const struct mlx5lm_host *destination, uint64_t migrate_flags,
			struct mlx5lm_findings **ret, struct mlx5lm_error **reterr);

/**
 * mlx5lm_domain_free() - release a domain
 * @domain: a domain, may be NULL
 *
 * Thread: any. Since: 0.4
 */
void mlx5lm_domain_free(struct mlx5lm_domain *domain);

#ifdef __cplusplus
}
#endif

#endif
