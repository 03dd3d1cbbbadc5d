// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A journal that was found on a disk, perhaps torn, and the record of the NV configuration beside
 * it. What is accepted names one PF, what it was like and what was wanted, and a wish to go back
 * can be made of it; a line that was being written at the end changes nothing.
 */
#include "core/journal.h"

#include <errno.h>

#include "core/plan_build.h"
#include "fuzz.h"

static int parse(const char *text, size_t length, struct journal *ret)
{
	_cleanup_error_ struct mlx5lm_error *error = NULL;
	int r = journal_parse(text, length, ret, &error);

	MUST(r == 0 || r == -EBADMSG);
	MUST(r == 0 || (error->code == MLX5LM_ERROR_INVALID_DOCUMENT && error->message[0]));
	return r;
}

static void check_complete(const struct journal *journal)
{
	_cleanup_config_ struct mlx5lm_config *back = NULL;

	MUST(journal->pf_bdf && journal->boot_id && journal->wanted);
	MUST(journal->before && journal->before->num_pfs == 1);
	MUST(streq(journal->before->pfs[0].bdf, journal->pf_bdf));
	MUST(journal->end == JOURNAL_OPEN || journal->end == JOURNAL_DONE ||
	     journal->end == JOURNAL_UNDONE);
	MUST(config_from_pf(&journal->before->pfs[0], &back) == 0);
	MUST(back->is_undo);
}

/* Whatever the next line would have been, a crash within it leaves the journal as it was. */
static void check_torn(const uint8_t *data, size_t size, const struct journal *whole)
{
	static const char torn[] = "{\"end\":\"do";
	const uint8_t *zeros = memchr(data, '\0', size);
	size_t length = zeros ? (size_t)(zeros - data) : size;
	_cleanup_journal_ struct journal again = { 0 };
	_cleanup_free_ char *text = NULL;

	while (length && data[length - 1] != '\n')
		length--;
	text = malloc(length + sizeof(torn));
	MUST(text && length);
	memcpy(text, data, length);
	memcpy(text + length, torn, sizeof(torn));
	MUST(parse(text, length + strlen(torn), &again) == 0);
	MUST(again.end == whole->end && again.pid == whole->pid);
	MUST((!again.last && !whole->last) || streq(again.last, whole->last));
}

static void check_record(const char *text, size_t size)
{
	_cleanup_nv_record_ struct nv_record record = { 0 }, again = { 0 };
	_cleanup_free_ char *first = NULL, *second = NULL;

	MUST(nv_record_parse(text, size, &record) == 0);
	first = nv_record_text(&record);
	MUST(first);
	MUST(nv_record_parse(first, strlen(first), &again) == 0);
	second = nv_record_text(&again);
	MUST(streq(first, second));
}

enum fuzz_result fuzz_one(const uint8_t *data, size_t size)
{
	_cleanup_journal_ struct journal journal = { 0 };

	check_record((const char *)data, size);
	if (parse((const char *)data, size, &journal) < 0)
		return FUZZ_REFUSED;
	check_complete(&journal);
	check_torn(data, size, &journal);
	return FUZZ_ACCEPTED;
}
