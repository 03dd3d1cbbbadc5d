// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/pairing.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "support/hosts.h"

/* Two hosts; what a domain has and a caller wants; and the answer. */
struct question {
	struct mlx5lm_host *source, *destination;
	struct domain_xml domain; /* counts if it has a device */
	struct pairing_wishes wishes;
	struct pairing pairing;
};

static struct question hosts(size_t source_vfs, size_t destination_vfs)
{
	return (struct question){ .source = ready_host("a", source_vfs),
				  .destination = ready_host("b", destination_vfs) };
}

static struct mlx5lm_pf *add_adapter(struct mlx5lm_host *host, unsigned int bus, size_t num_vfs)
{
	struct mlx5lm_host *other = ready_host("other", num_vfs);
	struct mlx5lm_pf *pf;
	char bdf[32];

	cr_assert_eq(host_add_pf(host, &pf), 0);
	*pf = other->pfs[0];
	other->pfs[0] = (struct mlx5lm_pf){ 0 };
	mlx5lm_host_free(other);
	snprintf(bdf, sizeof(bdf), "0000:%02x:00.0", bus);
	set_text(&pf->bdf, bdf);
	for (size_t i = 0; i < num_vfs; i++) {
		snprintf(bdf, sizeof(bdf), "0000:%02x:%02zx.%zx", bus, (i + 2) / 8, (i + 2) % 8);
		set_text(&pf->vfs[i].bdf, bdf);
	}
	return pf;
}

static void add_device(struct question *question, const char *bdf)
{
	add_hostdev(&question->domain, bdf);
}

static void want(struct question *question, const char *source, const char *destination)
{
	cr_assert_eq(vf_mappings_add(&question->wishes.wanted, source, destination), 0);
}

static void exclude(struct question *question, const char *bdf)
{
	cr_assert_eq(strv_take(&question->wishes.excluded, strdup(bdf)), 0);
}

static void ask(struct question *question)
{
	pairing_release(&question->pairing);
	cr_assert_eq(pairing_make(question->source, question->destination,
				  question->domain.num_hostdevs ? &question->domain : NULL,
				  &question->wishes, &question->pairing), 0);
}

static void done(struct question *question)
{
	mlx5lm_host_free(question->source);
	mlx5lm_host_free(question->destination);
	domain_xml_release(&question->domain);
	pairing_wishes_release(&question->wishes);
	pairing_release(&question->pairing);
}

static const struct mlx5lm_pair *pair_of(const struct question *question, const char *source)
{
	for (size_t i = 0; i < question->pairing.num_pairs; i++) {
		if (streq(question->pairing.pairs[i].source, source))
			return &question->pairing.pairs[i];
	}
	return NULL;
}

static const char *goes_to(const struct question *question, const char *source)
{
	const struct mlx5lm_pair *pair = pair_of(question, source);

	return pair ? pair->destination : "none";
}

/* Asks, and expects this VF to have no counterpart, as the texts say. */
static const struct unpaired *expect_unpaired(struct question *question, const char *source,
					      enum unpaired_reason reason, const char *words,
					      const char *remedy)
{
	ask(question);
	for (size_t i = 0; i < question->pairing.num_unpaired; i++) {
		const struct unpaired *unpaired = &question->pairing.unpaired[i];

		if (!streq(unpaired->source, source))
			continue;
		cr_expect_eq(unpaired->reason, reason, "%d: %s", unpaired->reason, unpaired->text);
		cr_expect_not_null(strstr(unpaired->text, words), "'%s' lacks '%s'",
				   unpaired->text, words);
		cr_expect_not_null(strstr(unpaired->remedy, remedy), "'%s' lacks '%s'",
				   unpaired->remedy, remedy);
		cr_expect_null(pair_of(question, source));
		return unpaired;
	}
	cr_assert_fail("%s goes to %s", source, goes_to(question, source));
	abort();
}

