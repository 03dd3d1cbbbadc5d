// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/outcome.h"

#include <criterion/criterion.h>

#include <stdlib.h>

#include "core/failure.h"

Test(outcome, moved_and_stayed_need_both_ends_to_agree)
{
	for (int source = DOMAIN_UNKNOWN; source <= DOMAIN_PAUSED_BY_MIGRATION; source++) {
		for (int there = DOMAIN_UNKNOWN; there <= DOMAIN_PAUSED_BY_MIGRATION; there++) {
			bool left = source == DOMAIN_GONE || source == DOMAIN_OFF;
			bool absent = there == DOMAIN_GONE || there == DOMAIN_OFF;
			enum outcome expected = OUTCOME_OPEN;

			if (there == DOMAIN_RUNNING && left)
				expected = OUTCOME_MOVED;
			if (source == DOMAIN_RUNNING && absent)
				expected = OUTCOME_STAYED;
			cr_expect_eq(outcome_of(source, there), expected, "%d %d", source, there);
			cr_expect_eq(outcome_remedy(source, there) == NULL,
				     expected != OUTCOME_OPEN, "%d %d", source, there);
		}
	}
}

Test(outcome, a_split_brain_is_named_and_urgent)
{
	char *text = outcome_text("guest", DOMAIN_RUNNING, DOMAIN_RUNNING);

	cr_expect_str_eq(text, "domain 'guest' is running at the source and running at the "
			       "destination");
	cr_expect_not_null(strstr(outcome_remedy(DOMAIN_RUNNING, DOMAIN_RUNNING), "at once"));
	free(text);
}

Test(outcome, nothing_is_resumed_while_the_destination_does_not_answer)
{
	const char *remedy = outcome_remedy(DOMAIN_PAUSED, DOMAIN_UNKNOWN);

	cr_expect_null(strstr(remedy, "virsh resume"));
	cr_expect_not_null(strstr(outcome_remedy(DOMAIN_PAUSED, DOMAIN_GONE), "virsh resume"));
}

Test(failure, words_of_qemu_lead_to_a_remedy)
{
	cr_expect_not_null(strstr(failure_remedy("operation failed: 0000:08:00.2: VFIO migration "
						 "is not supported in kernel"),
				  "mlx5_vfio_pci"));
	cr_expect_not_null(strstr(failure_remedy("load of migration failed: Invalid argument"),
				  "PSID"));
	cr_expect_null(failure_remedy("something else"));
	cr_expect_null(failure_remedy(NULL));
}
