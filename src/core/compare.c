// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/compare_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "core/vf_ready.h"

/* Hosts have a few; more are a hostile snapshot, and each is compared with each. */
#define MAX_PFS 64

/* As many as a comparison of two common hosts has. */
#define USUAL_FINDINGS 32

/* A PF without VFs is the worse choice, but not worse than one of which something is unknown. */
#define NO_VFS_DISTANCE 300

const char *const verdict_names[] = {
	[MLX5LM_VERDICT_UNKNOWN] = "unknown",
	[MLX5LM_VERDICT_COMPATIBLE] = "compatible",
	[MLX5LM_VERDICT_INCOMPATIBLE] = "incompatible",
};

const char *const compare_ids[] = {
	"host.same", "iommu.active", "cpu.vendor", "cpu.model", "kernel.version",
	"kernel.chunk_mode", "libvirt.migration", "libvirt.transports", "libvirt.version",
	"libvirt.switchover_ack", "qemu.version", "qemu.multifd", "adapter.present",
	"adapter.unpaired", "adapter.limit", "firmware.pending", "nv.pending", "vf.ready",
	"vf.source", "vf.pf", "vf.free", "vf.wanted", "vf.constraint", "vf.makeable",
	"vf.pre_copy", "vf.p2p", "vf.dirty_tracking", "vf.roce", "vf.ipsec_crypto",
	"vf.ipsec_packet", "vf.max_io_eqs", "vf.msix_count", "vf.hw_addr", "vf.numa_node",
};

const size_t num_compare_ids = ARRAY_LENGTH(compare_ids);

struct mlx5lm_finding *compare_point(struct mlx5lm_findings *findings, enum mlx5lm_status status,
				     const char *id, const char *object, const char *source,
				     const char *destination, const char *message)
{
	struct mlx5lm_finding *finding = findings_add(findings, status, id, object);

	if (!finding)
		return NULL;
	finding_copy_value(findings, finding, MLX5LM_FINDING_SOURCE, source);
	finding_copy_value(findings, finding, MLX5LM_FINDING_DESTINATION, destination);
	finding_point(finding, MLX5LM_FINDING_MESSAGE, message);
	return finding;
}

const char *side_of(bool source, bool destination)
{
	if (source)
		return destination ? "both" : "source";
	return destination ? "destination" : NULL;
}

char *put_number(char *at, const char *prefix, uint64_t value)
{
	char digits[20];
	size_t length = 0;

	while (*prefix)
		*at++ = *prefix++;
	do {
		digits[length++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (length)
		*at++ = digits[--length];
	*at = '\0';
	return at;
}

/* What a comparison works on. */
struct comparer {
	const struct mlx5lm_host *source, *destination;
	const struct mlx5lm_domain *domain;
	struct mlx5lm_findings *findings;
	uint64_t failed; /* a bit for each PF of the source that a failure has been told of */
};

static size_t counted_pfs(const struct mlx5lm_host *host)
{
	return host->num_pfs < MAX_PFS ? host->num_pfs : MAX_PFS;
}

static void compare_two_pfs(struct comparer *comparer, const struct mlx5lm_pf *source,
			    const struct mlx5lm_pf *destination)
{
	size_t failures = findings_count(comparer->findings, MLX5LM_STATUS_FAIL);
	size_t index = (size_t)(source - comparer->source->pfs);

	pf_rules_compare(comparer->source, source, comparer->destination, destination,
			 comparer->findings);
	compare_pending(source, destination, comparer->findings);
	if (index < MAX_PFS &&
	    findings_count(comparer->findings, MLX5LM_STATUS_FAIL) > failures)
		comparer->failed |= UINT64_C(1) << index;
}

/* PFs without VFs are of interest only if their host has none with VFs. */
static bool has_vfs(const struct mlx5lm_host *host)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		if (host->pfs[i].num_vfs)
			return true;
	}
	return false;
}

/* Which PFs are compared with which; all of it is the same if the hosts are exchanged. */
struct pf_matching {
	size_t num_sources, num_destinations;
	bool source_has_vfs, destination_has_vfs;
	size_t of_source[MAX_PFS];	/* 1 and up: a PF of the destination; 0: none */
	size_t of_destination[MAX_PFS];
	uint32_t distances[]; /* source by source */
};

static uint32_t pf_distance(const struct comparer *comparer, size_t source, size_t destination)
{
	const struct mlx5lm_pf *a = &comparer->source->pfs[source];
	const struct mlx5lm_pf *b = &comparer->destination->pfs[destination];

	return pf_rules_distance(comparer->source, a, comparer->destination, b) +
	       (a->num_vfs && b->num_vfs ? 0 : NO_VFS_DISTANCE);
}

