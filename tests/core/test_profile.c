// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/profile_json.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

#include "core/check.h"
#include "core/check_ids.h"
#include "support/hosts.h"

#define HEAD "{\"schema\":\"mlx5lm.profile\",\"schema_version\":1,\"name\":\"site\","
#define ADAPTERS "\"adapters\":[{\"device\":\"15b3:1021\",\"model\":\"ConnectX-7\"," \
		 "\"firmware_min\":\"28.43.1000\"}]"

static struct mlx5lm_profile *parsed(const char *json)
{
	struct mlx5lm_profile *profile = NULL;
	struct mlx5lm_error *error = NULL;

	cr_assert_eq(profile_parse(json, strlen(json), &profile, &error), 0, "%s",
		     error ? error->message : "");
	return profile;
}

static void expect_refused(const char *json, const char *part)
{
	struct mlx5lm_profile *profile = NULL;
	struct mlx5lm_error *error = NULL;

	cr_assert_eq(profile_parse(json, strlen(json), &profile, &error), -EBADMSG, "%s", json);
	cr_expect_null(profile);
	cr_expect_eq(error->code, MLX5LM_ERROR_INVALID_DOCUMENT);
	cr_expect(strstr(error->message, part), "\"%s\" is not in \"%s\"", part, error->message);
	mlx5lm_error_free(error);
	cr_expect_eq(profile_parse(json, strlen(json), &profile, NULL), -EBADMSG);
}

/* The status that the profile leads to for an id. */
static enum mlx5lm_status status_of(const struct mlx5lm_host *host,
				    const struct mlx5lm_profile *profile, const char *id)
{
	struct mlx5lm_findings findings = { 0 };
	enum mlx5lm_status status = MLX5LM_STATUS_UNKNOWN;

	cr_assert_eq(check_host(host, profile, NULL, &findings), 0);
	for (size_t i = 0; i < findings.length; i++) {
		if (streq(findings.items[i].text[MLX5LM_FINDING_ID], id))
			status = findings.items[i].status;
	}
	findings_release(&findings);
	return status;
}

Test(profile, a_name_without_its_version_is_the_newest)
{
	cr_expect_str_eq(profile_find("nvidia-doca")->name, "nvidia-doca-2.9");
	cr_expect_str_eq(profile_find("rhel")->name, "rhel-10");
	cr_expect_str_eq(profile_find("rhel-10")->name, "rhel-10");
	cr_expect_eq(profile_find(NULL), profile_find("nvidia-doca-2.9"));
	cr_expect_null(profile_find("none"));
	cr_expect_null(profile_find(""));
	cr_expect_null(profile_find("rhel-1"));
	cr_expect_null(profile_find("nvidia"));
}

Test(profile, all_known_names_lead_to_profiles)
{
	size_t length = 0;

	for (; profile_known_name(length); length++)
		cr_expect_str_eq(profile_find(profile_known_name(length))->name,
				 profile_known_name(length));
	cr_expect_eq(length, 2);
	cr_expect_null(profile_known_name(SIZE_MAX));
}

Test(profile, what_is_written_is_read_again)
{
	for (size_t i = 0; profile_known_name(i); i++) {
		const struct mlx5lm_profile *known = profile_find(profile_known_name(i));
		struct mlx5lm_profile *copy, *again;
		struct mlx5lm_text *first, *second;

		cr_assert_eq(profile_copy(known, &copy), 0);
		cr_assert_eq(profile_serialize(copy, &first), 0);
		profile_free(copy);
		again = parsed(mlx5lm_text_get_str(first));
		cr_expect_eq(again->num_adapters, known->num_adapters);
		cr_expect_eq(again->guest_viommu, known->guest_viommu);
		cr_expect_eq(again->max_migrating_vfs_per_pf, known->max_migrating_vfs_per_pf);
		cr_assert_eq(profile_serialize(again, &second), 0);
		cr_expect_str_eq(mlx5lm_text_get_str(first), mlx5lm_text_get_str(second));
		profile_free(again);
		mlx5lm_text_free(first);
		mlx5lm_text_free(second);
	}
}

