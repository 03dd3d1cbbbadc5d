// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * XML of libvirt: of a domain, or of a host's capabilities. Every device that is found in a
 * domain can be moved elsewhere, and nothing else of the document changes.
 */
#include <ctype.h>
#include <errno.h>

#include "core/domain_xml.h"
#include "core/preflight.h"
#include "core/xml.h"
#include "fuzz.h"
#include "support/hosts.h"

/* No input is likely to have it. */
#define ELSEWHERE "fedcba98:76:15.4"

static void check_refusal(int r, struct mlx5lm_error *error)
{
	MUST(r == -EBADMSG);
	MUST(mlx5lm_error_get_code(error) == MLX5LM_ERROR_INVALID_DOCUMENT);
	mlx5lm_error_free(error);
}

/* A name has nothing in it that would need an eye on it later. */
static bool is_plain(const char *name, const char *separators)
{
	if (!name)
		return true;
	for (const char *at = name; *at; at++) {
		if (!isgraph((unsigned char)*at) && !strchr(separators, *at))
			return false;
	}
	return name[0] != '\0';
}

static void check_capabilities(const char *xml)
{
	struct mlx5lm_error *error = NULL;
	struct capabilities capabilities = { 0 };
	int r = capabilities_xml_parse(xml, &capabilities, &error);

	if (r < 0) {
		check_refusal(r, error);
		MUST(!capabilities.uuid && !capabilities.cpu_model);
	}
	MUST(capabilities.live_migration <= MLX5LM_ANSWER_NO);
	MUST(is_plain(capabilities.migration_transports, " "));
	MUST(is_plain(capabilities.cpu_model, ""));
	MUST(is_plain(capabilities.cpu_vendor, ""));
	capabilities_release(&capabilities);
}

static char *map(const char *xml, const char *source, const char *destination)
{
	struct vf_mapping mapping = { 0 };
	char *mapped = NULL;

	strcpy(mapping.source, source);
	strcpy(mapping.destination, destination);
	MUST(domain_xml_map(xml, &mapping, 1, &mapped, NULL) == 0);
	return mapped;
}

static void check_moved(const char *xml, const struct hostdev *hostdev)
{
	struct domain_xml moved_domain = { 0 };
	char *same = map(xml, hostdev->bdf, hostdev->bdf);
	char *moved = map(xml, hostdev->bdf, ELSEWHERE);

	MUST(strcmp(same, xml) == 0);
	MUST(domain_xml_parse(moved, &moved_domain, NULL) == 0);
	MUST(domain_xml_has(&moved_domain, ELSEWHERE));
	MUST(!domain_xml_has(&moved_domain, hostdev->bdf));
	domain_xml_release(&moved_domain);
	free(moved);
	free(same);
}

/* Whether there is a way for all devices is another matter: it ends well, or with a reason. */
static void check_preflight(const struct domain_xml *domain)
{
	static struct mlx5lm_host *source, *destination;
	_cleanup_vf_mappings_ struct vf_mappings mappings = { 0 };
	const struct vf_mappings wanted = { 0 };
	struct mlx5lm_error *error = NULL;

	if (!source) {
		source = ready_host("a", 4);
		destination = ready_host("b", 4);
	}
	if (preflight_map_vfs(source, destination, domain, &wanted, &mappings, &error) < 0)
		MUST(mlx5lm_error_get_message(error)[0]);
	else
		MUST(mappings.length <= domain->num_hostdevs);
	mlx5lm_error_free(error);
}

static bool check_domain(const char *xml)
{
	struct mlx5lm_error *error = NULL;
	struct domain_xml domain = { 0 };
	int r = domain_xml_parse(xml, &domain, &error);

	if (r < 0) {
		MUST(!domain.name && !domain.hostdevs);
		check_refusal(r, error);
		return false;
	}
	MUST(domain.name && domain.uuid);
	/* A few stand for all: each one costs six readings of the document. */
	for (size_t i = 0; i < domain.num_hostdevs && i < 4; i++)
		check_moved(xml, &domain.hostdevs[i]);
	check_preflight(&domain);
	domain_xml_release(&domain);
	return true;
}

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	char *xml = fuzz_string(data, size);
	bool accepted;

	check_capabilities(xml);
	accepted = check_domain(xml);
	free(xml);
	return accepted ? FUZZ_ACCEPTED : FUZZ_REFUSED;
}