/*
 * The order in which pairs of PFs are taken. Of pairs in the same place both can be taken, so that
 * it does not matter which is first.
 */
static uint64_t rank(const struct pf_matching *matching, size_t source, size_t destination)
{
	size_t apart = source > destination ? source - destination : destination - source;
	size_t first = source < destination ? source : destination;
	uint64_t distance = matching->distances[source * matching->num_destinations + destination];

	return distance << 32 | apart << 16 | first;
}

static bool take_nearest(struct pf_matching *matching)
{
	uint64_t best = UINT64_MAX;
	size_t source = 0, destination = 0;

	for (size_t i = 0; i < matching->num_sources; i++) {
		for (size_t j = 0; !matching->of_source[i] && j < matching->num_destinations; j++) {
			if (matching->of_destination[j] || rank(matching, i, j) >= best)
				continue;
			best = rank(matching, i, j);
			source = i;
			destination = j;
		}
	}
	if (best == UINT64_MAX)
		return false;
	matching->of_source[source] = destination + 1;
	matching->of_destination[destination] = source + 1;
	return true;
}

static void point_alone(struct comparer *comparer, const struct mlx5lm_pf *source,
			const struct mlx5lm_pf *destination)
{
	const struct mlx5lm_pf *pf = source ? source : destination;
	const char *bdf = pf->bdf ? pf->bdf : "unknown";

	compare_point(comparer->findings, MLX5LM_STATUS_INFO, "adapter.unpaired", bdf,
		      source ? bdf : "none", destination ? bdf : "none",
		      "the other host has no PF left that matches this one");
}

/*
 * Two PFs that match, or the best that two PFs with VFs can have, are compared. If only one of
 * them has VFs, and the other is none for them, that is nothing against the hosts: what it means
 * for the VFs is told of these.
 */
static void compare_matched(struct comparer *comparer, const struct pf_matching *matching)
{
	for (size_t i = 0; i < matching->num_sources; i++) {
		const struct mlx5lm_pf *source = &comparer->source->pfs[i], *destination;
		bool counts = source->num_vfs || !matching->source_has_vfs, other_counts;
		size_t j = matching->of_source[i];

		if (!j) {
			if (counts)
				point_alone(comparer, source, NULL);
			continue;
		}
		destination = &comparer->destination->pfs[j - 1];
		other_counts = destination->num_vfs || !matching->destination_has_vfs;
		if ((counts && other_counts) ||
		    matching->distances[i * matching->num_destinations + j - 1] < PF_DISTANCE_FAIL)
			compare_two_pfs(comparer, source, destination);
		else if (counts || other_counts)
			point_alone(comparer, counts ? source : NULL,
				    other_counts ? destination : NULL);
	}
	for (size_t j = 0; j < matching->num_destinations; j++) {
		const struct mlx5lm_pf *destination = &comparer->destination->pfs[j];

		if (!matching->of_destination[j] &&
		    (destination->num_vfs || !matching->destination_has_vfs))
			point_alone(comparer, NULL, destination);
	}
}

static void point_limit(struct comparer *comparer)
{
	char a[24], b[24];

	if (comparer->source->num_pfs <= MAX_PFS && comparer->destination->num_pfs <= MAX_PFS)
		return;
	put_number(a, "", comparer->source->num_pfs);
	put_number(b, "", comparer->destination->num_pfs);
	compare_point(comparer->findings, MLX5LM_STATUS_INFO, "adapter.limit", "host", a, b,
		      "only the first 64 PFs of a host are compared");
}

/* Each PF with that of the other host that differs least. 0 or -ENOMEM. */
static int compare_all_pfs(struct comparer *comparer)
{
	size_t m = counted_pfs(comparer->source), n = counted_pfs(comparer->destination);
	_cleanup_free_ struct pf_matching *matching = NULL;

	point_limit(comparer);
	if (m == 1 && n == 1) {
		compare_two_pfs(comparer, comparer->source->pfs, comparer->destination->pfs);
		return 0;
	}
	matching = calloc(1, sizeof(*matching) + m * n * sizeof(matching->distances[0]));
	if (!matching)
		return -ENOMEM;
	matching->num_sources = m;
	matching->num_destinations = n;
	matching->source_has_vfs = has_vfs(comparer->source);
	matching->destination_has_vfs = has_vfs(comparer->destination);
	for (size_t i = 0; i < m; i++) {
		for (size_t j = 0; j < n; j++)
			matching->distances[i * n + j] = pf_distance(comparer, i, j);
	}
	while (take_nearest(matching))
		;
	compare_matched(comparer, matching);
	return 0;
}

