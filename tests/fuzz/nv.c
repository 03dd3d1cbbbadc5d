// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What mstconfig and mlxconfig print: a table, JSON, a refusal, their version. The same text goes
 * to all four; accepted means that something about a parameter was in it.
 */
#include "core/nv.h"

#include <ctype.h>
#include <errno.h>

#include "fuzz.h"

#define PF "0000:08:00.0"

static struct mlx5lm_host *new_host(struct mlx5lm_pf **ret)
{
	struct mlx5lm_host *host;

	MUST(host_new(&host) == 0);
	MUST(host_add_pf(host, ret) == 0);
	MUST(str_replace(&(*ret)->bdf, PF) == 0);
	return host;
}

/* Does the number stand in the text, decimal or hexadecimal? */
static bool has_number(const char *text, uint64_t number)
{
	/* "\u0038" is an 8, too. */
	if (strstr(text, "\\u"))
		return true;
	for (const char *at = text; *at; at++) {
		if (isdigit((unsigned char)*at) &&
		    (strtoull(at, NULL, 10) == number || strtoull(at, NULL, 16) == number))
			return true;
	}
	return false;
}

static bool is_from(const char *text, const struct fact_u64 *value)
{
	return !value->known || has_number(text, value->value);
}

/* Each parameter once, in the order of nv_name(), with numbers of the text. */
static void check_parameters(const char *text, const struct mlx5lm_pf *pf)
{
	unsigned int index = 0;

	for (size_t i = 0; i < pf->num_nvs; i++) {
		const struct mlx5lm_nv *nv = &pf->nvs[i];

		while (index < NV_COUNT && !streq(nv_name(index), nv->name))
			index++;
		MUST(index++ < NV_COUNT);
		MUST(is_from(text, &nv->default_value));
		MUST(is_from(text, &nv->current));
		MUST(is_from(text, &nv->next_boot));
	}
}

static bool check_answer(int (*parse)(const char *text, size_t length, struct mlx5lm_pf *pf),
			 const char *text, const uint8_t *data, size_t size)
{
	struct mlx5lm_pf *pf;
	struct mlx5lm_host *host = new_host(&pf);
	int r = parse((const char *)data, size, pf);
	size_t length = pf->num_nvs;

	MUST(r == 0 ? length > 0 : (r == -ENODATA || r == -EBADMSG) && !length);
	/* What stands behind a NUL is in no text of C. */
	if (strlen(text) == size)
		check_parameters(text, pf);
	for (size_t i = 0; i < length; i++)
		MUST(pf->nvs[i].supported == MLX5LM_ANSWER_YES);
	/* Once more: nothing new. */
	MUST(parse((const char *)data, size, pf) == r && pf->num_nvs == length);
	MUST(nv_mark_missing(pf, NV_ALL) == 0 && pf->num_nvs == NV_COUNT);
	nv_is_complete(pf);
	mlx5lm_host_free(host);
	return r == 0;
}

static void check_refusal(const uint8_t *data, size_t size)
{
	unsigned int asked = NV_ALL;
	struct mlx5lm_pf *pf;
	struct mlx5lm_host *host = new_host(&pf);
	char *reason = NULL;

	MUST(nv_parse_refusal((const char *)data, size, pf, &asked, &reason) == 0);
	MUST((asked & ~NV_ALL) == 0);
	for (unsigned int i = 0; i < NV_COUNT; i++)
		MUST(!pf_find_nv(pf, nv_name(i)) || !(asked & 1U << i));
	for (const char *at = reason; at && *at; at++)
		MUST(isprint((unsigned char)*at));
	free(reason);
	mlx5lm_host_free(host);
}

static void check_version(const uint8_t *data, size_t size)
{
	char *version = NULL;

	MUST(nv_parse_version((const char *)data, size, &version) == 0);
	if (!version)
		return;
	MUST(isdigit((unsigned char)version[0]) && fuzz_has(data, size, version));
	nv_version_has_json(version);
	free(version);
}

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	char *text = fuzz_string(data, size);
	bool is_table = check_answer(nv_parse_text, text, data, size);
	bool is_json = check_answer(nv_parse_json, text, data, size);

	check_refusal(data, size);
	check_version(data, size);
	free(text);
	return is_table || is_json ? FUZZ_ACCEPTED : FUZZ_REFUSED;
}
