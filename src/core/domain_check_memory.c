// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_check_rules.h"

/* Span of addresses whose pages the adapter can track while the guest runs. */
#define TRACKED_SPAN_BYTES (UINT64_C(1) << 42)
/* What libvirt lets a QEMU with VFIO devices lock beside the guest's memory. */
#define LOCKED_BESIDE_BYTES (UINT64_C(1) << 30)

#define MIB(bytes) ((bytes) / (1024 * 1024))

static void check_span(struct domain_checker *checker)
{
	struct fact_u64 most = checker->parsed->max_memory_bytes;
	struct mlx5lm_finding *finding;

	if (!checker->parsed->num_hostdevs || most.value <= TRACKED_SPAN_BYTES)
		return;
	finding = domain_point(checker, "domain.memory", MLX5LM_STATUS_FAIL, SIDE_SOURCE,
			       "the adapter cannot track which pages a VF writes in so much memory");
	FOUND("%" PRIu64 " MiB, with what can be plugged in", MIB(most.value));
	REQUIRED("at most %" PRIu64 " MiB", MIB(TRACKED_SPAN_BYTES));
	REMEDY("give the guest less <memory> and <maxMemory>, and start it anew");
}

static void check_fits(struct domain_checker *checker)
{
	const struct mlx5lm_host *host = checker->destination;
	struct fact_u64 memory = checker->parsed->memory_bytes;
	struct mlx5lm_finding *finding;

	if (!host || !memory.known || !host->memory_total_bytes.known ||
	    memory.value < host->memory_total_bytes.value)
		return;
	finding = domain_point(checker, "domain.memory_fits", MLX5LM_STATUS_FAIL, SIDE_DESTINATION,
			       "VFIO locks all of the guest's memory, and the destination does not "
			       "have as much");
	FOUND("guest: %" PRIu64 " MiB; destination: %" PRIu64 " MiB", MIB(memory.value),
	      MIB(host->memory_total_bytes.value));
	REQUIRED("more memory than the guest has");
	REMEDY("choose a larger destination");
}

/* enough is decided by the caller; text says what is there. */
static void hugepages_point(struct domain_checker *checker, enum mlx5lm_status status,
			    const char *found, const char *remedy)
{
	struct mlx5lm_finding *finding;

	finding = domain_point(checker, "domain.hugepages", status, SIDE_DESTINATION,
			       status == MLX5LM_STATUS_FAIL ?
				       "the destination has too few free huge pages for the guest" :
				       "it is not known whether the destination has enough free huge "
				       "pages for the guest");
	FOUND("%s", found);
	REQUIRED("huge pages for %" PRIu64 " MiB", MIB(checker->parsed->memory_bytes.value));
	REMEDY("%s", remedy);
}

static void check_hugepages(struct domain_checker *checker)
{
	const struct mlx5lm_host *host = checker->destination;
	const struct domain_xml *parsed = checker->parsed;
	uint64_t size, needed;
	char found[160];

	if (!parsed->has_hugepages || !parsed->memory_bytes.known || !host)
		return;
	if (!host->hugepage_size_bytes.known || !host->hugepages_free.known) {
		hugepages_point(checker, MLX5LM_STATUS_UNKNOWN, "unknown",
				"grep Huge /proc/meminfo at the destination");
		return;
	}
	size = host->hugepage_size_bytes.value;
	if (!size || parsed->has_several_hugepage_sizes ||
	    (parsed->hugepage_bytes.known && parsed->hugepage_bytes.value != size)) {
		snprintf(found, sizeof(found),
			 "the snapshot tells of pages of %" PRIu64 " KiB, the guest has others",
			 size / 1024);
		hugepages_point(checker, MLX5LM_STATUS_UNKNOWN, found,
				"virsh freepages --all at the destination");
		return;
	}
	needed = parsed->memory_bytes.value / size + (parsed->memory_bytes.value % size != 0);
	if (host->hugepages_free.value >= needed)
		return;
	snprintf(found, sizeof(found), "%" PRIu64 " of %" PRIu64 " pages of %" PRIu64 " KiB",
		 host->hugepages_free.value, needed, size / 1024);
	hugepages_point(checker, MLX5LM_STATUS_FAIL, found,
			"virsh allocpages at the destination, or hugepages= on its kernel "
			"command line");
}

/* A daemon with all rights raises the limit of QEMU itself. */
static bool is_unprivileged(const struct mlx5lm_host *host)
{
	const char *at = host->libvirt_uri ? strstr(host->libvirt_uri, "/session") : NULL;

	return at != NULL;
}

static void check_memlock(struct domain_checker *checker)
{
	const struct mlx5lm_host *host = checker->destination;
	const struct domain_xml *parsed = checker->parsed;
	struct mlx5lm_finding *finding;
	uint64_t needed;

	if (!parsed->num_hostdevs || !parsed->memory_bytes.known ||
	    __builtin_add_overflow(parsed->memory_bytes.value, LOCKED_BESIDE_BYTES, &needed))
		return;
	if (parsed->memory_hard_limit_bytes.known &&
	    parsed->memory_hard_limit_bytes.value < needed) {
		finding = domain_point(checker, "domain.hard_limit", MLX5LM_STATUS_WARN,
				       SIDE_SOURCE,
				       "QEMU may lock no more than this, and is killed if it needs "
				       "more while the VF's state passes through it");
		FOUND("<hard_limit> %" PRIu64 " MiB", MIB(parsed->memory_hard_limit_bytes.value));
		REQUIRED("%" PRIu64 " MiB", MIB(needed));
		REMEDY("virsh memtune %s --hard-limit %" PRIu64, checker->name, needed / 1024);
	}
	if (!host || !host->memlock_limit_bytes.known || !is_unprivileged(host) ||
	    host->memlock_limit_bytes.value >= needed)
		return;
	finding = domain_point(checker, "domain.memlock", MLX5LM_STATUS_WARN, SIDE_DESTINATION,
			       "the destination's libvirt runs without rights, and its QEMU may not "
			       "lock the guest's memory");
	FOUND("%" PRIu64 " MiB", MIB(host->memlock_limit_bytes.value));
	REQUIRED("%" PRIu64 " MiB", MIB(needed));
	REMEDY("raise RLIMIT_MEMLOCK of the daemon: prlimit --pid PID --memlock=%" PRIu64, needed);
}

void domain_check_memory(struct domain_checker *checker)
{
	check_span(checker);
	check_fits(checker);
	check_hugepages(checker);
	check_memlock(checker);
}
