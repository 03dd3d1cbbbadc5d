// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/probe.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/error.h"
#include "sys/iommu_groups.h"
#include "sys/kernel.h"
#include "sys/module_aliases.h"
#include "sys/modules.h"
#include "sys/pci.h"
#include "sys/privileges.h"
#include "sys/probe_devlink.h"
#include "sys/probe_files.h"
#include "sys/probe_vfio.h"

/* Of a look at one PF. A driver that reconfigures it takes some seconds. */
#define PF_TIMEOUT_MS 15000

#define PARALLEL_PFS 4

#define DEVLINK_FACTS                                                                              \
	"psid fw_running fw_stored board_serial_number devlink_driver eswitch_mode "               \
	"eswitch_manager params hw_addr representor representor_state roce migratable "             \
	"ipsec_crypto ipsec_packet max_io_eqs port_index"

/* What runs on threads for one PF. */
struct pf_work {
	struct devlink_questions *questions;
	struct file_jobs *jobs;
};

static int start_work(const struct pci_bus *bus, const struct mlx5lm_pf *pf, uint64_t until_ms,
		      struct pf_work *work)
{
	int r = 0;

	if (bus->root->native)
		r = probe_devlink_start(bus->root, pf, until_ms, &work->questions);
	return r < 0 ? r : probe_files_start(bus, pf, until_ms, &work->jobs);
}

/* Ends all that was started, come what may. */
static int finish_work(struct pf_work *work, struct mlx5lm_pf *pf, struct mlx5lm_host *host)
{
	int r = 0, other = 0;

	if (work->questions)
		r = probe_devlink_finish(work->questions, pf, host);
	/* Behind devlink, whose serial number comes first. */
	if (work->jobs)
		other = probe_files_finish(work->jobs, pf, host);
	return r < 0 ? r : other;
}

/* Some PFs at once: each mostly waits for its own firmware. */
static int probe_some_pfs(const struct pci_bus *bus, uint64_t until_ms, struct mlx5lm_host *host,
			  size_t first, size_t length)
{
	struct pf_work work[PARALLEL_PFS] = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < length; i++)
		r = start_work(bus, &host->pfs[first + i], until_ms, &work[i]);
	for (size_t i = 0; i < length; i++) {
		int other = finish_work(&work[i], &host->pfs[first + i], host);

		r = r < 0 ? r : other;
	}
	return r;
}

static int probe_pfs(const struct pci_bus *bus, const struct probe_options *options,
		     struct mlx5lm_host *host)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < host->num_pfs; i += PARALLEL_PFS) {
		size_t left = host->num_pfs - i;

		r = probe_some_pfs(bus, options->until_ms, host, i,
				   left < PARALLEL_PFS ? left : PARALLEL_PFS);
	}
	if (r == 0)
		r = iommu_groups_probe(bus, host);
	if (r == 0)
		r = probe_vfio(bus, options->open_vfs, options->until_ms, host);
	return r;
}

static void log_host(const struct log *log, const struct mlx5lm_host *host)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		const struct mlx5lm_pf *pf = &host->pfs[i];

		log_debug(log, "%s: PF with %zu VFs, driver %s, PSID %s, firmware %s, eswitch %s",
			  pf->bdf, pf->num_vfs, pf->driver ?: "none", pf->psid ?: "unknown",
			  pf->fw_running ?: "unknown",
			  name_of(&eswitch_mode_names, pf->eswitch_mode));
	}
	for (size_t i = 0; i < host->num_notes; i++)
		log_debug(log, "%s", host->notes[i].line);
}

/* With one PF only, or with all (NULL). One that went in the meantime is left out. */
static int probe(const struct pci_bus *bus, const struct log *log,
		 const struct probe_options *options, const char *pf_bdf, struct mlx5lm_host **ret)
{
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	const struct root *root = bus->root;
	int r;

	r = host_new(&host);
	if (r == 0)
		r = kernel_probe(root, host);
	if (r == 0)
		r = modules_probe(root, host);
	if (r == 0)
		r = pf_bdf ? pci_probe_pf(bus, pf_bdf, host) : pci_probe_pfs(bus, host);
	if (r < 0 && r != -ENOMEM)
		r = 0;
	if (r == 0 && host->num_pfs && !root->native)
		r = host_add_note(host, "host", DEVLINK_FACTS,
				  "devlink was not asked: the root is not the tree of the running "
				  "kernel; probe on the machine itself");
	if (r == 0)
		r = probe_pfs(bus, options, host);
	if (r == 0)
		r = modules_probe_best_drivers(root, host);
	if (r == 0)
		r = privileges_probe(root, host);
	if (r < 0)
		return r;
	log_host(log, host);
	*ret = TAKE(host);
	return 0;
}

static int bus_failed(const struct root *root, int r, struct mlx5lm_error **reterr)
{
	if (r == -ENOMEM)
		return error_no_memory(reterr);
	error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_SYSFS,
		  "cannot read " PCI_DEVICES " below %s: %s", root->path, strerror(-r));
	error_add_remedy(reterr, "mount the host's sysfs below %s", root->path);
	return r;
}

int probe_host(const struct root *root, const struct log *log, const struct probe_options *options,
	       struct mlx5lm_host **ret, struct mlx5lm_error **reterr)
{
	_cleanup_(pci_bus_release) struct pci_bus bus = { .fd = -1 };
	int r;

	r = pci_bus_open(root, &bus);
	if (r < 0)
		return bus_failed(root, r, reterr);
	r = probe(&bus, log, options, NULL, ret);
	return r < 0 ? error_no_memory(reterr) : 0;
}

int probe_pf(const struct root *root, const struct log *log, const char *pf_bdf,
	     struct mlx5lm_host **ret, struct mlx5lm_error **reterr)
{
	struct probe_options options = { .until_ms = (uint64_t)clock_now_ms() + PF_TIMEOUT_MS };
	_cleanup_(pci_bus_release) struct pci_bus bus = { .fd = -1 };
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	int r;

	if (!pci_is_bdf(pf_bdf))
		return error_invalid(reterr, "\"%s\" is no PCI address", pf_bdf);
	r = pci_bus_open(root, &bus);
	if (r < 0)
		return bus_failed(root, r, reterr);
	r = probe(&bus, log, &options, pf_bdf, &host);
	if (r < 0)
		return error_no_memory(reterr);
	if (!host->num_pfs) {
		r = error_set(reterr, MLX5LM_ERROR_NOT_FOUND, ENOENT, MLX5LM_SOURCE_SYSFS,
			      "%s: there is no such mlx5 PF", pf_bdf);
		error_add_remedy(reterr, "lspci -D -d 15b3: lists them");
		return r;
	}
	*ret = TAKE(host);
	return 0;
}