Test(profile, a_profile_of_ones_own_moves_every_minimum)
{
	struct mlx5lm_profile *profile = parsed(
		HEAD ADAPTERS ",\"kernel_min\":\"6.13\",\"libvirt_min\":\"12.0\","
			      "\"qemu_min\":\"10.1.0\"}");
	struct mlx5lm_host *host = ready_host("a", 1);

	cr_expect_eq(status_of(host, profile, "firmware.version"), MLX5LM_STATUS_FAIL);
	cr_expect_eq(status_of(host, profile, "kernel.version"), MLX5LM_STATUS_WARN);
	cr_expect_eq(status_of(host, profile, "libvirt.version"), MLX5LM_STATUS_FAIL);
	cr_expect_eq(status_of(host, profile, "qemu.version"), MLX5LM_STATUS_FAIL);
	profile_free(profile);
	profile = parsed(HEAD ADAPTERS "}");
	host->qemu_version = fact_u64(2000000);
	cr_expect_eq(status_of(host, profile, "qemu.version"), MLX5LM_STATUS_PASS);
	cr_expect(profile->guest_viommu);
	profile_free(profile);
	mlx5lm_host_free(host);
}

Test(profile, a_profile_says_how_grave_a_finding_is)
{
	struct mlx5lm_profile *profile =
		parsed(HEAD ADAPTERS ",\"severities\":{\"firmware.version\":\"warn\","
				     "\"libvirt.connection\":\"info\",\"firmware.pending\":"
				     "\"fail\",\"iommu.active\":\"fail\",\"qemu.version\":"
				     "\"fail\"}}");
	struct mlx5lm_host *host = ready_host("a", 1);

	cr_expect_eq(status_of(host, profile, "firmware.version"), MLX5LM_STATUS_WARN);
	cr_expect_eq(status_of(host, profile, "firmware.pending"), MLX5LM_STATUS_PASS);
	set_text(&host->pfs[0].fw_stored, "28.99.1000");
	cr_expect_eq(status_of(host, profile, "firmware.pending"), MLX5LM_STATUS_FAIL);
	/* What is not known may be of no interest, but is never a failure. */
	host->iommu_active = MLX5LM_ANSWER_UNKNOWN;
	cr_expect_eq(status_of(host, profile, "iommu.active"), MLX5LM_STATUS_UNKNOWN);
	host->libvirt_daemon_version = host->qemu_version = (struct fact_u64){ 0 };
	cr_expect_eq(status_of(host, profile, "libvirt.connection"), MLX5LM_STATUS_INFO);
	/* It is not looked at: that is nothing the profile speaks of. */
	cr_expect_eq(status_of(host, profile, "qemu.version"), MLX5LM_STATUS_INFO);
	profile_free(profile);
	mlx5lm_host_free(host);
}

