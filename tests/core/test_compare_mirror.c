// SPDX-License-Identifier: LGPL-2.1-or-later
/* Whatever two hosts are like: exchanged they give the mirror image, and twice the same bytes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "compare_support.h"
#include "core/compare_internal.h"
#include "support/full_host.h"
#include "support/hosts.h"

#define RUNS 3000

struct random {
	uint64_t state;
};

/* xorshift64*: the same on each machine. */
static uint64_t next(struct random *random, uint64_t limit)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (random->state * UINT64_C(2685821657736338717) >> 33) % limit;
}

/* Texts that mean something to the one rule or the other. */
static const char *const texts[] = {
	NULL, "", "28.41.1000", "28.39.1002", "32.41.1000", "MT_0000000838", "6.1.90", "6.8.9",
	"6.12.0-55.el10", "Intel", "AMD", "tcp rdma", "unix", "a", "b", "mlx5_vfio_pci",
};

/* Changes one fact of an object. Addresses stay: they name the objects. */
static void mutate(struct random *random, const struct fact_table *table, void *object)
{
	const struct fact_field *field = &table->fields[next(random, table->length)];
	void *fact = fact_at(field, object);

	switch (field->type) {
	case FACT_STR:
		if (!streq(field->name, "bdf") && !streq(field->name, "name"))
			set_text(fact, texts[next(random, ARRAY_LENGTH(texts))]);
		break;
	case FACT_U64:
		*(struct fact_u64 *)fact =
			next(random, 4) ? fact_u64(next(random, 3)) : (struct fact_u64){ 0 };
		break;
	case FACT_ENUM:
		*(uint32_t *)fact = (uint32_t)next(random, field->names->length);
		break;
	case FACT_EXTRA:
		break;
	}
}

static void mutate_host(struct random *random, struct mlx5lm_host *host)
{
	struct mlx5lm_pf *pf = &host->pfs[next(random, host->num_pfs)];

	switch (next(random, 4)) {
	case 0:
		mutate(random, &host_table, host);
		break;
	case 1:
		mutate(random, &pf_table, pf);
		break;
	case 2:
		if (pf->num_vfs)
			mutate(random, &vf_table, &pf->vfs[next(random, pf->num_vfs)]);
		break;
	default:
		if (pf->num_nvs)
			mutate(random, &nv_table, &pf->nvs[next(random, pf->num_nvs)]);
		break;
	}
}

/* PFs 0000:08:00.0 and on, with some VFs each. */
static struct mlx5lm_host *random_host(struct random *random, const char *name)
{
	size_t num_pfs = 1 + next(random, 3);
	struct mlx5lm_host *host = fully_known_host(name, next(random, 3));
	char bdf[32];

	while (host->num_pfs < num_pfs) {
		struct mlx5lm_host *other = fully_known_host(name, next(random, 3));
		struct mlx5lm_pf *pf;

		cr_assert_eq(host_add_pf(host, &pf), 0);
		*pf = other->pfs[0];
		other->num_pfs = 0;
		mlx5lm_host_free(other);
		snprintf(bdf, sizeof(bdf), "0000:%02zx:00.0", 7 + host->num_pfs);
		set_text(&pf->bdf, bdf);
		for (size_t i = 0; i < pf->num_vfs; i++) {
			snprintf(bdf, sizeof(bdf), "0000:%02zx:00.%zx", 7 + host->num_pfs, i + 2);
			set_text(&pf->vfs[i].bdf, bdf);
		}
	}
	for (size_t i = next(random, 6); i > 0; i--)
		mutate_host(random, host);
	return host;
}

/* host.*, adapter.* and so on mirror; what is about VFs follows the direction. */
static bool mirrors(const struct mlx5lm_finding *finding)
{
	return strncmp(finding->text[MLX5LM_FINDING_ID], "vf.", 3) != 0;
}

/* A line that is the same for a finding and for its mirror image. */
static char *line_of(const struct mlx5lm_finding *finding, bool mirrored)
{
	const char *const *text = finding->text;
	const char *side = text[MLX5LM_FINDING_SIDE] ? text[MLX5LM_FINDING_SIDE] : "none";
	char *line;

	if (mirrored && streq(side, "source"))
		side = "destination";
	else if (mirrored && streq(side, "destination"))
		side = "source";
	line = str_printf("%s %s [%s] [%s] %s", text[MLX5LM_FINDING_ID],
			  status_names[finding->status],
			  text[mirrored ? MLX5LM_FINDING_DESTINATION : MLX5LM_FINDING_SOURCE],
			  text[mirrored ? MLX5LM_FINDING_SOURCE : MLX5LM_FINDING_DESTINATION],
			  side);
	cr_assert_not_null(line);
	return line;
}