static bool is_compared(const struct pairing *pairing, size_t length,
			const struct mlx5lm_pair *pair)
{
	for (size_t i = 0; i < length; i++) {
		if (streq(pairing->pairs[i].source_pf, pair->source_pf) &&
		    streq(pairing->pairs[i].destination_pf, pair->destination_pf))
			return true;
	}
	return false;
}

static bool is_explained(const struct pairing *pairing, size_t length,
			 const struct unpaired *unpaired)
{
	for (size_t i = 0; i < length; i++) {
		if (pairing->unpaired[i].source_pf == unpaired->source_pf &&
		    pairing->unpaired[i].nearest == unpaired->nearest)
			return true;
	}
	return false;
}

/* The PFs behind the VFs of the domain, each with those that its VFs go to, or nearly could. */
static void compare_pfs_of_domain(struct comparer *comparer, const struct pairing *pairing)
{
	for (size_t i = 0; i < pairing->num_pairs; i++) {
		const struct mlx5lm_pair *pair = &pairing->pairs[i];
		const struct mlx5lm_pf *source = host_pf_of_vf(comparer->source, pair->source_vf);
		const struct mlx5lm_pf *destination =
			host_pf_of_vf(comparer->destination, pair->destination_vf);

		if (source && destination && !is_compared(pairing, i, pair))
			compare_two_pfs(comparer, source, destination);
	}
	for (size_t i = 0; i < pairing->num_unpaired; i++) {
		const struct unpaired *unpaired = &pairing->unpaired[i];

		if (unpaired->reason == UNPAIRED_NO_PF && unpaired->source_pf &&
		    unpaired->nearest && !is_explained(pairing, i, unpaired))
			compare_two_pfs(comparer, unpaired->source_pf, unpaired->nearest);
	}
}

/* One cause makes one failure: a PF that does not match has been told of. */
static bool is_told(const struct comparer *comparer, const struct unpaired *unpaired)
{
	size_t index;

	if (unpaired->reason == UNPAIRED_NO_PF && unpaired->source_pf) {
		index = (size_t)(unpaired->source_pf - comparer->source->pfs);
		return index < MAX_PFS && comparer->failed >> index & 1;
	}
	/* What else the domain has is a matter of the look at the domain. */
	for (size_t i = 0; unpaired->reason == UNPAIRED_NOT_A_VF && i < comparer->findings->length;
	     i++) {
		const struct mlx5lm_finding *finding = &comparer->findings->items[i];

		if (finding->status == MLX5LM_STATUS_FAIL &&
		    streq(finding->text[MLX5LM_FINDING_ID], "domain.vfs") &&
		    streq(finding->text[MLX5LM_FINDING_OBJECT], unpaired->source))
			return true;
	}
	return false;
}

static void compare_vfs(struct comparer *comparer, const struct pairing *pairing)
{
	for (size_t i = 0; i < pairing->num_pairs; i++)
		compare_pair(comparer->source, comparer->destination, &pairing->pairs[i],
			     comparer->findings);
	for (size_t i = 0; i < pairing->num_unpaired; i++) {
		const struct unpaired *unpaired = &pairing->unpaired[i];

		/* Without a domain only VFs that one holds must move, but some must be able to. */
		if (!is_told(comparer, unpaired))
			compare_unpaired(comparer->source, comparer->destination, unpaired,
					 comparer->domain || unpaired->in_use ||
						 !pairing->num_pairs,
					 comparer->findings);
	}
}

/* No VF of the source can move. 0 or -ENOMEM. */
static int point_not_ready(struct comparer *comparer)
{
	struct mlx5lm_findings *findings = comparer->findings;
	const struct mlx5lm_host *host = comparer->source;
	enum mlx5lm_status status = MLX5LM_STATUS_FAIL;
	struct mlx5lm_finding *finding;

	for (size_t i = 0; i < host->num_pfs && status == MLX5LM_STATUS_FAIL; i++) {
		for (size_t j = 0; j < host->pfs[i].num_vfs; j++) {
			_cleanup_vf_unfit_ struct vf_unfit unfit = { 0 };

			if (vf_check_role(&host->pfs[i], &host->pfs[i].vfs[j], VF_SOURCE, &unfit))
				return -ENOMEM;
			if (unfit.unknown)
				status = MLX5LM_STATUS_UNKNOWN;
		}
	}
	finding = compare_point(findings, status, "vf.ready", "host", "none", "not looked at",
				status == MLX5LM_STATUS_FAIL ?
					"the source has no VF that is ready for live migration" :
					"it is not known whether a VF of the source is ready");
	SIDE("source");
	REMEDY("make VFs ready: mlx5lm-configure --pf %s --vfs 2 --apply",
	       host->pfs[0].bdf ? host->pfs[0].bdf : "PF");
	return findings->error;
}

