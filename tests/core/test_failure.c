// SPDX-License-Identifier: LGPL-2.1-or-later
/* What libvirt, QEMU and the kernel say has the reason that tests/data/failures gives it. */
#include "core/failure.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "core/failure_rules.h"

static json_t *texts;

static void load_texts(void)
{
	json_error_t error;

	texts = json_load_file(TEST_DATA "/failures/texts.json", 0, &error);
	cr_assert_not_null(texts, "texts.json, line %d: %s", error.line, error.text);
}

static void release_texts(void)
{
	json_decref(texts);
}

TestSuite(failure, .init = load_texts, .fini = release_texts);

static const char *text_of(const json_t *item, const char *key)
{
	const char *text = json_string_value(json_object_get(item, key));

	return text ? text : "";
}

static int number_of(const json_t *item, const char *key)
{
	return (int)json_integer_value(json_object_get(item, key));
}

static enum failure_side side_of(const json_t *item)
{
	const char *side = text_of(item, "side");

	if (streq(side, "source"))
		return FAILURE_SOURCE;
	return streq(side, "destination") ? FAILURE_DESTINATION : FAILURE_ANY;
}

/* As sys/libvirt makes it. */
static struct mlx5lm_error *error_of(const json_t *item)
{
	bool opening = json_is_true(json_object_get(item, "opening"));
	struct mlx5lm_error *error = NULL;

	error_set(&error, opening ? MLX5LM_ERROR_CONNECT : MLX5LM_ERROR_MIGRATION, EIO,
		  MLX5LM_SOURCE_LIBVIRT, "migration of domain 'vm1' to qemu+tls://hostb failed");
	error_add_detail(&error, "%s", text_of(item, "text"));
	error_set_native(&error, number_of(item, "code"), number_of(item, "domain"));
	return error;
}

static enum mlx5lm_reason reason_of(const char *text, enum failure_side side)
{
	struct mlx5lm_error error = {
		.code = MLX5LM_ERROR_MIGRATION,
		.source = MLX5LM_SOURCE_LIBVIRT,
		.errnum = EIO,
		.message = (char *)"migration failed",
		.detail = (char *)text,
	};

	return failure_reason(&error, side);
}

Test(failure, known_texts_have_their_reasons)
{
	bool seen[MLX5LM_REASON_RESOURCES + 1] = { 0 };
	size_t num_seen = 0, i;
	json_t *item;

	json_array_foreach(texts, i, item) {
		uint32_t expected = name_value(&reason_names, text_of(item, "reason"));
		struct mlx5lm_error *error = error_of(item);
		enum mlx5lm_reason reason = failure_reason(error, side_of(item));

		cr_assert_neq(expected, MLX5LM_REASON_UNKNOWN, "'%s' is no reason",
			      text_of(item, "reason"));
		cr_expect_eq(reason, expected, "%s, not %s: %s", name_of(&reason_names, reason),
			     text_of(item, "reason"), text_of(item, "text"));
		cr_expect_str_eq(error->detail, text_of(item, "text"));
		num_seen += !seen[expected];
		seen[expected] = true;
		mlx5lm_error_free(error);
	}
	cr_expect_geq(i, 60);
	cr_expect_geq(num_seen, 15);
}

/* One that no text of the corpus needs may as well be misspelt, or hidden by one above it. */
Test(failure, each_rule_is_the_first_that_fits_for_its_own_words)
{
	for (size_t i = 0; i < num_failure_rules; i++) {
		const struct failure_rule *rule = &failure_rules[i];
		char text[256] = "";
		struct mlx5lm_error error = {
			.code = rule->code ? rule->code : MLX5LM_ERROR_MIGRATION,
			.source = MLX5LM_SOURCE_LIBVIRT,
			.native = rule->native,
			.message = (char *)"migration failed",
			.detail = text,
		};

		/* What a '*' stands for in real texts matches no rule by itself. */
		for (const char *from = rule->words ? rule->words : ""; *from; from++)
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%.*s", 1,
				 *from == '*' ? "#" : from);
		cr_expect_eq(failure_reason(&error, rule->side), rule->reason,
			     "rule %zu, '%s', is hidden: %s", i, rule->words ? rule->words : "(code)",
			     name_of(&reason_names, failure_reason(&error, rule->side)));
	}
}

Test(failure, each_reason_that_a_text_can_give_has_a_remedy)
{
	for (size_t i = 0; i < num_failure_rules; i++) {
		enum mlx5lm_reason reason = failure_rules[i].reason;

		if (reason != MLX5LM_REASON_OTHER)
			cr_expect_not_null(failure_remedy(reason), "%s",
					   name_of(&reason_names, reason));
	}
}