static struct strv lines_of(const struct mlx5lm_comparison *comparison, bool mirrored)
{
	struct strv lines = { 0 };

	for (size_t i = 0; i < comparison->findings.length; i++) {
		if (mirrors(&comparison->findings.items[i]))
			cr_assert_eq(strv_take(&lines, line_of(&comparison->findings.items[i],
							       mirrored)), 0);
	}
	strv_sort(&lines);
	return lines;
}

static void expect_mirror(const struct mlx5lm_comparison *forth,
			  const struct mlx5lm_comparison *back, size_t run)
{
	struct strv a = lines_of(forth, false), b = lines_of(back, true);

	cr_expect_eq(a.length, b.length, "run %zu: %zu and %zu findings", run, a.length, b.length);
	for (size_t i = 0; i < a.length && i < b.length; i++)
		cr_expect_str_eq(a.items[i], b.items[i], "run %zu", run);
	strv_release(&a);
	strv_release(&b);
}

static bool is_known_id(const char *id)
{
	for (size_t i = 0; i < num_pf_rules; i++) {
		if (streq(pf_rules[i].id, id))
			return true;
	}
	for (size_t i = 0; i < num_compare_ids; i++) {
		if (streq(compare_ids[i], id))
			return true;
	}
	return false;
}

static void expect_well_formed(const struct mlx5lm_comparison *comparison, size_t run)
{
	for (size_t i = 0; i < comparison->findings.length; i++) {
		const struct mlx5lm_finding *finding = &comparison->findings.items[i];

		cr_expect(is_known_id(finding->text[MLX5LM_FINDING_ID]), "run %zu: %s", run,
			  finding->text[MLX5LM_FINDING_ID]);
		cr_expect(finding->text[MLX5LM_FINDING_SOURCE] &&
				  finding->text[MLX5LM_FINDING_DESTINATION] &&
				  finding->text[MLX5LM_FINDING_MESSAGE],
			  "run %zu: %s", run, finding->text[MLX5LM_FINDING_ID]);
		cr_expect(finding->status == MLX5LM_STATUS_PASS ||
				  finding->status == MLX5LM_STATUS_INFO ||
				  finding->text[MLX5LM_FINDING_REMEDY],
			  "run %zu: %s has no remedy", run, finding->text[MLX5LM_FINDING_ID]);
	}
	cr_expect_eq(comparison->verdict == MLX5LM_VERDICT_INCOMPATIBLE,
		     findings_status(&comparison->findings) == MLX5LM_STATUS_FAIL, "run %zu", run);
}

static void expect_same_bytes(const struct two_hosts *hosts, size_t run)
{
	struct two_hosts again = { .source = hosts->source, .destination = hosts->destination };
	_cleanup_text_ struct mlx5lm_text *a = NULL, *b = NULL, *c = NULL, *d = NULL;

	compare_both(&again);
	cr_assert_eq(comparison_to_json_text(&hosts->comparison, &a), 0);
	cr_assert_eq(comparison_to_json_text(&again.comparison, &b), 0);
	cr_expect_str_eq(a->text, b->text, "run %zu", run);
	cr_assert_eq(comparison_to_plain_text(&hosts->comparison, &c), 0);
	cr_assert_eq(comparison_to_plain_text(&again.comparison, &d), 0);
	cr_expect_str_eq(c->text, d->text, "run %zu", run);
	comparison_release(&again.comparison);
}

Test(compare_mirror, exchanged_hosts_give_the_mirror_image)
{
	for (size_t run = 0; run < RUNS; run++) {
		struct random random = { .state = 88172645463325252u + run };
		struct two_hosts forth = { .source = random_host(&random, "a"),
					   .destination = random_host(&random, "b") };
		struct two_hosts back = { .source = forth.destination,
					  .destination = forth.source };

		compare_both(&forth);
		compare_both(&back);
		expect_mirror(&forth.comparison, &back.comparison, run);
		expect_well_formed(&forth.comparison, run);
		if (run % 16 == 0)
			expect_same_bytes(&forth, run);
		comparison_release(&back.comparison);
		two_hosts_release(&forth);
	}
}

/* Nothing in common but that all is known. */
Test(compare_mirror, full_hosts_mirror)
{
	struct two_hosts forth = { .source = full_host(3, 4), .destination = full_host(2, 5) };
	struct two_hosts back = { .source = forth.destination, .destination = forth.source };

	compare_both(&forth);
	compare_both(&back);
	expect_mirror(&forth.comparison, &back.comparison, 0);
	expect_well_formed(&forth.comparison, 0);
	comparison_release(&back.comparison);
	two_hosts_release(&forth);
}