static void point_no_adapter(struct comparer *comparer)
{
	struct mlx5lm_findings *findings = comparer->findings;
	bool at_source = !comparer->source->num_pfs;
	bool at_destination = !comparer->destination->num_pfs;
	struct mlx5lm_finding *finding;

	finding = compare_point(findings, MLX5LM_STATUS_FAIL, "adapter.present", "host",
				at_source ? "none" : "present", at_destination ? "none" : "present",
				"both hosts need an mlx5 adapter");
	SIDE(side_of(at_source, at_destination));
	REMEDY("choose another host, or look for the adapter with: lspci -d 15b3:");
}

static int compare_adapters(struct comparer *comparer, struct pairing *pairing,
			    const struct pairing_wishes *wishes)
{
	int r;

	if (!comparer->source->num_pfs || !comparer->destination->num_pfs) {
		point_no_adapter(comparer);
		return 0;
	}
	r = pairing_make(comparer->source, comparer->destination,
			 comparer->domain ? &comparer->domain->parsed : NULL, wishes, pairing);
	if (r < 0)
		return r;
	if (comparer->domain)
		compare_pfs_of_domain(comparer, pairing);
	else
		r = compare_all_pfs(comparer);
	if (r == 0)
		compare_vfs(comparer, pairing);
	if (r == 0 && !comparer->domain && !pairing->num_source_vfs)
		r = point_not_ready(comparer);
	return r;
}

static enum mlx5lm_verdict verdict_of(const struct mlx5lm_comparison *comparison)
{
	switch (findings_status(&comparison->findings)) {
	case MLX5LM_STATUS_FAIL:
		return MLX5LM_VERDICT_INCOMPATIBLE;
	case MLX5LM_STATUS_UNKNOWN:
		return MLX5LM_VERDICT_UNKNOWN;
	default:
		return comparison->pairing.num_pairs ? MLX5LM_VERDICT_COMPATIBLE :
						       MLX5LM_VERDICT_UNKNOWN;
	}
}

/* The snapshots and the domain may be gone before the comparison. */
static int copy_names(const struct comparer *comparer, struct mlx5lm_comparison *comparison)
{
	if (str_replace(&comparison->source_name, comparer->source->hostname) ||
	    str_replace(&comparison->destination_name, comparer->destination->hostname) ||
	    str_replace(&comparison->domain_name,
			comparer->domain ? comparer->domain->parsed.name : NULL))
		return -ENOMEM;
	return 0;
}

/* All of the domain's VFs, or none: libvirt takes the XML as a whole. */
static int make_destination_xml(const struct comparer *comparer,
				struct mlx5lm_comparison *comparison, struct mlx5lm_error **reterr)
{
	const struct pairing *pairing = &comparison->pairing;
	_cleanup_vf_mappings_ struct vf_mappings mappings = { 0 };

	if (!comparer->domain || !pairing->num_pairs || pairing->num_unpaired)
		return 0;
	if (pairing_get_mappings(pairing, &comparer->domain->parsed, comparer->destination,
				 &mappings) < 0)
		return error_no_memory(reterr);
	return domain_xml_map(comparer->domain->xml, mappings.items, mappings.length,
			      &comparison->destination_xml, reterr);
}

int compare_hosts(const struct mlx5lm_host *source, const struct mlx5lm_host *destination,
		  const struct mlx5lm_compare_options *options,
		  struct mlx5lm_comparison *comparison, struct mlx5lm_error **reterr)
{
	static const struct pairing_wishes no_wishes;
	struct comparer comparer = { .source = source,
				     .destination = destination,
				     .domain = options ? options->domain : NULL,
				     .findings = &comparison->findings };
	int r;

	r = copy_names(&comparer, comparison) ?:
	    findings_reserve(comparer.findings, USUAL_FINDINGS);
	if (r == 0)
		r = compare_host_rules(source, destination, comparer.domain, comparer.findings);
	if (r == 0 && comparer.domain)
		r = domain_check(comparer.domain, source, destination, options->migrate_flags,
				 comparer.findings);
	if (r == 0)
		r = compare_adapters(&comparer, &comparison->pairing,
				     options ? &options->wishes : &no_wishes);
	if (r < 0 || comparison->findings.error)
		return error_no_memory(reterr);
	comparison->verdict = verdict_of(comparison);
	return make_destination_xml(&comparer, comparison, reterr);
}

void comparison_release(struct mlx5lm_comparison *comparison)
{
	findings_release(&comparison->findings);
	pairing_release(&comparison->pairing);
	free(comparison->source_name);
	free(comparison->destination_name);
	free(comparison->domain_name);
	free(comparison->destination_xml);
	*comparison = (struct mlx5lm_comparison){ 0 };
}
