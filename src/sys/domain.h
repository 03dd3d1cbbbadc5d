/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_DOMAIN_H
#define SYS_DOMAIN_H

#include "base/error.h"
#include "facts_libvirt.h"

/* One domain on one connection: what a migration asks of it and does to it. */

struct _virConnect;
struct _virDomain; /* libvirt's own name for what virDomainPtr points to */

/* By UUID or name. -ENOENT if the daemon has no such domain. */
int domain_find(struct _virConnect *connection, const char *name_or_uuid, struct _virDomain **ret,
		struct mlx5lm_error **reterr);
void domain_free(struct _virDomain *domain);

DEFINE_CLEANUP(struct _virDomain *, domain_free)
#define _cleanup_domain_ _cleanup_(domain_free_p)

/* Is there a definition that outlives the running domain? 1, 0 or -errno. */
int domain_is_persistent(struct _virDomain *domain, struct mlx5lm_error **reterr);

/* GONE if libvirt does not know it; UNKNOWN if libvirt does not answer. */
enum domain_state domain_get_state(struct _virDomain *domain);

enum domain_xml_form {
	DOMAIN_XML_LIVE,
	DOMAIN_XML_MIGRATABLE, /* as a migration sends it, but without passwords: for people */
	DOMAIN_XML_COMPLETE,   /* as a migration sends it */
};

int domain_get_xml(struct _virDomain *domain, enum domain_xml_form form, char **ret,
		   struct mlx5lm_error **reterr);

int domain_get_max_downtime(struct _virDomain *domain, uint64_t *ret_ms,
			    struct mlx5lm_error **reterr);
int domain_set_max_downtime(struct _virDomain *domain, uint64_t ms, struct mlx5lm_error **reterr);

/*
 * Live migration; blocks until it is over. destination: of DIRECT only. What the return says is
 * libvirt's view: where the domain is afterwards only both daemons together can tell.
 */
int domain_migrate(struct _virDomain *domain, struct _virConnect *destination,
		   const struct migration *migration, struct mlx5lm_error **reterr);

/* Statistics of the running job; of type UNKNOWN when libvirt does not answer. */
void domain_get_job(struct _virDomain *domain, struct job_stats *ret);

/* Statistics of the job that brought the domain here or took it away. */
void domain_get_completed_job(struct _virDomain *domain, struct job_stats *ret);

/* Asks libvirt to abort the job; returns at once. -ESRCH if there is none (yet, any more). */
int domain_abort_job(struct _virDomain *domain, struct mlx5lm_error **reterr);

#endif