Test(pairing, every_ready_vf_goes_to_the_one_of_its_index)
{
	struct question question = hosts(3, 4);
	const struct mlx5lm_pair *pair;

	question.source->pfs[0].vfs[1].migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
	ask(&question);
	cr_expect_eq(question.pairing.num_pairs, 2);
	cr_expect_eq(question.pairing.num_source_vfs, 2);
	cr_expect_eq(question.pairing.num_unpaired, 0, "nobody asked for VF 1");
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:08:00.2");
	pair = pair_of(&question, "0000:08:00.4");
	cr_assert_not_null(pair);
	cr_expect_str_eq(pair->destination, "0000:08:00.4");
	cr_expect_str_eq(pair->source_pf, "0000:08:00.0");
	cr_expect_str_eq(pair->destination_pf, "0000:08:00.0");
	cr_expect(pair->ready);
	cr_expect_null(pair->remedy);
	cr_expect_eq(pair->source_vf, &question.source->pfs[0].vfs[2]);
	cr_expect_eq(pair->destination_vf, &question.destination->pfs[0].vfs[2]);
	done(&question);
}

Test(pairing, without_wishes_or_vfs_there_is_nothing_to_do)
{
	struct question question = hosts(0, 2);

	cr_assert_eq(pairing_make(question.source, question.destination, NULL, NULL,
				  &question.pairing), 0);
	cr_expect_eq(question.pairing.num_pairs, 0);
	cr_expect_eq(question.pairing.num_unpaired, 0);
	cr_expect_eq(question.pairing.num_source_vfs, 0);
	done(&question);
}

Test(pairing, the_vfs_of_a_domain_are_paired_in_its_order)
{
	struct question question = hosts(4, 4);

	add_device(&question, "0000:08:00.5");
	add_device(&question, "0000:08:00.3");
	set_text(&question.source->pfs[0].vfs[3].in_use_by, "guest");
	set_text(&question.destination->pfs[0].vfs[3].in_use_by, "other");
	ask(&question);
	cr_assert_eq(question.pairing.num_pairs, 2);
	cr_expect_str_eq(question.pairing.pairs[0].source, "0000:08:00.5");
	cr_expect_str_eq(question.pairing.pairs[0].destination, "0000:08:00.2");
	cr_expect_str_eq(question.pairing.pairs[1].destination, "0000:08:00.3");
	done(&question);
}

Test(pairing, a_vf_that_can_go_anywhere_makes_room_for_one_that_cannot)
{
	struct question question = hosts(1, 1);

	/* The first VF's PSID is not known: it matches both, and would take the first. */
	set_text(&question.source->pfs[0].psid, NULL);
	add_adapter(question.source, 0x18, 1);
	set_text(&add_adapter(question.destination, 0x18, 1)->psid, "MT_0000000999");
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:18:00.2");
	cr_expect_str_eq(goes_to(&question, "0000:18:00.2"), "0000:08:00.2");
	done(&question);
}

Test(pairing, vfs_of_one_pf_stay_together_and_those_of_two_apart)
{
	struct question question = hosts(2, 3);

	add_adapter(question.source, 0x18, 1);
	add_adapter(question.destination, 0x18, 3);
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:08:00.2");
	cr_expect_str_eq(goes_to(&question, "0000:08:00.3"), "0000:08:00.3");
	cr_expect_str_eq(goes_to(&question, "0000:18:00.2"), "0000:18:00.2");
	done(&question);
}

Test(pairing, the_numa_node_counts_more_than_the_index_unless_it_is_to_be_ignored)
{
	struct question question = hosts(1, 1);
	struct mlx5lm_pf *near = add_adapter(question.destination, 0x18, 2);

	set_text(&near->vfs[0].in_use_by, "other");
	near->numa_node = fact_u64(1);
	question.source->pfs[0].numa_node = fact_u64(1);
	question.destination->pfs[0].numa_node = fact_u64(0);
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:18:00.3");
	question.wishes.numa_policy = MLX5LM_NUMA_POLICY_PREFER;
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:18:00.3");
	question.wishes.numa_policy = MLX5LM_NUMA_POLICY_IGNORE;
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:08:00.2");
	question.wishes.numa_policy = MLX5LM_NUMA_POLICY_REQUIRE;
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:18:00.3");
	done(&question);
}

