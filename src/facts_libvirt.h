/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef FACTS_LIBVIRT_H
#define FACTS_LIBVIRT_H

#include <mlx5lm/session.h>

#include "base/cleanup.h"
#include "facts.h"

/* What libvirt says, in plain structs: sys/libvirt and sys/domain fill them, core reads them. */

struct libvirt_domain {
	char *name;
	char *uuid;
	char *xml; /* live, not checked */
};

/* Why something is unknown. */
struct libvirt_note {
	char *facts; /* as host_add_note() takes them */
	char *text;
};

/* The facts that capabilities_xml has. */
#define LIBVIRT_CAPABILITY_FACTS                                                                   \
	"libvirt_uuid libvirt_live_migration libvirt_migration_transports cpu_model cpu_vendor"

struct libvirt_facts {
	char *uri;
	char *capabilities_xml; /* not checked */
	struct fact_u64 client_version;
	struct fact_u64 daemon_version;
	struct fact_u64 qemu_version;
	struct libvirt_domain *domains; /* the active ones */
	size_t num_domains;
	size_t allocated_domains;
	struct libvirt_note *notes;
	size_t num_notes;
	size_t allocated_notes;
};

/* 0 or -ENOMEM; the new item is zeroed. */
int libvirt_facts_add_domain(struct libvirt_facts *facts, struct libvirt_domain **ret);
int libvirt_facts_add_note(struct libvirt_facts *facts, const char *unknown, const char *format,
			   ...) _printf_(3, 4);
void libvirt_facts_release(struct libvirt_facts *facts);

#define _cleanup_libvirt_facts_ _cleanup_(libvirt_facts_release)

enum domain_state {
	DOMAIN_UNKNOWN,
	DOMAIN_GONE, /* libvirt does not know it (any more) */
	DOMAIN_OFF,
	DOMAIN_RUNNING,
	DOMAIN_PAUSED,
	DOMAIN_PAUSED_BY_MIGRATION,
};

enum job_type {
	JOB_UNKNOWN, /* could not be read */
	JOB_NONE,
	JOB_RUNNING,
	JOB_COMPLETED,
	JOB_FAILED,
	JOB_CANCELLED,
};

/* What the job is about, as far as it matters. */
enum job_operation {
	JOB_OPERATION_UNKNOWN,
	JOB_OPERATION_MIGRATION_OUT,
	JOB_OPERATION_OTHER,
};

/* The statistics of a migration job. Times are milliseconds, amounts bytes. */
struct job_stats {
	enum job_type type;
	enum job_operation operation;
	struct fact_u64 time_elapsed_ms;
	struct fact_u64 time_elapsed_net_ms; /* without the difference of the hosts' clocks */
	struct fact_u64 downtime_ms;	     /* while the job runs: the expected one */
	struct fact_u64 downtime_net_ms;
	struct fact_u64 setup_ms;
	struct fact_u64 data_total;
	struct fact_u64 data_processed;
	struct fact_u64 data_remaining;
	struct fact_u64 memory_total;
	struct fact_u64 memory_remaining;
	struct fact_u64 memory_bytes_per_s;
	struct fact_u64 memory_dirty_pages_per_s;
	struct fact_u64 memory_iteration;
	struct fact_u64 memory_processed;
	struct fact_u64 memory_page_size;
	struct fact_u64 throttle_percent;
	struct fact_u64 vfio_transferred;
};

/* How a domain is to be migrated: what libvirt is told. core/migration_params decides it. */
struct migration {
	enum mlx5lm_control control;
	const char *peer_uri;	     /* of P2P: the destination as the source's daemon sees it */
	const char *destination_xml; /* for the running domain and for its definition */
	const char *data_uri;	     /* NULL: libvirt chooses */
	const char *tls_destination; /* NULL: the hostname */
	uint64_t bandwidth_mib_per_s;		 /* 0: unlimited */
	uint64_t switchover_bandwidth_mib_per_s; /* 0: QEMU measures */
	uint64_t channels;			 /* 0: no parallel ones */
	bool tls;
	bool persistent; /* define there, undefine here */
};

#endif
