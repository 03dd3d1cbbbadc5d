// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * XML of libvirt: of a domain, of a host's capabilities, or of a device of a host. Every device
 * that is found in a domain can be moved elsewhere, and nothing else of the document changes; what
 * stands in the way of a migration can be told, whatever the flags.
 */
#include <ctype.h>
#include <errno.h>

#include "core/domain.h"
#include "core/nodedev_xml.h"
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

static void check_device(const char *xml)
{
	struct mlx5lm_error *error = NULL;
	char *driver = NULL;
	int r = nodedev_xml_driver(xml, &driver, &error);

	if (r < 0) {
		check_refusal(r, error);
		MUST(!driver);
	} else {
		MUST(driver[0] == '\0' || (is_plain(driver, "") && !strchr(driver, '/')));
	}
	free(driver);
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
	const struct pairing_wishes wishes = { 0 };
	struct mlx5lm_error *error = NULL;

	if (!source) {
		source = ready_host("a", 4);
		destination = ready_host("b", 4);
	}
	if (preflight_map_vfs(source, destination, domain, &wishes, &mappings, &error) < 0)
		MUST(mlx5lm_error_get_message(error)[0]);
	else
		MUST(mappings.length <= domain->num_hostdevs);
	mlx5lm_error_free(error);
}

static void check_texts(const struct mlx5lm_findings *findings)
{
	json_t *json = findings_to_json(findings);

	/* Neither control characters nor bytes that are no UTF-8 stop the output. */
	MUST(json);
	json_decref(json);
	for (size_t i = 0; i < findings->length; i++) {
		const struct mlx5lm_finding *finding = &findings->items[i];
		const char *id = finding->text[MLX5LM_FINDING_ID];

		MUST(strncmp(id, "domain.", 7) == 0);
		MUST(finding->status <= MLX5LM_STATUS_FAIL);
		MUST(finding->text[MLX5LM_FINDING_FOUND] && finding->text[MLX5LM_FINDING_MESSAGE]);
	}
}

/* flags: whatever stands in the input. */
static void check_domain_rules(const char *xml, size_t length, uint64_t flags)
{
	static struct mlx5lm_host *host;
	struct mlx5lm_domain *domain = NULL, *copy;
	struct mlx5lm_findings findings = { 0 }, copied = { 0 };

	if (!host)
		host = ready_host("a", 4);
	MUST(domain_new(xml, length, &domain, NULL) == 0);
	MUST(domain_check(domain, host, NULL, flags, &findings) == 0);
	check_texts(&findings);
	copy = domain_copy(domain);
	MUST(copy);
	MUST(domain_check(copy, host, NULL, flags, &copied) == 0);
	MUST(copied.length == findings.length);
	MUST(findings_status(&copied) == findings_status(&findings));
	findings_release(&findings);
	findings_release(&copied);
	mlx5lm_domain_free(copy);
	mlx5lm_domain_free(domain);
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
	check_domain_rules(xml, strlen(xml), domain.uuid[0] * UINT64_C(0x1021));
	domain_xml_release(&domain);
	return true;
}

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	char *xml = fuzz_string(data, size);
	bool accepted;

	check_capabilities(xml);
	check_device(xml);
	accepted = check_domain(xml);
	free(xml);
	return accepted ? FUZZ_ACCEPTED : FUZZ_REFUSED;
}