Test(pairing, a_required_numa_node_forbids_others)
{
	struct question question = hosts(1, 1);
	const struct unpaired *unpaired;

	question.wishes.numa_policy = MLX5LM_NUMA_POLICY_REQUIRE;
	ask(&question);
	cr_expect_eq(question.pairing.num_pairs, 1, "neither host has nodes");
	question.source->pfs[0].numa_node = fact_u64(1);
	question.destination->pfs[0].numa_node = fact_u64(0);
	unpaired = expect_unpaired(&question, "0000:08:00.2", UNPAIRED_CONSTRAINT,
				   "VF 0000:08:00.2 of the destination would do, but it is on NUMA "
				   "node 0, and the source VF on NUMA node 1", "prefer");
	cr_expect_not(unpaired->unknown);
	question.destination->pfs[0].numa_node = (struct fact_u64){ 0 };
	unpaired = expect_unpaired(&question, "0000:08:00.2", UNPAIRED_CONSTRAINT, "not known",
				   "prefer");
	cr_expect(unpaired->unknown);
	/* Even a PF that has none left. */
	set_text(&question.destination->pfs[0].vfs[0].in_use_by, "other");
	expect_unpaired(&question, "0000:08:00.2", UNPAIRED_CONSTRAINT,
			"PF 0000:08:00.0 of the destination would do, but", "prefer");
	done(&question);
}

Test(pairing, what_is_excluded_is_left_alone)
{
	struct question question = hosts(1, 2);

	exclude(&question, "0000:08:00.2");
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:08:00.3");
	exclude(&question, "0000:08:00.3");
	exclude(&question, "0000:99:00.3");
	expect_unpaired(&question, "0000:08:00.2", UNPAIRED_CONSTRAINT,
			"VF 0000:08:00.2 of the destination would do, but it is excluded",
			"do not exclude it");
	done(&question);
}

Test(pairing, only_vfs_of_the_pf_that_is_asked_for_are_taken)
{
	struct question question = hosts(2, 2);

	add_adapter(question.destination, 0x18, 1);
	question.wishes.destination_pf = strdup("0000:18:00.0");
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:18:00.2");
	expect_unpaired(&question, "0000:08:00.3", UNPAIRED_CONSTRAINT,
			"VF 0000:08:00.2 of the destination would do, but only VFs of PF "
			"0000:18:00.0 are allowed", "allow VFs of PF 0000:08:00.0");
	set_text(&question.destination->pfs[1].psid, "MT_0000000999");
	expect_unpaired(&question, "0000:08:00.2", UNPAIRED_CONSTRAINT, "would do", "allow");
	set_text(&question.destination->pfs[0].psid, "MT_0000000999");
	expect_unpaired(&question, "0000:08:00.2", UNPAIRED_NO_PF, "no PF", "see what differs");
	done(&question);
}

Test(pairing, a_wanted_vf_is_given_to_nobody_else)
{
	struct question question = hosts(2, 3);

	want(&question, "08:00.3", "08:00.2");
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.3"), "0000:08:00.2");
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:08:00.3");
	/* Not even if who shall have it cannot. */
	set_text(&question.source->pfs[0].vfs[1].driver, "mlx5_core");
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:08:00.3");
	expect_unpaired(&question, "0000:08:00.3", UNPAIRED_SOURCE_UNFIT,
			"it is bound to mlx5_core", "driver_override");
	done(&question);
}

Test(pairing, a_wanted_vf_must_exist_match_be_allowed_and_be_fit)
{
	struct question question = hosts(1, 2);
	struct mlx5lm_vf *wanted = &question.destination->pfs[0].vfs[1];
	const struct unpaired *unpaired;

	want(&question, "0000:08:00.2", "0000:08:00.3");
	exclude(&question, "0000:08:00.3");
	expect_unpaired(&question, "0000:08:00.2", UNPAIRED_CONSTRAINT, "it is excluded", "exclude");
	strv_release(&question.wishes.excluded);
	wanted->in_use_pid = fact_u64(17);
	unpaired = expect_unpaired(&question, "0000:08:00.2", UNPAIRED_WANTED_UNFIT,
				   "VF 0000:08:00.3 of the destination cannot take part: process 17",
				   "choose another VF");
	cr_expect(unpaired->busy);
	wanted->in_use_pid = (struct fact_u64){ 0 };
	wanted->migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	unpaired = expect_unpaired(&question, "0000:08:00.2", UNPAIRED_WANTED_UNFIT, "not known",
				   "devlink port show");
	cr_expect(unpaired->unknown);
	cr_expect_not(unpaired->busy);
	set_text(&question.destination->pfs[0].psid, "MT_0000000999");
	unpaired = expect_unpaired(&question, "0000:08:00.2", UNPAIRED_NO_PF,
				   "PF 0000:08:00.0 of the destination, which has VF 0000:08:00.3",
				   "see what differs");
	cr_expect_eq(unpaired->nearest, &question.destination->pfs[0]);
	vf_mappings_release(&question.wishes.wanted);
	want(&question, "0000:08:00.2", "0000:99:00.3");
	expect_unpaired(&question, "0000:08:00.2", UNPAIRED_WANTED_MISSING,
			"VF 0000:99:00.3 of the destination", "lspci");
	done(&question);
}

