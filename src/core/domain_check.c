// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_check_rules.h"

#include <errno.h>

#include "core/shell_word.h"

struct mlx5lm_finding *domain_point(struct domain_checker *checker, const char *id,
				    enum mlx5lm_status status, const char *side,
				    const char *message)
{
	struct mlx5lm_finding *finding = findings_add(checker->findings, status, id, "domain");

	finding_set(checker->findings, finding, MLX5LM_FINDING_SCOPE, "domain");
	finding_set(checker->findings, finding, MLX5LM_FINDING_MESSAGE, "%s", message);
	if (side)
		finding_set(checker->findings, finding, MLX5LM_FINDING_SIDE, "%s", side);
	return finding;
}

struct mlx5lm_finding *device_point(struct domain_checker *checker, const char *id,
				    enum mlx5lm_status status, const char *side,
				    const struct domain_device *device, const char *message)
{
	struct mlx5lm_finding *finding = domain_point(checker, id, status, side, message);

	finding_explain(checker->findings, finding, "domain XML, line %ld", device->line);
	return finding;
}

bool is_older(const struct fact_u64 *version, uint64_t than)
{
	return version->known && version->value < than;
}

struct fact_u64 libvirt_version(const struct mlx5lm_host *host)
{
	return host ? host->libvirt_daemon_version : (struct fact_u64){ 0 };
}

struct fact_u64 qemu_version(const struct mlx5lm_host *host)
{
	return host ? host->qemu_version : (struct fact_u64){ 0 };
}

const char *or_unknown(const char *text)
{
	return text ? text : "unknown";
}

char *device_word(struct domain_checker *checker, const struct domain_device *device,
		  const char *otherwise)
{
	char *word = device->name ? shell_word(device->name) : strdup(otherwise);

	if (!word)
		checker->findings->error = -ENOMEM;
	return word;
}

static void check_postcopy(struct domain_checker *checker)
{
	struct mlx5lm_finding *finding;

	if (!(checker->flags & (MIGRATE_POSTCOPY | MIGRATE_POSTCOPY_RESUME)))
		return;
	finding = domain_point(checker, "domain.postcopy", MLX5LM_STATUS_FAIL, NULL,
			       "QEMU refuses a VFIO device if post-copy is allowed, even if it is "
			       "never begun");
	FOUND("VIR_MIGRATE_POSTCOPY");
	REQUIRED("pre-copy only");
	REMEDY("migrate without VIR_MIGRATE_POSTCOPY (virsh migrate without --postcopy)");
}

static void check_tunnelled(struct domain_checker *checker)
{
	struct mlx5lm_finding *finding;

	if (!(checker->flags & MIGRATE_TUNNELLED))
		return;
	finding = domain_point(checker, "domain.tunnelled", MLX5LM_STATUS_WARN, NULL,
			       "a tunnelled migration has no way back for the destination's word "
			       "that it is ready, so that the guest is stopped too early");
	FOUND("VIR_MIGRATE_TUNNELLED");
	REQUIRED("a direct connection between the two QEMUs");
	REMEDY("migrate without VIR_MIGRATE_TUNNELLED; VIR_MIGRATE_TLS encrypts as well");
}

/* Flags that libvirt refuses together, or that make it no live migration. */
static void check_contradictions(struct domain_checker *checker)
{
	static const struct {
		uint64_t flags;
		enum mlx5lm_status status;
		const char *found, *remedy, *message;
	} cases[] = {
		{ MIGRATE_NON_SHARED_DISK | MIGRATE_NON_SHARED_INC, MLX5LM_STATUS_FAIL,
		  "VIR_MIGRATE_NON_SHARED_DISK and VIR_MIGRATE_NON_SHARED_INC",
		  "choose one of the two", "libvirt refuses these flags together" },
		{ MIGRATE_TUNNELLED | MIGRATE_PARALLEL, MLX5LM_STATUS_FAIL,
		  "VIR_MIGRATE_TUNNELLED and VIR_MIGRATE_PARALLEL",
		  "migrate without VIR_MIGRATE_TUNNELLED",
		  "libvirt refuses these flags together" },
		{ MIGRATE_OFFLINE, MLX5LM_STATUS_FAIL, "VIR_MIGRATE_OFFLINE",
		  "migrate with VIR_MIGRATE_LIVE instead",
		  "an offline migration takes the definition along, not the running guest" },
		{ MIGRATE_AUTO_CONVERGE, MLX5LM_STATUS_INFO, "VIR_MIGRATE_AUTO_CONVERGE", NULL,
		  "slows down what the guest's CPUs write, but not what its VFs do" },
	};
	struct mlx5lm_finding *finding;

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		if ((checker->flags & cases[i].flags) != cases[i].flags)
			continue;
		finding = domain_point(checker, "domain.flags", cases[i].status, NULL,
				       cases[i].message);
		FOUND("%s", cases[i].found);
		REQUIRED("flags of a live migration");
		REMEDY(cases[i].remedy ? "%s" : NULL, cases[i].remedy);
	}
	if (checker->flags & (MIGRATE_LIVE | MIGRATE_OFFLINE))
		return;
	finding = domain_point(checker, "domain.flags", MLX5LM_STATUS_WARN, NULL,
			       "the guest is stopped for the whole time of the migration");
	FOUND("no VIR_MIGRATE_LIVE");
	REQUIRED("flags of a live migration");
	REMEDY("migrate with VIR_MIGRATE_LIVE");
}

void domain_check_flags(struct domain_checker *checker)
{
	/* Not known. */
	if (!checker->flags)
		return;
	check_postcopy(checker);
	check_tunnelled(checker);
	check_contradictions(checker);
}

/* Of a finding that is not about one line of the XML: what was looked at. */
static void add_evidence(struct domain_checker *checker, size_t first)
{
	for (size_t i = first; i < checker->findings->length; i++) {
		struct mlx5lm_finding *finding = &checker->findings->items[i];

		if (finding->text[MLX5LM_FINDING_EXPLAIN])
			continue;
		finding_explain(checker->findings, finding,
				"domain XML; flags 0x%" PRIx64 "; snapshot of the source: %s; of the "
				"destination: %s", checker->flags, checker->source ? "yes" : "none",
				checker->destination ? "yes" : "none");
	}
}

int domain_check(const struct mlx5lm_domain *domain, const struct mlx5lm_host *source,
		 const struct mlx5lm_host *destination, uint64_t migrate_flags,
		 struct mlx5lm_findings *findings)
{
	_cleanup_free_ char *name = shell_word(domain->parsed.name);
	const size_t first = findings->length;
	struct domain_checker checker = {
		.domain = domain,
		.parsed = &domain->parsed,
		.source = source,
		.destination = destination,
		.flags = migrate_flags,
		.name = name,
		.findings = findings,
	};

	if (!name)
		return -ENOMEM;
	domain_check_vfs(&checker);
	domain_check_flags(&checker);
	domain_check_devices(&checker);
	domain_check_storage(&checker);
	domain_check_cpu(&checker);
	domain_check_memory(&checker);
	domain_check_options(&checker);
	add_evidence(&checker, first);
	return findings->error;
}
