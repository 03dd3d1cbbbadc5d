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

int domain_get_xml(struct _virDomain *domain, bool migratable, char **ret,
		   struct mlx5lm_error **reterr);

int domain_get_max_downtime(struct _virDomain *domain, uint64_t *ret_ms,
			    struct mlx5lm_error **reterr);
int domain_set_max_downtime(struct _virDomain *domain, uint64_t ms, struct mlx5lm_error **reterr);

struct migration {
	const char *destination_uri;
	const char *xml;      /* for the running domain and for its definition */
	const char *data_uri; /* NULL: libvirt chooses */
	uint64_t bandwidth_mib_per_s; /* 0: unlimited */
	bool persistent; /* define there, undefine here */
};

/*
 * Peer-to-peer live migration; blocks until it is over. What the return says is libvirt's view:
 * where the domain is afterwards only both daemons together can tell.
 */
int domain_migrate(struct _virDomain *domain, const struct migration *migration,
		   struct mlx5lm_error **reterr);

/* Statistics of the running job; of type UNKNOWN when libvirt does not answer. */
void domain_get_job(struct _virDomain *domain, struct job_stats *ret);

/* Statistics of the job that brought the domain here or took it away. */
void domain_get_completed_job(struct _virDomain *domain, struct job_stats *ret);

/* Asks libvirt to abort the job; returns at once. -ESRCH if there is none (yet, any more). */
int domain_abort_job(struct _virDomain *domain, struct mlx5lm_error **reterr);

#endif