Test(pairing, one_vf_cannot_be_wanted_twice)
{
	struct question question = hosts(2, 2);

	want(&question, "0000:08:00.2", "0000:08:00.3");
	want(&question, "0000:08:00.3", "0000:08:00.3");
	cr_expect(expect_unpaired(&question, "0000:08:00.3", UNPAIRED_WANTED_UNFIT,
				  "another VF goes there", "choose another")->busy);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:08:00.3");
	done(&question);
}

Test(pairing, a_wish_for_a_vf_that_is_not_there_is_not_forgotten)
{
	struct question question = hosts(2, 2);

	want(&question, "0000:99:00.1", "0000:08:00.2");
	expect_unpaired(&question, "0000:99:00.1", UNPAIRED_NOT_A_VF, "no mlx5 VF", "detach");
	cr_expect_eq(question.pairing.num_source_vfs, 2);
	vf_mappings_release(&question.wishes.wanted);
	want(&question, "0000:08:00.3", "0000:08:00.2");
	add_device(&question, "0000:08:00.2");
	expect_unpaired(&question, "0000:08:00.3", UNPAIRED_NOT_OF_DOMAIN,
			"does not have it, but it shall go to VF 0000:08:00.2", "virsh dumpxml");
	done(&question);
}

Test(pairing, a_device_of_the_domain_must_be_a_vf_that_is_fit)
{
	struct question question = hosts(2, 2);
	const struct unpaired *unpaired;

	add_device(&question, "0000:01:00.0");
	add_device(&question, "0000:08:00.2");
	add_device(&question, "0000:08:00.3");
	question.source->pfs[0].vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	unpaired = expect_unpaired(&question, "0000:01:00.0", UNPAIRED_NOT_A_VF, "no mlx5 VF",
				   "detach");
	cr_expect_null(unpaired->source_pf);
	cr_expect(unpaired->in_use);
	unpaired = expect_unpaired(&question, "0000:08:00.2", UNPAIRED_SOURCE_UNFIT, "not known",
				   "devlink port show");
	cr_expect_eq(unpaired->source_pf, &question.source->pfs[0]);
	cr_expect(unpaired->unknown);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.3"), "0000:08:00.3");
	cr_expect_eq(question.pairing.num_source_vfs, 1);
	done(&question);
}

Test(pairing, names_the_pf_that_differs_least)
{
	struct question question = hosts(1, 1);
	struct mlx5lm_pf *other = add_adapter(question.destination, 0x18, 1);
	const struct unpaired *unpaired;

	set_text(&question.destination->pfs[0].psid, "MT_0000000999");
	set_text(&question.destination->pfs[0].fw_running, "28.43.1014");
	set_text(&other->fw_running, "28.43.1014");
	unpaired = expect_unpaired(&question, "0000:08:00.2", UNPAIRED_NO_PF,
				   "no PF of the destination matches its PF 0000:08:00.0",
				   "PF 0000:18:00.0");
	cr_expect_eq(unpaired->nearest, other);
	cr_expect_not(unpaired->in_use);
	done(&question);
	question = hosts(1, 1);
	pf_release(&question.destination->pfs[0]);
	question.destination->num_pfs = 0;
	set_text(&question.source->pfs[0].vfs[0].in_use_by, "guest");
	unpaired = expect_unpaired(&question, "0000:08:00.2", UNPAIRED_NO_PF,
				   "no mlx5 adapter", "another destination");
	cr_expect_null(unpaired->nearest);
	cr_expect(unpaired->in_use);
	done(&question);
}

