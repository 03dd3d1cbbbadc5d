// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/host_libvirt.h"

#include <errno.h>

#include "core/domain_xml.h"

/* What only a daemon can tell. */
#define CONNECTION_FACTS                                                                           \
	"libvirt_daemon_version qemu_version in_use_by " LIBVIRT_CAPABILITY_FACTS

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
		r = host_add_note(host, "libvirt", "in_use_by", "devices of domain '%s' are not known: %s",
				  domain->name, mlx5lm_error_get_message(error));
	for (size_t i = 0; r == 0 && i < devices.num_hostdevs; i++)
		r = mark_vf(host, devices.hostdevs[i].bdf, domain->name);
	return r;
}

/* What the document did not say, in one note. */
static int note_missing(struct mlx5lm_host *host)
{
	const struct {
		const char *fact;
		bool known;
	} facts[] = {
		{ "libvirt_uuid", host->libvirt_uuid != NULL },
		{ "libvirt_live_migration", host->libvirt_live_migration != 0 },
		{ "libvirt_migration_transports", host->libvirt_migration_transports != NULL },
		{ "cpu_model", host->cpu_model != NULL },
		{ "cpu_vendor", host->cpu_vendor != NULL },
	};
	_cleanup_(strbuf_release) struct strbuf missing = { 0 };
	_cleanup_free_ char *list = NULL;

	for (size_t i = 0; i < ARRAY_LENGTH(facts); i++) {
		if (!facts[i].known)
			strbuf_printf(&missing, "%s%s", missing.length ? " " : "", facts[i].fact);
	}
	if (!missing.length && !missing.error)
		return 0;
	if (strbuf_take(&missing, &list) < 0)
		return -ENOMEM;
	return host_add_note(host, "libvirt", list, "its capabilities do not tell: %s", list);
}

static int add_capabilities(struct mlx5lm_host *host, const char *xml)
{
	_cleanup_capabilities_ struct capabilities capabilities = { 0 };
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	int r;

	r = capabilities_xml_parse(xml, &capabilities, &error);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return host_add_note(host, "libvirt", LIBVIRT_CAPABILITY_FACTS, "%s",
				     mlx5lm_error_get_message(error));
	host->libvirt_live_migration = capabilities.live_migration;
	if (str_replace(&host->libvirt_uuid, capabilities.uuid) < 0 ||
	    str_replace(&host->libvirt_migration_transports,
			capabilities.migration_transports) < 0 ||
	    str_replace(&host->cpu_model, capabilities.cpu_model) < 0 ||
	    str_replace(&host->cpu_vendor, capabilities.cpu_vendor) < 0)
		return -ENOMEM;
	return note_missing(host);
}

/* A look at the socket's mode is a guess; this is the daemon's word. */
static int set_privilege(struct mlx5lm_host *host, const char *uri, const char *refusal)
{
	struct mlx5lm_privilege *privilege = fact_list_find(&host_privileges, host, "libvirt");

	if (!privilege)
		return 0;
	privilege->granted = refusal ? MLX5LM_ANSWER_NO : MLX5LM_ANSWER_YES;
	free(privilege->needs);
	privilege->needs = str_printf("a connection that the libvirt daemon at %s grants%s%s", uri,
				      refusal ? "; it says: " : "", refusal ?: "");
	return privilege->needs ? 0 : -ENOMEM;
}

static int add_notes(struct mlx5lm_host *host, const struct libvirt_facts *facts)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < facts->num_notes; i++)
		r = host_add_note(host, "libvirt", facts->notes[i].facts, "%s",
				  facts->notes[i].text);
	return r;
}

int host_add_libvirt(struct mlx5lm_host *host, const struct libvirt_facts *facts)
{
	int r;

	host->libvirt_client_version = facts->client_version;
	host->libvirt_daemon_version = facts->daemon_version;
	host->qemu_version = facts->qemu_version;
	r = str_replace(&host->libvirt_uri, facts->uri);
	if (r == 0 && facts->capabilities_xml)
		r = add_capabilities(host, facts->capabilities_xml);
	for (size_t i = 0; r == 0 && i < facts->num_domains; i++)
		r = mark_domain(host, &facts->domains[i]);
	if (r == 0)
		r = add_notes(host, facts);
	return r == 0 ? set_privilege(host, facts->uri, NULL) : r;
}

static bool is_refusal(const struct mlx5lm_error *error)
{
	return error->code == MLX5LM_ERROR_PERMISSION || error->errnum == EACCES ||
	       error->errnum == EPERM;
}

int host_add_libvirt_failure(struct mlx5lm_host *host, const struct libvirt_facts *facts,
			     const struct mlx5lm_error *error)
{
	int r;

	host->libvirt_client_version = facts->client_version;
	r = str_replace(&host->libvirt_uri, facts->uri);
	if (r == 0)
		r = add_notes(host, facts);
	if (r == 0 && error->detail)
		r = host_add_note(host, "libvirt", CONNECTION_FACTS, "%s (%s)", error->message,
				  error->detail);
	else if (r == 0)
		r = host_add_note(host, "libvirt", CONNECTION_FACTS, "%s", error->message);
	if (r < 0 || !is_refusal(error))
		return r;
	return set_privilege(host, facts->uri, error->detail ?: error->message);
}

int host_skip_libvirt(struct mlx5lm_host *host, const char *why)
{
	return host_add_note(host, "libvirt",
			     "libvirt_uri libvirt_client_version " CONNECTION_FACTS,
			     "it was not asked: %s", why);
}
