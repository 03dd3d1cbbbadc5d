/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_COMPARE_RULES_H
#define CORE_COMPARE_RULES_H

#include "core/findings.h"
#include "facts.h"

/*
 * What two hosts are compared by: one table for the comparison of two, for the pairing of VFs and
 * for the classes of a fleet, so that these cannot disagree.
 */

/* What a host has of a point; text is NULL if it is not known. */
struct rule_value {
	const char *text; /* borrowed from the snapshot, static, or in buf */
	char buf[64];
};

/* What it takes to change it. */
enum rule_change {
	RULE_FIXED,    /* other hardware */
	RULE_FIRMWARE, /* other firmware on the adapter */
	RULE_NV,       /* another NV configuration, and a restart */
	RULE_SOFTWARE, /* another kernel, QEMU or libvirt */
	RULE_SETTING,  /* something that can be set at any time */
};

/* Two values that differ, and whose they are. */
struct rule_case {
	const char *source;
	const char *destination;
	const char *source_pf; /* BDF; NULL: each PF */
	const char *destination_pf;
};

struct compare_rule {
	const char *id;	  /* of the finding */
	const char *what; /* "running firmware" */
	/*
	 * FAIL: VFs of such PFs cannot move, in either direction. Only these rules make the classes
	 * of a fleet, so they must be relations of equality: two hosts fail exactly if both values
	 * are known and differ. To be the same in all of them is to be in one class, so a value
	 * that is not known must count: unknown is UNKNOWN, or get() always knows.
	 */
	enum mlx5lm_status differs;
	/* If one value is not known: UNKNOWN if that matters, else INFO or PASS. */
	enum mlx5lm_status unknown;
	enum rule_change change;
	void (*get)(const struct mlx5lm_host *host, const struct mlx5lm_pf *pf,
		    struct rule_value *ret);
	const char *message; /* of a finding that differs, one line */
	/* Sets side and remedy; NULL if no side can be changed. */
	void (*mend)(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
		     const struct rule_case *values);
};

/* Those that look at a PF (and at what of its host counts for it). */
extern const struct compare_rule pf_rules[];
extern const size_t num_pf_rules;

/* Could a VF of one PF move to the other? The worst of all pf_rules, without any text made. */
enum mlx5lm_status pf_rules_status(const struct mlx5lm_host *source,
				   const struct mlx5lm_pf *source_pf,
				   const struct mlx5lm_host *destination,
				   const struct mlx5lm_pf *destination_pf);

/*
 * How much two PFs differ: 0 if in nothing that is known, more for each point that is unknown,
 * warns or, far more, fails. The same whichever is the source.
 */
unsigned int pf_rules_distance(const struct mlx5lm_host *source, const struct mlx5lm_pf *source_pf,
			       const struct mlx5lm_host *destination,
			       const struct mlx5lm_pf *destination_pf);

/* A distance of so much and more: a point fails. */
#define PF_DISTANCE_FAIL 10000U

/*
 * A finding for each rule, about the source's PF: with values, side and remedy. 0 or -ENOMEM.
 */
int pf_rules_compare(const struct mlx5lm_host *source, const struct mlx5lm_pf *source_pf,
		     const struct mlx5lm_host *destination, const struct mlx5lm_pf *destination_pf,
		     struct mlx5lm_findings *findings);

/* The same for one rule; the values' texts need not outlive the findings. */
void rule_compare(const struct compare_rule *rule, const struct rule_value *source,
		  const struct rule_value *destination, const char *source_pf_bdf,
		  const char *destination_pf_bdf, struct mlx5lm_findings *findings);

/*
 * Completes a finding of a rule whose values differ: side, and remedy with the command, for one
 * PF, or for many (pf_bdf NULL: "each PF"). Also used for the classes of a fleet.
 */
void rule_set_remedy(const struct compare_rule *rule, struct mlx5lm_findings *findings,
		     struct mlx5lm_finding *finding, const char *source, const char *destination,
		     const char *source_pf_bdf, const char *destination_pf_bdf);

#endif