Test(pairing, tells_how_many_vfs_to_create)
{
	struct question question = hosts(4, 1);
	struct mlx5lm_pf *pf = &question.destination->pfs[0];

	expect_unpaired(&question, "0000:08:00.3", UNPAIRED_NO_VF, "no free VF left",
			"create more VFs at the destination: mlx5lm-configure --pf 0000:08:00.0 "
			"--vfs 4 --apply");
	set_text(&pf->vfs[0].in_use_by, "other");
	expect_unpaired(&question, "0000:08:00.2", UNPAIRED_NO_VF, "no free VF left",
			"once nobody uses those of PF 0000:08:00.0: mlx5lm-configure --pf "
			"0000:08:00.0 --vfs 5 --apply");
	pf->sriov_total_vfs = fact_u64(4);
	expect_unpaired(&question, "0000:08:00.2", UNPAIRED_NO_VF, "no free VF left",
			"PF 0000:08:00.0 of the destination offers 4 VFs at most: choose another "
			"destination, or mstconfig -d 0000:08:00.0 set SRIOV_EN=1 NUM_OF_VFS=5");
	/* Another PF can. */
	add_adapter(question.destination, 0x18, 0);
	expect_unpaired(&question, "0000:08:00.2", UNPAIRED_NO_VF, "no free VF left",
			"--pf 0000:18:00.0 --vfs 4 --apply");
	done(&question);
}

Test(pairing, tells_what_makes_the_last_vf_ready)
{
	struct question question = hosts(1, 3);
	struct mlx5lm_vf *vfs = question.destination->pfs[0].vfs;
	const struct unpaired *unpaired;

	set_text(&vfs[0].in_use_by, "other");
	vfs[1].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	set_text(&vfs[2].driver, "vfio-pci");
	unpaired = expect_unpaired(&question, "0000:08:00.2", UNPAIRED_NO_VF,
				   "VF 0000:08:00.4 of the destination cannot take part: it is "
				   "bound to vfio-pci",
				   "mlx5lm-configure --pf 0000:08:00.0 --vf 2:migratable=enable "
				   "--vf 2:driver=mlx5_vfio_pci --apply");
	cr_expect(unpaired->unknown, "VF 1 may be ready");
	cr_expect_not(unpaired->busy);
	vfs[1].migratable = vfs[2].migratable = MLX5LM_PORT_ATTR_STATE_UNSUPPORTED;
	unpaired = expect_unpaired(&question, "0000:08:00.2", UNPAIRED_NO_VF,
				   "VF 0000:08:00.3 of the destination cannot take part: kernel or "
				   "firmware", "VF_MIGRATION_MODE=2");
	cr_expect_not(unpaired->unknown);
	done(&question);
}

Test(pairing, one_vf_that_may_be_fit_keeps_only_one_in_doubt)
{
	struct question question = hosts(4, 3);
	struct mlx5lm_vf *vfs = question.destination->pfs[0].vfs;
	size_t unknown = 0;

	vfs[1].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	vfs[2].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	set_text(&vfs[2].in_use_by, "other");
	ask(&question);
	cr_expect_eq(question.pairing.num_pairs, 1);
	cr_assert_eq(question.pairing.num_unpaired, 3);
	for (size_t i = 0; i < 3; i++)
		unknown += question.pairing.unpaired[i].unknown;
	cr_expect_eq(unknown, 1);
	done(&question);
}

Test(pairing, a_vf_that_may_be_fit_for_another_keeps_this_one_in_doubt)
{
	struct question question = hosts(1, 1);
	struct mlx5lm_pf *other;

	/* If the second PF's VF is fit, the first VF can go there, and leave its place. */
	set_text(&question.source->pfs[0].psid, NULL);
	add_adapter(question.source, 0x18, 2);
	other = add_adapter(question.destination, 0x18, 1);
	set_text(&other->psid, "MT_0000000999");
	other->vfs[0].migratable = MLX5LM_PORT_ATTR_STATE_UNKNOWN;
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:08:00.2");
	cr_expect(expect_unpaired(&question, "0000:18:00.2", UNPAIRED_NO_VF, "no free VF",
				  "create")->unknown);
	cr_expect_not(expect_unpaired(&question, "0000:18:00.3", UNPAIRED_NO_VF, "no free VF",
				      "create")->unknown);
	done(&question);
}

