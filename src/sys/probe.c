// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/probe.h"

#include <errno.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sys/kernel.h"
#include "sys/modules.h"
#include "sys/pci.h"
#include "sys/probe_devlink.h"

static int probe_serial_number(const struct root *root, struct mlx5lm_pf *pf,
			       struct mlx5lm_host *host)
{
	int r;

	if (pf->serial_number)
		return 0;
	r = pci_read_vpd_serial(root, pf->bdf, &pf->serial_number);
	if (r == -ENOMEM || pf->serial_number)
		return r;
	if (r == -EACCES || r == -EPERM)
		return host_add_note(host, pf->bdf, "serial_number",
				     "serial number is not known: vital product data is "
				     "for root only; run as root");
	return host_add_note(host, pf->bdf, "serial_number", "serial number is not known: neither devlink nor vital "
			     "product data has it");
}

static int probe_one_pf(const struct root *root, const struct log *log, const char *bdf,
			struct mlx5lm_host *host)
{
	struct mlx5lm_pf *pf;
	int r;

	r = pci_probe_pf(root, bdf, host);
	if (r < 0)
		return r;
	pf = &host->pfs[host->num_pfs - 1];
	if (root->native) {
		r = probe_devlink(pf, host);
		if (r < 0)
			return r;
	}
	log_debug(log, "%s: PF with %zu VFs, driver %s, PSID %s, firmware %s, eswitch %s", bdf,
		  pf->num_vfs, pf->driver ?: "none", pf->psid ?: "unknown",
		  pf->fw_running ?: "unknown", name_of(&eswitch_mode_names, pf->eswitch_mode));
	return probe_serial_number(root, pf, host);
}

/* All of bdfs; one that went in the meantime is left out. */
static int probe(const struct root *root, const struct log *log, const struct strv *bdfs,
		 struct mlx5lm_host **ret)
{
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	size_t known;
	int r;

	r = host_new(&host);
	if (r == 0)
		r = kernel_probe(root, host);
	if (r == 0)
		r = modules_probe(root, host);
	if (r == 0 && bdfs->length && !root->native)
		r = host_add_note(host, "host", NULL, "devlink was not asked: %s is not the tree of the "
				  "running kernel",
				  root->path);
	for (size_t i = 0; r == 0 && i < bdfs->length; i++) {
		known = host->num_pfs;
		r = probe_one_pf(root, log, bdfs->items[i], host);
		if (r < 0 && r != -ENOMEM && host->num_pfs == known)
			r = 0;
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < host->num_notes; i++)
		log_debug(log, "%s", host->notes[i].line);
	*ret = TAKE(host);
	return 0;
}

int probe_host(const struct root *root, const struct log *log, struct mlx5lm_host **ret,
	       struct mlx5lm_error **reterr)
{
	_cleanup_(strv_release) struct strv bdfs = { 0 };
	int r;

	r = pci_list_pfs(root, &bdfs);
	if (r == 0)
		r = probe(root, log, &bdfs, ret);
	if (r == -ENOMEM)
		return error_no_memory(reterr);
	if (r < 0) {
		error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_SYSFS,
			  "cannot read " PCI_DEVICES " below %s: %s", root->path, strerror(-r));
		error_add_remedy(reterr, "mount the host's sysfs below %s", root->path);
	}
	return r;
}

int probe_pf(const struct root *root, const struct log *log, const char *pf_bdf,
	     struct mlx5lm_host **ret, struct mlx5lm_error **reterr)
{
	_cleanup_(strv_release) struct strv bdfs = { 0 };
	_cleanup_host_ struct mlx5lm_host *host = NULL;
	int r;

	if (!pci_is_bdf(pf_bdf))
		return error_invalid(reterr, "\"%s\" is no PCI address", pf_bdf);
	r = strv_take(&bdfs, strdup(pf_bdf));
	if (r == 0)
		r = probe(root, log, &bdfs, &host);
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
