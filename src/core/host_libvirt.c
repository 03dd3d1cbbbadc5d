// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/host_libvirt.h"

#include <errno.h>

#include "core/domain_xml.h"

/* The domain's devices; without any, and with *reterr, if its XML is refused. 0 or -ENOMEM. */
static int read_devices(const struct libvirt_domain *domain, struct domain_xml *ret,
			struct mlx5lm_error **reterr)
{
	if (!domain->xml)
		return 0;
	return domain_xml_parse(domain->xml, ret, reterr) == -ENOMEM ? -ENOMEM : 0;
}

int libvirt_facts_find_user(const struct libvirt_facts *facts, const char *bdf, const char **ret)
{
	for (size_t i = 0; i < facts->num_domains; i++) {
		_cleanup_domain_xml_ struct domain_xml devices = { 0 };

		if (read_devices(&facts->domains[i], &devices, NULL) < 0)
			return -ENOMEM;
		if (domain_xml_has(&devices, bdf)) {
			*ret = facts->domains[i].name;
			return 0;
		}
	}
	return 0;
}

static int mark_vf(struct mlx5lm_host *host, const char *bdf, const char *domain)
{
	for (size_t i = 0; i < host->num_pfs; i++) {
		for (size_t j = 0; j < host->pfs[i].num_vfs; j++) {
			struct mlx5lm_vf *vf = &host->pfs[i].vfs[j];

			if (bdf_equal(vf->bdf, bdf))
				return str_replace(&vf->in_use_by, domain);
		}
	}
	return 0;
}

static int mark_domain(struct mlx5lm_host *host, const struct libvirt_domain *domain)
{
	_cleanup_domain_xml_ struct domain_xml devices = { 0 };
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	int r;

	r = read_devices(domain, &devices, &error);
	if (r == 0 && error)
		r = host_add_note(host, "libvirt", NULL, "devices of domain '%s' are not known: %s",
				  domain->name, mlx5lm_error_get_message(error));
	for (size_t i = 0; r == 0 && i < devices.num_hostdevs; i++)
		r = mark_vf(host, devices.hostdevs[i].bdf, domain->name);
	return r;
}

static int add_uuid(struct mlx5lm_host *host, const struct libvirt_facts *facts)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	_cleanup_free_ char *uuid = NULL;
	int r;

	if (!facts->capabilities_xml)
		return 0;
	r = capabilities_xml_uuid(facts->capabilities_xml, &uuid, &error);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return host_add_note(host, "libvirt", NULL, "host UUID is not known: %s",
				     mlx5lm_error_get_message(error));
	return str_replace(&host->libvirt_uuid, uuid);
}

int host_add_libvirt(struct mlx5lm_host *host, const struct libvirt_facts *facts)
{
	int r;

	host->libvirt_client_version = facts->client_version;
	host->libvirt_daemon_version = facts->daemon_version;
	host->qemu_version = facts->qemu_version;
	r = str_replace(&host->libvirt_uri, facts->uri);
	if (r == 0)
		r = add_uuid(host, facts);
	for (size_t i = 0; r == 0 && i < facts->num_domains; i++)
		r = mark_domain(host, &facts->domains[i]);
	for (size_t i = 0; r == 0 && i < facts->notes.length; i++)
		r = host_add_note(host, "libvirt", NULL, "%s", facts->notes.items[i]);
	return r;
}