Test(pairing, a_vf_that_can_be_made_ready_is_taken_if_allowed_and_after_ready_ones)
{
	struct question question = hosts(2, 2);
	struct mlx5lm_vf *vfs = question.destination->pfs[0].vfs;
	const struct mlx5lm_pair *pair;

	set_text(&vfs[0].driver, NULL);
	ask(&question);
	cr_expect_eq(question.pairing.num_pairs, 1);
	question.wishes.makeable = true;
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:08:00.3", "ready before index");
	pair = pair_of(&question, "0000:08:00.3");
	cr_assert_not_null(pair);
	cr_expect_str_eq(pair->destination, "0000:08:00.2");
	cr_expect_not(pair->ready);
	cr_expect_str_eq(pair->remedy, "mlx5lm-configure --pf 0000:08:00.0 --vf "
				       "0:migratable=enable --vf 0:driver=mlx5_vfio_pci --apply");
	/* A wanted one as well. */
	want(&question, "0000:08:00.2", "0000:08:00.2");
	ask(&question);
	cr_expect_not(pair_of(&question, "0000:08:00.2")->ready);
	cr_expect(pair_of(&question, "0000:08:00.3")->ready);
	done(&question);
}

Test(pairing, as_few_vfs_as_can_be_have_to_be_made_ready)
{
	struct question question = hosts(1, 2);
	struct mlx5lm_pf *other;

	/* The first VF may go to both PFs, the second one only to the first, which has one ready. */
	set_text(&question.source->pfs[0].psid, NULL);
	add_adapter(question.source, 0x18, 1);
	other = add_adapter(question.destination, 0x18, 1);
	set_text(&other->psid, "MT_0000000999");
	set_text(&question.destination->pfs[0].vfs[1].driver, "mlx5_core");
	question.wishes.makeable = true;
	ask(&question);
	cr_expect_str_eq(goes_to(&question, "0000:08:00.2"), "0000:18:00.2");
	cr_expect_str_eq(goes_to(&question, "0000:18:00.2"), "0000:08:00.2");
	done(&question);
}

static uint32_t state;

static uint32_t pick(uint32_t number)
{
	state = state * 1664525 + 1013904223;
	return (state >> 16) % number;
}

static void vary_pf(struct mlx5lm_pf *pf)
{
	static const char *const psids[] = { "MT_A", "MT_A", "MT_B", NULL };
	static const char *const versions[] = { "28.41.1000", "28.41.1000", "28.43.1014", NULL };

	set_text(&pf->psid, psids[pick(4)]);
	set_text(&pf->fw_running, versions[pick(4)]);
	if (pick(3))
		pf->numa_node = fact_u64(pick(2));
}

static void vary_vf(struct mlx5lm_vf *vf)
{
	switch (pick(8)) {
	case 0:
		set_text(&vf->in_use_by, "other");
		break;
	case 1:
		set_text(&vf->driver, NULL);
		break;
	case 2:
		vf->migratable = MLX5LM_PORT_ATTR_STATE_DISABLED;
		break;
	default:
		break;
	}
	if (pick(8) == 0)
		vf->index.known = false;
}

#define MAX_VFS 6

static struct mlx5lm_host *random_host(const char *name, bool is_source)
{
	struct mlx5lm_host *host = ready_host(name, 1 + pick(3));
	size_t left = MAX_VFS - host->pfs[0].num_vfs;
	size_t others = is_source ? pick(3) : 1 + pick(2);

	for (size_t i = 0; i < others; i++) {
		size_t number = pick(left < 3 ? (uint32_t)left + 1 : 4);

		add_adapter(host, 0x18 + 16 * (unsigned int)i, number);
		left -= number;
	}
	for (size_t i = 0; i < host->num_pfs; i++) {
		vary_pf(&host->pfs[i]);
		for (size_t j = 0; !is_source && j < host->pfs[i].num_vfs; j++)
			vary_vf(&host->pfs[i].vfs[j]);
	}
	return host;
}

