/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef CORE_DOMAIN_CHECK_RULES_H
#define CORE_DOMAIN_CHECK_RULES_H

#include <inttypes.h>

#include "core/domain.h"
#include "core/migrate_flag.h"
#include "core/version_rule.h"

/* What the rules of domain_check(), domain_check_*.c, share. */
struct domain_checker {
	const struct mlx5lm_domain *domain;
	const struct domain_xml *parsed;
	const struct mlx5lm_host *source;      /* may be NULL, as the next */
	const struct mlx5lm_host *destination;
	uint64_t flags; /* enum migrate_flag */
	const char *name; /* of the domain, as a word of a command */
	struct mlx5lm_findings *findings;
};

/* Which host is to change: MLX5LM_FINDING_SIDE. */
#define SIDE_SOURCE "source" /* the domain itself, too: it is there */
#define SIDE_DESTINATION "destination"
#define SIDE_EITHER "either"
#define SIDE_BOTH "both"

/* A finding about the domain as a whole. */
struct mlx5lm_finding *domain_point(struct domain_checker *checker, const char *id,
				    enum mlx5lm_status status, const char *side,
				    const char *message);
/* The same about a device in the XML: with its line. */
struct mlx5lm_finding *device_point(struct domain_checker *checker, const char *id,
				    enum mlx5lm_status status, const char *side,
				    const struct domain_device *device, const char *message);

/* For the rules: they have a checker and the finding at hand. */
#define FOUND(...) finding_set(checker->findings, finding, MLX5LM_FINDING_FOUND, __VA_ARGS__)
#define REQUIRED(...) finding_set(checker->findings, finding, MLX5LM_FINDING_REQUIRED, __VA_ARGS__)
#define REMEDY(...) finding_set(checker->findings, finding, MLX5LM_FINDING_REMEDY, __VA_ARGS__)

#define VERSION_FORMAT "%u.%u.%u"
#define VERSION_ARGS(v) (v).part[0], (v).part[1], (v).part[2]

/* Is a version, as libvirt counts, known to be older? */
bool is_older(const struct fact_u64 *version, uint64_t than);
/* That of a host which may be NULL. */
struct fact_u64 libvirt_version(const struct mlx5lm_host *host);
struct fact_u64 qemu_version(const struct mlx5lm_host *host);

const char *or_unknown(const char *text);

/* For commands: what virsh calls the device, as a word; or, if that is not known, otherwise. */
char *device_word(struct domain_checker *checker, const struct domain_device *device,
		  const char *otherwise);

/* The groups of rules, in the order of their findings. */
void domain_check_vfs(struct domain_checker *checker);
void domain_check_flags(struct domain_checker *checker);
void domain_check_devices(struct domain_checker *checker);
void domain_check_storage(struct domain_checker *checker);
void domain_check_cpu(struct domain_checker *checker);
void domain_check_memory(struct domain_checker *checker);
void domain_check_options(struct domain_checker *checker);

#endif
