// SPDX-License-Identifier: LGPL-2.1-or-later
/* Domains as they are met with, in tests/data/domains, have the findings that the table says. */
#include "core/domain.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <jansson.h>
#include <libvirt/libvirt.h>
#include <stdio.h>
#include <time.h>

#include "core/json_text.h"
#include "support/hosts.h"

#define DOMAINS TEST_DATA "/domains/"
#define GIB (UINT64_C(1) << 30)

static struct mlx5lm_host *source, *destination;
static json_t *table;

static struct mlx5lm_host *large_host(const char *name)
{
	struct mlx5lm_host *host = ready_host(name, 8);

	for (size_t i = 0; i < host->pfs[0].num_vfs; i++)
		host->pfs[0].vfs[i].vfio_migration_flags = fact_u64(
			MLX5LM_VFIO_MIGRATION_STOP_COPY | MLX5LM_VFIO_MIGRATION_P2P);
	set_text(&host->architecture, "x86_64");
	host->memory_total_bytes = fact_u64(16384 * GIB);
	host->hugepage_size_bytes = fact_u64(2 << 20);
	host->hugepages_free = fact_u64(8192);
	return host;
}

static void setup(void)
{
	json_error_t error;

	source = large_host("a");
	destination = large_host("b");
	table = json_load_file(DOMAINS "expected.json", 0, &error);
	cr_assert_not_null(table, "expected.json, line %d: %s", error.line, error.text);
}

static void teardown(void)
{
	mlx5lm_host_free(source);
	mlx5lm_host_free(destination);
	json_decref(table);
}

TestSuite(domain_corpus, .init = setup, .fini = teardown);

static char *read_file(const char *name, size_t *ret_length)
{
	char path[512], *text;
	FILE *file;
	long length;

	snprintf(path, sizeof(path), DOMAINS "%s", name);
	file = fopen(path, "re");
	cr_assert_not_null(file, "%s", path);
	cr_assert_eq(fseek(file, 0, SEEK_END), 0);
	length = ftell(file);
	rewind(file);
	text = malloc((size_t)length);
	cr_assert_eq(fread(text, 1, (size_t)length, file), (size_t)length);
	fclose(file);
	*ret_length = (size_t)length;
	return text;
}

static struct mlx5lm_domain *read_domain(const char *name)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	_cleanup_free_ char *text = NULL;
	struct mlx5lm_domain *domain = NULL;
	size_t length;

	text = read_file(name, &length);
	cr_assert_eq(domain_new(text, length, &domain, &error), 0, "%s: %s", name,
		     mlx5lm_error_get_message(error));
	return domain;
}

static uint64_t read_flags(const char *words)
{
	static const struct {
		const char *word;
		uint64_t flag;
	} names[] = {
		{ "live", VIR_MIGRATE_LIVE },
		{ "peer2peer", VIR_MIGRATE_PEER2PEER },
		{ "tunnelled", VIR_MIGRATE_TUNNELLED },
		{ "non-shared-disk", VIR_MIGRATE_NON_SHARED_DISK },
		{ "auto-converge", VIR_MIGRATE_AUTO_CONVERGE },
		{ "postcopy", VIR_MIGRATE_POSTCOPY },
	};
	uint64_t flags = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
		if (strstr(words, names[i].word))
			flags |= names[i].flag;
	}
	return flags;
}

static char *join_sorted(struct strv *list)
{
	struct strbuf text = { 0 };
	char *joined;

	strv_sort(list);
	for (size_t i = 0; i < list->length; i++)
		strbuf_printf(&text, "%s%s", i ? ", " : "", list->items[i]);
	if (!list->length)
		strbuf_add(&text, "none");
	cr_assert_eq(strbuf_take(&text, &joined), 0);
	strv_release(list);
	return joined;
}

static char *expected_findings(const json_t *row)
{
	struct strv list = { 0 };
	size_t index;
	json_t *item;

	json_array_foreach(json_object_get(row, "findings"), index, item)
		cr_assert_eq(strv_take(&list, strdup(json_string_value(item))), 0);
	return join_sorted(&list);
}

