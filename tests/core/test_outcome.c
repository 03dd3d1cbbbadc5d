// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/outcome.h"

#include <criterion/criterion.h>

#include <stdlib.h>

#define NUM_STATES (DOMAIN_PAUSED_BY_MIGRATION + 1)

/* By row the source's state, by column the destination's: M is moved, S stayed, '!' a split brain,
 * '?' one that cannot be ruled out, '.' neither. */
static const char *const table[NUM_STATES] = {
	[DOMAIN_UNKNOWN] = "?..?..",
	[DOMAIN_GONE] = "...M..",
	[DOMAIN_OFF] = "...M..",
	[DOMAIN_RUNNING] = "?SS!..",
	[DOMAIN_PAUSED] = "......",
	[DOMAIN_PAUSED_BY_MIGRATION] = "......",
};

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);

	return length >= strlen(end) && streq(text + length - strlen(end), end);
}

Test(outcome, each_pair_of_states_is_what_the_table_says)
{
	for (int source = 0; source < NUM_STATES; source++) {
		for (int there = 0; there < NUM_STATES; there++) {
			char expected = table[source][there];
			enum outcome outcome = outcome_of(source, there);
			char *text = outcome_text("guest", source, there);

			cr_assert_not_null(text);
			cr_expect_eq(outcome == OUTCOME_MOVED, expected == 'M', "%s", text);
			cr_expect_eq(outcome == OUTCOME_STAYED, expected == 'S', "%s", text);
			cr_expect_eq(ends_with(text, ": split brain"), expected == '!', "%s", text);
			cr_expect_eq(ends_with(text, ": a split brain cannot be ruled out"),
				     expected == '?', "%s", text);
			cr_expect_eq(outcome_remedy(source, there) == NULL,
				     expected == 'M' || expected == 'S', "%s", text);
			free(text);
		}
	}
}

Test(outcome, a_text_names_the_domain_and_both_ends)
{
	for (int source = 0; source < NUM_STATES; source++) {
		for (int there = 0; there < NUM_STATES; there++) {
			char *text = outcome_text("the guest", source, there);

			cr_assert_not_null(text);
			cr_expect_not_null(strstr(text, "domain 'the guest'"), "%s", text);
			cr_expect_null(strchr(text, '\n'), "%s", text);
			if (outcome_of(source, there) == OUTCOME_OPEN) {
				cr_expect_not_null(strstr(text, "at the source"), "%s", text);
				cr_expect_not_null(strstr(text, "at the destination"), "%s", text);
			}
			free(text);
		}
	}
}

Test(outcome, a_split_brain_is_named_and_urgent)
{
	char *text = outcome_text("guest", DOMAIN_RUNNING, DOMAIN_RUNNING);

	cr_expect_str_eq(text, "domain 'guest' is running at the source and running at the "
			       "destination: split brain");
	cr_expect_not_null(strstr(outcome_remedy(DOMAIN_RUNNING, DOMAIN_RUNNING), "at once"));
	free(text);
}

Test(outcome, nothing_is_resumed_or_removed_while_an_end_does_not_answer)
{
	for (int state = 0; state < NUM_STATES; state++) {
		const char *remedies[] = {
			outcome_remedy(state, DOMAIN_UNKNOWN),
			outcome_remedy(DOMAIN_UNKNOWN, state),
		};

		for (size_t i = 0; i < ARRAY_LENGTH(remedies); i++) {
			cr_assert_not_null(remedies[i]);
			cr_expect_null(strstr(remedies[i], "virsh resume"), "%s", remedies[i]);
			cr_expect_null(strstr(remedies[i], "virsh destroy"), "%s", remedies[i]);
			cr_expect_null(strstr(remedies[i], "virsh start"), "%s", remedies[i]);
			cr_expect_not_null(strstr(remedies[i], "virsh list --all"));
		}
	}
}

Test(outcome, the_source_is_resumed_only_when_the_destination_has_no_other_copy)
{
	static const enum domain_state paused[] = { DOMAIN_PAUSED, DOMAIN_PAUSED_BY_MIGRATION };

	for (size_t i = 0; i < ARRAY_LENGTH(paused); i++) {
		const char *remedy = outcome_remedy(paused[i], DOMAIN_GONE);

		cr_expect_str_eq(remedy, "resume the guest at the source (virsh resume)");
		cr_expect_str_eq(outcome_remedy(paused[i], DOMAIN_OFF), remedy);
		/* It came with the migration and waits for it: it has not run. */
		remedy = outcome_remedy(paused[i], DOMAIN_PAUSED_BY_MIGRATION);
		cr_expect_lt(strstr(remedy, "virsh destroy"), strstr(remedy, "virsh resume"));
		/* It was paused for another reason, and may have written before. */
		remedy = outcome_remedy(paused[i], DOMAIN_PAUSED);
		cr_expect_not_null(strstr(remedy, "may have run"));
		cr_expect_null(strstr(remedy, "virsh resume"));
		/* The other way round the only copy is there. */
		remedy = outcome_remedy(DOMAIN_GONE, paused[i]);
		cr_expect_not_null(strstr(remedy, "inmigrate"));
		cr_expect_null(strstr(remedy, "virsh destroy"));
		/* Who runs is left alone. */
		cr_expect_not_null(strstr(outcome_remedy(DOMAIN_RUNNING, paused[i]),
					  "remove the rest at the destination"));
		cr_expect_not_null(strstr(outcome_remedy(paused[i], DOMAIN_RUNNING),
					  "remove the rest at the source"));
	}
}

Test(outcome, a_guest_that_is_off_at_both_ends_is_started_again)
{
	cr_expect_not_null(strstr(outcome_remedy(DOMAIN_OFF, DOMAIN_GONE), "virsh start"));
	cr_expect_not_null(strstr(outcome_remedy(DOMAIN_GONE, DOMAIN_OFF), "virsh start"));
}