Test(failure, all_reasons_have_names_and_most_have_remedies)
{
	cr_expect_eq(reason_names.length, MLX5LM_REASON_RESOURCES + 1);
	for (uint32_t reason = 0; reason < reason_names.length; reason++) {
		bool has_none = reason <= MLX5LM_REASON_CANCELLED || reason == MLX5LM_REASON_HOOK;

		cr_expect_not_null(reason_names.names[reason], "%u", reason);
		cr_expect_eq(strspn(reason_names.names[reason], "abcdefghijklmnopqrstuvwxyz0123456789-"),
			     strlen(reason_names.names[reason]));
		cr_expect_eq(name_value(&reason_names, reason_names.names[reason]), reason);
		cr_expect_eq(failure_remedy(reason) == NULL, has_none, "%s",
			     reason_names.names[reason]);
	}
	cr_expect_null(failure_remedy((enum mlx5lm_reason)(MLX5LM_REASON_RESOURCES + 1)));
	cr_expect_null(failure_remedy((enum mlx5lm_reason)UINT32_MAX));
}

Test(failure, remedies_are_one_line_without_an_end)
{
	for (uint32_t reason = 0; reason < reason_names.length; reason++) {
		const char *remedy = failure_remedy(reason);

		if (!remedy)
			continue;
		cr_expect_null(strchr(remedy, '\n'), "%s", remedy);
		cr_expect_neq(remedy[strlen(remedy) - 1], '.', "%s", remedy);
		cr_expect_neq(remedy[strlen(remedy) - 1], ' ', "%s", remedy);
	}
}

/* Both hosts say that a QEMU is gone: whose it was is told by who says it. */
Test(failure, of_two_messages_each_host_speaks_for_itself)
{
	cr_expect_eq(reason_of("Message from the source host: internal error: QEMU unexpectedly "
			       "closed the monitor. Message from the destination host: "
			       "something else", FAILURE_ANY),
		     MLX5LM_REASON_SOURCE_QEMU_DIED);
	cr_expect_eq(reason_of("Message from the source host: something else. Message from the "
			       "destination host: internal error: QEMU unexpectedly closed the "
			       "monitor", FAILURE_SOURCE),
		     MLX5LM_REASON_DESTINATION_QEMU_DIED);
	/* A rule's words are those of one of them. */
	cr_expect_eq(reason_of("Message from the source host: loading state for instance 0x0. "
			       "Message from the destination host: of device 'x/vfio'", FAILURE_ANY),
		     MLX5LM_REASON_OTHER);
}

Test(failure, words_on_two_lines_are_not_one_text)
{
	cr_expect_eq(reason_of("loading state for instance 0x0 of device 'ram'\n'0/vfio'",
			       FAILURE_ANY), MLX5LM_REASON_OTHER);
	cr_expect_eq(reason_of("x\nloading state for instance 0x0 of device '0/vfio'\ny",
			       FAILURE_ANY), MLX5LM_REASON_VF_LOAD);
}

Test(failure, words_in_another_order_are_another_text)
{
	cr_expect_eq(reason_of("device '0/vfio' is loading state for instance 0x0", FAILURE_ANY),
		     MLX5LM_REASON_OTHER);
}

/* The rest of the words is there for another text of the same line. */
Test(failure, words_that_begin_twice_are_found)
{
	cr_expect_eq(reason_of("vvfvfio migration is not supported in migration is not supported in "
			       "kernel", FAILURE_ANY), MLX5LM_REASON_NO_KERNEL_SUPPORT);
}

Test(failure, our_own_errors_are_told_by_their_codes)
{
	static const struct {
		enum mlx5lm_error_code code;
		int errnum;
		const char *message;
		enum mlx5lm_reason reason;
	} own[] = {
		{ MLX5LM_ERROR_INCOMPATIBLE, EOPNOTSUPP,
		  "source and destination are the same host (host.same): both snapshots have the "
		  "boot id x", MLX5LM_REASON_SAME_HOST },
		{ MLX5LM_ERROR_INCOMPATIBLE, EOPNOTSUPP, "the hosts differ in pf.psid",
		  MLX5LM_REASON_HOSTS_INCOMPATIBLE },
		{ MLX5LM_ERROR_DOMAIN, EEXIST, "the destination runs a domain 'vm1' already",
		  MLX5LM_REASON_DOMAIN_EXISTS },
		{ MLX5LM_ERROR_DOMAIN, EOPNOTSUPP, "domain 'vm1' has no VF",
		  MLX5LM_REASON_DOMAIN_UNFIT },
		{ MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, "XML, line 3", MLX5LM_REASON_DOMAIN_UNFIT },
		{ MLX5LM_ERROR_VF, EBUSY, "domain vm7 uses it", MLX5LM_REASON_VF_IN_USE },
		{ MLX5LM_ERROR_VF, EOPNOTSUPP, "not migratable", MLX5LM_REASON_VF_UNFIT },
		{ MLX5LM_ERROR_VERIFY_FAILED, ENODEV, "without the VF", MLX5LM_REASON_VERIFY },
		{ MLX5LM_ERROR_CANCELLED, ECANCELED, "cancelled", MLX5LM_REASON_CANCELLED },
		{ MLX5LM_ERROR_NO_MEMORY, ENOMEM, "out of memory", MLX5LM_REASON_RESOURCES },
		{ MLX5LM_ERROR_IO, EMFILE, "no pipe", MLX5LM_REASON_RESOURCES },
		{ MLX5LM_ERROR_IO, EAGAIN, "no thread", MLX5LM_REASON_RESOURCES },
		/* Words of others are not looked for in messages of ours, which have names in them. */
		{ MLX5LM_ERROR_IO, EIO, "domain 'migration is not supported in kernel' failed",
		  MLX5LM_REASON_OTHER },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(own); i++) {
		const struct mlx5lm_error error = {
			.code = own[i].code,
			.source = MLX5LM_SOURCE_LIBRARY,
			.errnum = own[i].errnum,
			.message = (char *)own[i].message,
		};

		cr_expect_eq(failure_reason(&error, FAILURE_ANY), own[i].reason, "%s",
			     own[i].message);
	}
}