/* Brute force: a VF of each host with its PF, by number. */
struct item {
	const struct mlx5lm_pf *pf;
	const struct mlx5lm_vf *vf;
};

struct brute {
	const struct question *question;
	struct item from[MAX_VFS], to[MAX_VFS];
	size_t num_from, num_to;
	int choice[MAX_VFS];	  /* index in to, or -1 */
	int best_choice[MAX_VFS];
	unsigned int best[2 + 2 * MAX_VFS];
	bool found;
};

static size_t list_items(const struct mlx5lm_host *host, struct item *items)
{
	size_t length = 0;

	for (size_t i = 0; i < host->num_pfs; i++) {
		for (size_t j = 0; j < host->pfs[i].num_vfs; j++)
			items[length++] = (struct item){ &host->pfs[i], &host->pfs[i].vfs[j] };
	}
	return length;
}

static bool may_be_equal(const char *a, const char *b)
{
	return !a || !b || streq(a, b);
}

static bool same_node(const struct item *a, const struct item *b)
{
	return a->pf->numa_node.known == b->pf->numa_node.known &&
	       a->pf->numa_node.value == b->pf->numa_node.value;
}

static bool is_ready(const struct item *to)
{
	return to->vf->driver && to->vf->migratable == MLX5LM_PORT_ATTR_STATE_ENABLED;
}

static bool is_possible(const struct brute *brute, const struct item *from, const struct item *to)
{
	const struct pairing_wishes *wishes = &brute->question->wishes;

	if (!may_be_equal(from->pf->psid, to->pf->psid) ||
	    !may_be_equal(from->pf->fw_running, to->pf->fw_running) || to->vf->in_use_by)
		return false;
	if (wishes->numa_policy == MLX5LM_NUMA_POLICY_REQUIRE && !same_node(from, to))
		return false;
	if (wishes->destination_pf && !streq(wishes->destination_pf, to->pf->bdf))
		return false;
	for (size_t i = 0; i < wishes->excluded.length; i++) {
		if (streq(wishes->excluded.items[i], to->vf->bdf))
			return false;
	}
	return is_ready(to) || (wishes->makeable && to->vf->index.known);
}

/* How much VF number i likes its choice: less is better. */
static unsigned int dislike(const struct brute *brute, size_t i)
{
	const struct item *from = &brute->from[i], *to;
	bool own = false, foreign = false, same_index;

	if (brute->choice[i] < 0)
		return 1000;
	to = &brute->to[brute->choice[i]];
	for (size_t k = 0; k < i; k++) {
		if (brute->choice[k] >= 0 && brute->to[brute->choice[k]].pf == to->pf) {
			own |= brute->from[k].pf == from->pf;
			foreign |= brute->from[k].pf != from->pf;
		}
	}
	same_index = from->vf->index.known && to->vf->index.known &&
		     from->vf->index.value == to->vf->index.value;
	return 100u * !is_ready(to) +
	       50u * (brute->question->wishes.numa_policy != MLX5LM_NUMA_POLICY_IGNORE &&
		      !same_node(from, to)) +
	       (own ? 0u : foreign ? 20u : 10u) + !same_index;
}

static void judge(struct brute *brute)
{
	unsigned int cost[2 + 2 * MAX_VFS] = { 0 };

	for (size_t i = 0; i < brute->num_from; i++) {
		cost[0] += brute->choice[i] < 0;
		cost[1] += brute->choice[i] >= 0 && !is_ready(&brute->to[brute->choice[i]]);
		cost[2 + 2 * i] = dislike(brute, i);
		cost[3 + 2 * i] = (unsigned int)(brute->choice[i] + 1);
	}
	for (size_t i = 0; brute->found && i < 2 + 2 * brute->num_from; i++) {
		if (cost[i] > brute->best[i])
			return;
		if (cost[i] < brute->best[i])
			break;
	}
	memcpy(brute->best, cost, sizeof(cost));
	memcpy(brute->best_choice, brute->choice, sizeof(brute->choice));
	brute->found = true;
}

