/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_FAILURE_RULES_H
#define CORE_FAILURE_RULES_H

#include "core/failure.h"

/* What libvirt, QEMU and the kernel say, and what it means. The first rule that fits counts. */
struct failure_rule {
	/*
	 * Occur in one line of what was said, whatever their case, as libvirt and QEMU have changed
	 * it; '*' stands for anything between. NULL: nothing need be said.
	 */
	const char *words;
	/* Whoever says it, or whose connection it is about; ANY: it does not matter. */
	enum failure_side side;
	int native; /* libvirt's code; 0: any */
	enum mlx5lm_error_code code; /* UNKNOWN: any */
	enum mlx5lm_reason reason;
};

extern const struct failure_rule failure_rules[];
extern const size_t num_failure_rules;

#endif