Test(failure, an_error_without_words_is_told_by_its_code_alone)
{
	struct mlx5lm_error error = {
		.code = MLX5LM_ERROR_CONNECT,
		.source = MLX5LM_SOURCE_LIBVIRT,
		.message = (char *)"migration is not supported in kernel",
	};

	cr_expect_eq(failure_reason(&error, FAILURE_SOURCE), MLX5LM_REASON_SOURCE_UNREACHABLE);
	cr_expect_eq(failure_reason(&error, FAILURE_DESTINATION),
		     MLX5LM_REASON_DESTINATION_UNREACHABLE);
	error.code = MLX5LM_ERROR_MIGRATION;
	cr_expect_eq(failure_reason(&error, FAILURE_ANY), MLX5LM_REASON_OTHER);
	cr_expect_eq(failure_reason(NULL, FAILURE_ANY), MLX5LM_REASON_UNKNOWN);
}

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* Cut anywhere, bytes changed anywhere: there is a reason, one that has a name, and no crash. */
Test(failure, texts_cut_and_changed_have_some_reason)
{
	uint64_t state = 0x9e3779b97f4a7c15;

	for (int round = 0; round < 40; round++) {
		size_t i;
		json_t *item;

		json_array_foreach(texts, i, item) {
			size_t length = strlen(text_of(item, "text")), changes;
			/* Of its own size, so that a sanitizer sees what is read beyond it. */
			char *text = strdup(text_of(item, "text"));
			enum mlx5lm_reason reason;

			cr_assert_not_null(text);
			changes = length ? next_random(&state) % 6 : 0;
			for (; changes; changes--)
				text[next_random(&state) % length] =
					(char)(next_random(&state) % 255 + 1);
			if (length && next_random(&state) % 2) {
				length = next_random(&state) % length;
				text[length] = '\0';
				text = realloc(text, length + 1);
				cr_assert_not_null(text);
			}
			reason = reason_of(text, (enum failure_side)(next_random(&state) % 3));
			cr_expect(reason > MLX5LM_REASON_NONE && reason < reason_names.length);
			free(text);
		}
	}
}

Test(failure, random_bytes_have_no_reason)
{
	uint64_t state = 0x2545f4914f6cdd1d;

	for (size_t length = 0; length < 600; length++) {
		char *text = calloc(1, length + 1);

		cr_assert_not_null(text);
		for (size_t i = 0; i < length; i++)
			text[i] = (char)(next_random(&state) % 255 + 1);
		cr_expect_eq(reason_of(text, FAILURE_ANY), MLX5LM_REASON_OTHER);
		free(text);
	}
}

/* What is far behind is not looked for: somebody else decides how long these texts are. */
Test(failure, a_text_without_end_takes_no_time)
{
	size_t length = (size_t)4 << 20;
	char *text = malloc(length + 64);

	cr_assert_not_null(text);
	memset(text, 'm', length);
	strcpy(text + length, "migration is not supported in kernel");
	cr_expect_eq(reason_of(text, FAILURE_ANY), MLX5LM_REASON_OTHER);
	strcpy(text + 60000, "migration is not supported in kernel");
	cr_expect_eq(reason_of(text, FAILURE_ANY), MLX5LM_REASON_NO_KERNEL_SUPPORT);
	free(text);
}

Test(failure, where_the_domain_is_hides_why_it_failed_only_where_it_matters)
{
	for (int source = DOMAIN_UNKNOWN; source <= DOMAIN_PAUSED_BY_MIGRATION; source++) {
		for (int there = DOMAIN_UNKNOWN; there <= DOMAIN_PAUSED_BY_MIGRATION; there++) {
			enum mlx5lm_reason expected = MLX5LM_REASON_UNKNOWN;

			if (source == DOMAIN_RUNNING && there == DOMAIN_RUNNING)
				expected = MLX5LM_REASON_SPLIT_BRAIN;
			else if (source == DOMAIN_UNKNOWN || there == DOMAIN_UNKNOWN)
				expected = MLX5LM_REASON_OUTCOME_UNKNOWN;
			cr_expect_eq(failure_of_outcome((enum domain_state)source,
							(enum domain_state)there),
				     expected, "%d %d", source, there);
		}
	}
}