static void try_all(struct brute *brute, size_t i)
{
	if (i == brute->num_from) {
		judge(brute);
		return;
	}
	brute->choice[i] = -1;
	try_all(brute, i + 1);
	for (size_t k = 0; k < brute->num_to; k++) {
		bool taken = false;

		for (size_t j = 0; j < i; j++)
			taken |= brute->choice[j] == (int)k;
		if (taken || !is_possible(brute, &brute->from[i], &brute->to[k]))
			continue;
		brute->choice[i] = (int)k;
		try_all(brute, i + 1);
	}
	brute->choice[i] = -1;
}

static void expect_best(const struct question *question, unsigned int number)
{
	struct brute brute = { .question = question };

	brute.num_from = list_items(question->source, brute.from);
	brute.num_to = list_items(question->destination, brute.to);
	try_all(&brute, 0);
	cr_assert_eq(question->pairing.num_pairs + question->pairing.num_unpaired,
		     brute.num_from);
	for (size_t i = 0; i < brute.num_from; i++) {
		const char *expected = brute.best_choice[i] < 0 ?
					       "none" :
					       brute.to[brute.best_choice[i]].vf->bdf;

		cr_assert_str_eq(goes_to(question, brute.from[i].vf->bdf), expected,
				 "case %u, %s: %s instead of %s", number, brute.from[i].vf->bdf,
				 goes_to(question, brute.from[i].vf->bdf), expected);
	}
}

Test(pairing, finds_what_trying_all_ways_finds)
{
	size_t pairs = 0, unpaired = 0;

	for (unsigned int number = 0; number < 4000; number++) {
		struct question question;

		state = number;
		question = (struct question){ .source = random_host("a", true),
					      .destination = random_host("b", false) };
		question.wishes.numa_policy = pick(4);
		question.wishes.makeable = pick(2);
		if (pick(4) == 0)
			exclude(&question, "0000:18:00.2");
		if (pick(8) == 0)
			question.wishes.destination_pf = strdup("0000:18:00.0");
		ask(&question);
		expect_best(&question, number);
		pairs += question.pairing.num_pairs;
		unpaired += question.pairing.num_unpaired;
		for (size_t i = 0; i < question.pairing.num_unpaired; i++) {
			cr_assert_not_null(question.pairing.unpaired[i].text);
			cr_assert_not_null(question.pairing.unpaired[i].remedy);
		}
		done(&question);
	}
	cr_expect_gt(pairs, 4000, "the cases are worth it: %zu", pairs);
	cr_expect_gt(unpaired, 4000, "%zu", unpaired);
}

Test(pairing, nobody_is_given_twice_when_there_are_many)
{
	struct question question = hosts(127, 100);
	bool seen[256] = { false };

	add_adapter(question.destination, 0x18, 20);
	ask(&question);
	cr_expect_eq(question.pairing.num_pairs, 120);
	cr_expect_eq(question.pairing.num_unpaired, 7);
	for (size_t i = 0; i < question.pairing.num_pairs; i++) {
		const struct mlx5lm_pair *pair = &question.pairing.pairs[i];
		size_t number = pair->destination_vf->index.value +
				(streq(pair->destination_pf, "0000:18:00.0") ? 128 : 0);

		cr_assert_not(seen[number]);
		seen[number] = true;
	}
	done(&question);
}

Test(pairing, mappings_say_what_the_destinations_libvirt_needs)
{
	struct question question = hosts(1, 1);
	_cleanup_vf_mappings_ struct vf_mappings mappings = { 0 };

	add_device(&question, "0000:08:00.2");
	question.domain.hostdevs[0].managed = true;
	question.destination->libvirt_daemon_version = fact_u64(9000000);
	ask(&question);
	cr_assert_eq(pairing_get_mappings(&question.pairing, &question.domain,
					  question.destination, &mappings), 0);
	cr_assert_eq(mappings.length, 1);
	cr_expect_str_eq(mappings.items[0].source, "0000:08:00.2");
	cr_expect_str_eq(mappings.items[0].destination, "0000:08:00.2");
	cr_expect_eq(mappings.items[0].driver, MAP_UNMANAGED);
	done(&question);
}
