/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef SYS_DOMAIN_ASK_H
#define SYS_DOMAIN_ASK_H

#include "base/error.h"

struct _virConnect;

/*
 * One question to a daemon, over a connection and on a thread of its own, as libvirt_probe_start()
 * does it and for the same reason. -ETIMEDOUT if there is no answer in time.
 */

/* XML of a domain as a migration sends it, without passwords. -ENOENT: no such domain. */
int domain_ask_xml(const char *uri, const char *name_or_uuid, unsigned int timeout_ms, char **ret,
		   struct mlx5lm_error **reterr);

/* What libvirt is asked about a CPU; all but cpu may be NULL. */
struct cpu_question {
	const char *arch;
	const char *machine;
	const char *virt_type;
	const char *cpu; /* <cpu> of a domain */
};

/* Has the daemon's host this CPU? enum mlx5lm_answer; with NO, libvirt's words why. */
int domain_ask_cpu(const char *uri, const struct cpu_question *question, unsigned int timeout_ms,
		   uint32_t *ret, char **ret_note, struct mlx5lm_error **reterr);

/* The same over a connection that is open, in the caller's own thread; uri is for messages. */
int domain_compare_cpu(struct _virConnect *destination, const char *uri,
		       const struct cpu_question *question, uint32_t *ret, char **ret_note,
		       struct mlx5lm_error **reterr);

#endif