/* What people read is there, too. */
static void check_texts(const char *name, const struct mlx5lm_finding *finding)
{
	const char *id = finding->text[MLX5LM_FINDING_ID];

	cr_expect_not_null(finding->text[MLX5LM_FINDING_MESSAGE], "%s: %s", name, id);
	cr_expect_not_null(finding->text[MLX5LM_FINDING_FOUND], "%s: %s", name, id);
	cr_expect_not_null(finding->text[MLX5LM_FINDING_EXPLAIN], "%s: %s", name, id);
	if (finding->status == MLX5LM_STATUS_PASS || finding->status == MLX5LM_STATUS_INFO)
		return;
	cr_expect_not_null(finding->text[MLX5LM_FINDING_REQUIRED], "%s: %s", name, id);
	cr_expect_not_null(finding->text[MLX5LM_FINDING_REMEDY], "%s: %s", name, id);
}

static char *actual_findings(const char *name, const struct mlx5lm_findings *findings)
{
	struct strv list = { 0 };

	for (size_t i = 0; i < findings->length; i++) {
		const struct mlx5lm_finding *finding = &findings->items[i];

		cr_assert_eq(strv_take(&list, str_printf("%s %s", status_names[finding->status],
							 finding->text[MLX5LM_FINDING_ID])), 0);
		check_texts(name, finding);
	}
	return join_sorted(&list);
}

static void check_row(const json_t *row)
{
	const char *name = json_string_value(json_object_get(row, "file"));
	const char *flags = json_string_value(json_object_get(row, "flags"));
	bool none = streq(json_string_value(json_object_get(row, "hosts")), "none");
	_cleanup_mlx5lm_domain_ struct mlx5lm_domain *domain = read_domain(name);
	_cleanup_free_ char *expected = expected_findings(row), *actual = NULL;
	struct mlx5lm_findings findings = { 0 };

	cr_assert_eq(domain_check(domain, none ? NULL : source, none ? NULL : destination,
				  read_flags(flags ? flags : "live"), &findings), 0);
	actual = actual_findings(name, &findings);
	cr_expect_str_eq(actual, expected, "%s: %s, not %s", name, actual, expected);
	findings_release(&findings);
}

Test(domain_corpus, each_domain_has_exactly_the_findings_of_the_table)
{
	size_t index;
	json_t *row;

	cr_assert_geq(json_array_size(table), 60);
	json_array_foreach(table, index, row)
		check_row(row);
}

Test(domain_corpus, each_file_stands_in_the_table_once)
{
	DIR *folder = opendir(DOMAINS);
	size_t num_files = 0, index, found;
	const struct dirent *entry;
	json_t *row;

	cr_assert_not_null(folder);
	while ((entry = readdir(folder))) {
		if (!strstr(entry->d_name, ".xml"))
			continue;
		num_files++;
		found = 0;
		json_array_foreach(table, index, row)
			found += streq(json_string_value(json_object_get(row, "file")),
				       entry->d_name);
		cr_expect_eq(found, 1, "%s stands there %zu times", entry->d_name, found);
	}
	closedir(folder);
	cr_expect_eq(num_files, json_array_size(table));
}

Test(domain_corpus, a_copy_is_the_same_domain)
{
	size_t index;
	json_t *row;

	json_array_foreach(table, index, row) {
		const char *name = json_string_value(json_object_get(row, "file"));
		_cleanup_mlx5lm_domain_ struct mlx5lm_domain *domain = read_domain(name);
		_cleanup_mlx5lm_domain_ struct mlx5lm_domain *copy = domain_copy(domain);

		cr_assert_not_null(copy);
		cr_expect_str_eq(copy->xml, domain->xml);
		cr_expect_eq(copy->parsed.num_devices, domain->parsed.num_devices);
		cr_expect_eq(copy->parsed.num_hostdevs, domain->parsed.num_hostdevs);
	}
}

/* The budget is for a machine that does nothing else; an order above it is a mistake anywhere. */
Test(domain_corpus, reading_all_of_them_takes_no_time)
{
	struct timespec begin, end;
	double us;
	size_t index;
	json_t *row;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	json_array_foreach(table, index, row) {
		_cleanup_mlx5lm_domain_ struct mlx5lm_domain *domain =
			read_domain(json_string_value(json_object_get(row, "file")));

		cr_assert_not_null(domain);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	us = (double)(end.tv_sec - begin.tv_sec) * 1e6 + (double)(end.tv_nsec - begin.tv_nsec) / 1e3;
	us /= (double)json_array_size(table);
	cr_expect_lt(us, 5000, "%.0f us for a domain", us);
}