Test(profile, what_is_not_understood_is_refused_with_its_place)
{
	static const struct {
		const char *json, *part;
	} cases[] = {
		{ "", "no valid JSON at line 1" },
		{ HEAD ADAPTERS ",\"a\":[[[[[[[[0]]]]]]]]}", "nested deeper than 8 at byte" },
		{ "{\"schema\":", "byte 10" },
		{ "[]", "/ is not an object" },
		{ "{}", "/schema " },
		{ "{\"schema\":\"mlx5lm.profile\",\"schema_version\":2}", "/schema_version" },
		{ "{\"schema\":\"mlx5lm.profile\",\"schema_version\":\"1\"}", "/schema_version" },
		{ HEAD ADAPTERS ",\"kernel_mim\":\"6.7\"}", "/kernel_mim is not known" },
		{ HEAD "\"kernel_min\":\"6.7\"}", "/adapters is not a list" },
		{ HEAD "\"adapters\":[]}", "/adapters is not a list" },
		{ HEAD "\"adapters\":[7]}", "/adapters/0 is not an object" },
		{ HEAD "\"adapters\":[{\"device\":\"15b3:1021\",\"model\":\"x\","
		  "\"firmware_min\":28}]}", "/adapters/0/firmware_min" },
		{ HEAD "\"adapters\":[{\"device\":\"8086:1021\",\"model\":\"x\","
		  "\"firmware_min\":\"28.1\"}]}", "/adapters/0/device" },
		{ HEAD "\"adapters\":[{\"device\":\"15b3:1021\",\"firmware_min\":\"28.1\"}]}",
		  "/adapters/0/model is missing" },
		{ HEAD "\"adapters\":[{\"device\":\"15b3:1021\",\"model\":\"x\",\"fw\":1,"
		  "\"firmware_min\":\"28.1\"}]}", "/adapters/0/fw is not known" },
		{ HEAD "\"adapters\":[{\"device\":\"15b3:1021\",\"model\":\"x\",\"firmware_min\":"
		  "\"28.1\"},{\"device\":\"15b3:1021\",\"model\":\"y\",\"firmware_min\":"
		  "\"28.1\"}]}", "/adapters/1/device is there twice" },
		{ HEAD ADAPTERS ",\"qemu_min\":\"8\"}", "/qemu_min" },
		{ HEAD ADAPTERS ",\"qemu_min\":\"8.1-rc\"}", "/qemu_min" },
		{ HEAD ADAPTERS ",\"qemu_min\":null}", "/qemu_min" },
		{ HEAD ADAPTERS ",\"guest_viommu\":1}", "/guest_viommu" },
		{ HEAD ADAPTERS ",\"max_migrating_vfs_per_pf\":0}", "/max_migrating_vfs_per_pf" },
		{ HEAD ADAPTERS ",\"max_migrating_vfs_per_pf\":-4}", "/max_migrating_vfs_per_pf" },
		{ HEAD ADAPTERS ",\"severities\":[]}", "/severities is not an object" },
		{ HEAD ADAPTERS ",\"severities\":{\"kernel.verson\":\"info\"}}",
		  "/severities/kernel.verson is no finding" },
		{ HEAD ADAPTERS ",\"severities\":{\"kernel.version\":\"pass\"}}",
		  "/severities/kernel.version is not" },
		{ HEAD ADAPTERS ",\"severities\":{\"kernel.version\":3}}",
		  "/severities/kernel.version is not" },
		{ HEAD ADAPTERS ",\"source\":\"a\\nb\"}", "/source has control characters" },
		{ HEAD ADAPTERS ",\"source\":\"\"}", "/source is empty" },
		{ HEAD ADAPTERS ",\"source\":7}", "/source is not a string" },
		{ HEAD ADAPTERS "," ADAPTERS "}", "no valid JSON" },
		{ HEAD ADAPTERS ",\"x\\ny\":1}", "/x?y is not known" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		expect_refused(cases[i].json, cases[i].part);
}

Test(profile, sizes_are_bounded)
{
	char *json = malloc(PROFILE_MAX_BYTES + 1);
	struct mlx5lm_profile *profile = NULL;
	struct mlx5lm_error *error = NULL;
	struct strbuf adapters = { 0 };

	cr_assert(json);
	memset(json, ' ', PROFILE_MAX_BYTES + 1);
	cr_expect_eq(profile_parse(json, PROFILE_MAX_BYTES + 1, &profile, &error), -EFBIG);
	mlx5lm_error_free(error);
	free(json);
	strbuf_add(&adapters, HEAD "\"adapters\":[");
	for (unsigned int i = 0; i <= PROFILE_MAX_ADAPTERS; i++)
		strbuf_printf(&adapters, "%s{\"device\":\"15b3:%04x\",\"model\":\"x\","
			      "\"firmware_min\":\"1.1\"}", i ? "," : "", i);
	strbuf_add(&adapters, "]}");
	expect_refused(adapters.text, "/adapters is not a list of 1 to 64");
	strbuf_release(&adapters);
	adapters = (struct strbuf){ 0 };
	strbuf_printf(&adapters, HEAD ADAPTERS ",\"source\":\"%0257d\"}", 0);
	expect_refused(adapters.text, "/source is empty or longer than 256 bytes");
	strbuf_release(&adapters);
}

Test(profile, findings_that_a_profile_names_exist)
{
	for (size_t i = 0; profile_known_name(i); i++) {
		const struct mlx5lm_profile *profile = profile_find(profile_known_name(i));

		for (size_t j = 0; j < profile->num_severities; j++)
			cr_expect(check_id_is_known(profile->severities[j].id), "%s",
				  profile->severities[j].id);
	}
}
