// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/migration_params.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <libvirt/libvirt.h>
#include <stdio.h>

#define LIBVIRT(major, minor, release) ((major) * UINT64_C(1000000) + (minor) * 1000 + (release))
#define QEMU LIBVIRT
#define UNKNOWN 0

/* What both daemons have, and what is wanted of them. */
struct question {
	struct libvirt_facts source, destination;
	struct migration_wishes wishes;
	struct migration migration;
	struct mlx5lm_findings findings;
	struct mlx5lm_error *error;
};

static struct fact_u64 version(uint64_t number)
{
	return number == UNKNOWN ? (struct fact_u64){ 0 } : fact_u64(number);
}

static struct question between(uint64_t source_libvirt, uint64_t source_qemu,
			       uint64_t destination_libvirt, uint64_t destination_qemu)
{
	struct question question = {
		.source = { .daemon_version = version(source_libvirt),
			    .qemu_version = version(source_qemu) },
		.destination = { .daemon_version = version(destination_libvirt),
				 .qemu_version = version(destination_qemu) },
		.wishes.wanted.control = MLX5LM_CONTROL_P2P,
		.wishes.num_vfs = 1,
	};

	return question;
}

static struct question between_new_ones(void)
{
	return between(LIBVIRT(12, 8, 0), QEMU(11, 1, 2), LIBVIRT(11, 3, 0), QEMU(10, 0, 2));
}

static int ask(struct question *question)
{
	return migration_params_choose(&question->wishes, &question->source,
				       &question->destination, &question->migration,
				       &question->findings, &question->error);
}

static void release(struct question *question)
{
	findings_release(&question->findings);
	mlx5lm_error_free(question->error);
}

static uint64_t channels_of(struct question question)
{
	cr_assert_eq(ask(&question), 0);
	release(&question);
	return question.migration.channels;
}

static void expect_taken(struct question question)
{
	cr_expect_eq(ask(&question), 0, "%s",
		     question.error ? mlx5lm_error_get_message(question.error) : "");
	release(&question);
}

static void expect_refused(struct question question, const char *message, const char *remedy)
{
	static const struct migration untouched;

	cr_expect_eq(ask(&question), -EOPNOTSUPP);
	cr_assert_not_null(question.error, "taken, without '%s'", message);
	cr_expect_eq(mlx5lm_error_get_code(question.error), MLX5LM_ERROR_NOT_SUPPORTED);
	cr_expect_eq(mlx5lm_error_get_source(question.error), MLX5LM_SOURCE_LIBRARY);
	cr_expect_str_eq(mlx5lm_error_get_message(question.error), message);
	cr_expect_not_null(strstr(mlx5lm_error_get_remedy(question.error), remedy), "%s",
			   mlx5lm_error_get_remedy(question.error));
	cr_expect_eq(memcmp(&question.migration, &untouched, sizeof(untouched)), 0);
	cr_expect_eq(question.findings.length, 0);
	release(&question);
}

static const struct mlx5lm_finding *find(const struct question *question, const char *id)
{
	for (size_t i = 0; i < question->findings.length; i++) {
		if (streq(question->findings.items[i].text[MLX5LM_FINDING_ID], id))
			return &question->findings.items[i];
	}
	return NULL;
}

static const char *side_of(const struct mlx5lm_finding *finding)
{
	const char *side = finding->text[MLX5LM_FINDING_SIDE];

	return side ? side : "none";
}

Test(migration_params, what_is_wanted_is_kept)
{
	struct question question = between_new_ones();
	const struct migration wanted = {
		.control = MLX5LM_CONTROL_DIRECT,
		.peer_uri = "qemu+tls://hostb/system",
		.destination_xml = "<domain/>",
		.data_uri = "tcp://10.0.0.2",
		.tls_destination = "hostb",
		.bandwidth_mib_per_s = 1000,
		.switchover_bandwidth_mib_per_s = 900,
		.channels = 7,
		.tls = true,
		.persistent = true,
	};

	question.wishes.wanted = wanted;
	question.wishes.has_channels = true;
	cr_assert_eq(ask(&question), 0);
	cr_expect_eq(memcmp(&question.migration, &wanted, sizeof(wanted)), 0);
	release(&question);
}

Test(migration_params, both_daemons_must_know_what_is_wanted)
{
	struct question question = between(LIBVIRT(5, 2, 0), UNKNOWN, LIBVIRT(5, 1, 9), UNKNOWN);

	question.wishes.has_channels = true;
	question.wishes.wanted.channels = 4;
	expect_refused(question,
		       "libvirt 5.2 is needed for parallel connections: the destination has 5.1.9",
		       "set MLX5LM_SESSION_CHANNELS to 0");
	question.source.daemon_version = fact_u64(LIBVIRT(5, 1, 0));
	question.destination.daemon_version = fact_u64(LIBVIRT(5, 2, 0));
	expect_refused(question, "libvirt 5.2 is needed for parallel connections: the source has 5.1.0",
		       "at the source: install libvirt 5.2 or later");
	question.source.daemon_version = fact_u64(LIBVIRT(5, 2, 0));
	expect_taken(question);
}

Test(migration_params, tls_and_its_names_have_their_versions)
{
	struct question question = between(LIBVIRT(3, 1, 0), UNKNOWN, LIBVIRT(9, 0, 0), UNKNOWN);

	question.wishes.wanted.tls = true;
	expect_refused(question, "libvirt 3.2 is needed for encryption of the data: the source has 3.1.0",
		       "MLX5LM_SESSION_TLS");
	question.source.daemon_version = fact_u64(LIBVIRT(3, 2, 0));
	expect_taken(question);
	question.wishes.wanted.tls_destination = "hostb";
	expect_refused(question, "libvirt 6.0 is needed for another name in the destination's "
				 "certificate: the source has 3.2.0",
		       "MLX5LM_SESSION_TLS_DESTINATION");
	question.source.daemon_version = fact_u64(LIBVIRT(6, 0, 0));
	expect_taken(question);
	/* A name without encryption is told to nobody. */
	question.source.daemon_version = fact_u64(LIBVIRT(3, 2, 0));
	question.wishes.wanted.tls = false;
	expect_taken(question);
}

Test(migration_params, the_switchover_bandwidth_needs_daemons_and_the_source_qemu)
{
	struct question question =
		between(LIBVIRT(11, 1, 0), QEMU(8, 2, 0), LIBVIRT(11, 0, 9), QEMU(7, 2, 0));
	const char *remedy = "MLX5LM_SESSION_SWITCHOVER_BANDWIDTH_MIB_PER_S";

	question.wishes.wanted.switchover_bandwidth_mib_per_s = 1000;
	expect_refused(question, "libvirt 11.1 is needed for a bandwidth to reckon the switchover "
				 "with: the destination has 11.0.9", remedy);
	question.destination.daemon_version = fact_u64(LIBVIRT(11, 1, 0));
	expect_taken(question);
	question.source.qemu_version = fact_u64(QEMU(8, 1, 5));
	expect_refused(question, "QEMU 8.2 is needed for a bandwidth to reckon the switchover "
				 "with: the source has 8.1.5", remedy);
}

Test(migration_params, versions_that_are_not_known_refuse_nothing)
{
	struct question question = between(UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN);

	question.wishes.has_channels = true;
	question.wishes.wanted.channels = 4;
	question.wishes.wanted.tls = true;
	question.wishes.wanted.tls_destination = "hostb";
	question.wishes.wanted.switchover_bandwidth_mib_per_s = 1000;
	expect_taken(question);
}

Test(migration_params, several_vfs_get_a_channel_each_within_bounds)
{
	struct question question = between_new_ones();
	static const uint64_t expected[][2] = {
		{ 0, 0 },   { 1, 0 },	{ 2, 2 },   { 3, 3 },
		{ 15, 15 }, { 16, 16 }, { 17, 16 }, { UINT64_MAX, 16 },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
		question.wishes.num_vfs = expected[i][0];
		cr_expect_eq(channels_of(question), expected[i][1], "%lu VFs",
			     (unsigned long)expected[i][0]);
	}
}

Test(migration_params, channels_are_chosen_only_if_both_ends_send_vfs_over_them)
{
	struct question question = between_new_ones();

	question.wishes.num_vfs = 4;
	question.destination.qemu_version = fact_u64(QEMU(9, 2, 9));
	cr_expect_eq(channels_of(question), 0);
	question.destination.qemu_version = (struct fact_u64){ 0 };
	cr_expect_eq(channels_of(question), 0);
	question.destination.qemu_version = fact_u64(QEMU(10, 0, 0));
	cr_expect_eq(channels_of(question), 4);
	question.source.qemu_version = fact_u64(QEMU(9, 2, 9));
	cr_expect_eq(channels_of(question), 0);
	question.source.qemu_version = fact_u64(QEMU(10, 0, 0));
	/* What the library would like is left out where what the caller wants is refused. */
	question.source.daemon_version = fact_u64(LIBVIRT(5, 1, 0));
	cr_expect_eq(channels_of(question), 0);
}

Test(migration_params, channels_are_chosen_only_over_tcp)
{
	struct question question = between_new_ones();

	question.wishes.num_vfs = 4;
	question.wishes.wanted.data_uri = "tcp://10.0.0.2:49152";
	cr_expect_eq(channels_of(question), 4);
	question.wishes.wanted.data_uri = "rdma://10.0.0.2";
	cr_expect_eq(channels_of(question), 0);
	question.wishes.wanted.data_uri = "unix:/run/migration";
	cr_expect_eq(channels_of(question), 0);
	question.wishes.wanted.data_uri = "tc";
	cr_expect_eq(channels_of(question), 0);
}

Test(migration_params, who_wants_no_channels_gets_none)
{
	struct question question = between_new_ones();

	question.wishes.num_vfs = 4;
	question.wishes.has_channels = true;
	cr_expect_eq(channels_of(question), 0);
	/* Nor does what is not said to be wanted count. */
	question.wishes.has_channels = false;
	question.wishes.num_vfs = 1;
	question.wishes.wanted.channels = 9;
	cr_expect_eq(channels_of(question), 0);
}

Test(migration_params, vfs_go_over_channels_from_qemu_10_at_both_ends)
{
	struct question question = between_new_ones();
	struct migration migration = { .channels = 2 };

	cr_expect(migration_channels_carry_vfs(&migration, &question.source,
					       &question.destination));
	question.source.qemu_version = fact_u64(QEMU(9, 2, 0));
	cr_expect_not(migration_channels_carry_vfs(&migration, &question.source,
						   &question.destination));
	question = between_new_ones();
	migration.channels = 0;
	cr_expect_not(migration_channels_carry_vfs(&migration, &question.source,
						   &question.destination));
}

Test(migration_params, switchover_ack_needs_both_ends)
{
	static const struct {
		uint64_t source_libvirt, source_qemu, destination_libvirt, destination_qemu;
		uint32_t answer;
		enum mlx5lm_status status;
		const char *side;
	} rows[] = {
		{ LIBVIRT(11, 3, 0), QEMU(8, 1, 0), LIBVIRT(11, 3, 0), QEMU(8, 1, 0),
		  MLX5LM_ANSWER_YES, MLX5LM_STATUS_PASS, "none" },
		{ LIBVIRT(12, 8, 0), QEMU(11, 1, 2), LIBVIRT(12, 8, 0), QEMU(8, 0, 5),
		  MLX5LM_ANSWER_NO, MLX5LM_STATUS_WARN, "destination" },
		{ LIBVIRT(9, 0, 0), QEMU(11, 1, 2), LIBVIRT(12, 8, 0), QEMU(11, 1, 2),
		  MLX5LM_ANSWER_NO, MLX5LM_STATUS_WARN, "source" },
		{ LIBVIRT(9, 0, 3), QEMU(11, 1, 2), LIBVIRT(8, 6, 0), QEMU(11, 1, 2),
		  MLX5LM_ANSWER_NO, MLX5LM_STATUS_WARN, "both" },
		/* Somewhere between these it came. */
		{ LIBVIRT(9, 1, 0), QEMU(11, 1, 2), LIBVIRT(12, 8, 0), QEMU(11, 1, 2),
		  MLX5LM_ANSWER_UNKNOWN, MLX5LM_STATUS_UNKNOWN, "source" },
		{ LIBVIRT(12, 8, 0), QEMU(11, 1, 2), LIBVIRT(11, 2, 0), QEMU(11, 1, 2),
		  MLX5LM_ANSWER_UNKNOWN, MLX5LM_STATUS_UNKNOWN, "destination" },
		/* What is missing for certain counts more than what is not known. */
		{ LIBVIRT(10, 5, 0), QEMU(11, 1, 2), LIBVIRT(10, 5, 0), QEMU(7, 2, 0),
		  MLX5LM_ANSWER_NO, MLX5LM_STATUS_WARN, "both" },
		{ UNKNOWN, QEMU(7, 2, 0), LIBVIRT(12, 8, 0), QEMU(11, 1, 2), MLX5LM_ANSWER_NO,
		  MLX5LM_STATUS_WARN, "source" },
		{ LIBVIRT(12, 8, 0), UNKNOWN, LIBVIRT(12, 8, 0), QEMU(11, 1, 2),
		  MLX5LM_ANSWER_UNKNOWN, MLX5LM_STATUS_UNKNOWN, "source" },
		{ UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, MLX5LM_ANSWER_UNKNOWN,
		  MLX5LM_STATUS_UNKNOWN, "both" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		struct question question =
			between(rows[i].source_libvirt, rows[i].source_qemu,
				rows[i].destination_libvirt, rows[i].destination_qemu);
		const struct mlx5lm_finding *finding;

		cr_assert_eq(ask(&question), 0);
		cr_expect_eq(migration_has_switchover_ack(&question.source, &question.destination),
			     rows[i].answer, "row %zu", i);
		finding = find(&question, "session.switchover_ack");
		cr_assert_not_null(finding);
		cr_expect_eq(finding->status, rows[i].status, "row %zu", i);
		cr_expect_str_eq(side_of(finding), rows[i].side, "row %zu", i);
		cr_expect_eq(finding->text[MLX5LM_FINDING_REMEDY] == NULL,
			     rows[i].status == MLX5LM_STATUS_PASS, "row %zu", i);
		release(&question);
	}
}

Test(migration_params, a_finding_says_what_either_end_has)
{
	struct question question = between(LIBVIRT(9, 0, 0), QEMU(7, 2, 22), UNKNOWN, UNKNOWN);
	const struct mlx5lm_finding *finding;

	cr_assert_eq(ask(&question), 0);
	finding = find(&question, "session.switchover_ack");
	cr_assert_not_null(finding);
	cr_expect_str_eq(finding->text[MLX5LM_FINDING_SOURCE], "libvirt 9.0.0, QEMU 7.2.22");
	cr_expect_str_eq(finding->text[MLX5LM_FINDING_DESTINATION],
			 "libvirt of unknown version, QEMU of unknown version");
	cr_expect_str_eq(finding->text[MLX5LM_FINDING_REQUIRED],
			 "libvirt 10.5 or later and QEMU 8.1 or later on both hosts");
	release(&question);
}

Test(migration_params, old_daemons_of_the_source_do_not_tell_of_vf_bytes)
{
	struct question question =
		between(LIBVIRT(10, 5, 0), QEMU(10, 0, 0), LIBVIRT(9, 0, 0), QEMU(10, 0, 0));

	cr_assert_eq(ask(&question), 0);
	cr_assert_not_null(find(&question, "session.progress"));
	cr_expect_eq(find(&question, "session.progress")->status, MLX5LM_STATUS_INFO);
	release(&question);
	question = between(LIBVIRT(10, 6, 0), QEMU(10, 0, 0), LIBVIRT(9, 0, 0), QEMU(10, 0, 0));
	cr_assert_eq(ask(&question), 0);
	cr_expect_null(find(&question, "session.progress"));
	release(&question);
	question = between(UNKNOWN, QEMU(10, 0, 0), LIBVIRT(9, 0, 0), QEMU(10, 0, 0));
	cr_assert_eq(ask(&question), 0);
	cr_expect_null(find(&question, "session.progress"));
	release(&question);
}

Test(migration_params, several_vfs_over_one_connection_are_worth_a_word)
{
	struct question question = between_new_ones();
	const struct mlx5lm_finding *finding;

	question.wishes.num_vfs = 4;
	cr_assert_eq(ask(&question), 0);
	cr_expect_null(find(&question, "session.vfio_channels"));
	release(&question);

	question = between_new_ones();
	question.wishes.num_vfs = 4;
	question.destination.qemu_version = fact_u64(QEMU(9, 1, 0));
	cr_assert_eq(ask(&question), 0);
	finding = find(&question, "session.vfio_channels");
	cr_assert_not_null(finding);
	cr_expect_eq(finding->status, MLX5LM_STATUS_INFO);
	cr_expect_str_eq(side_of(finding), "destination");
	cr_expect_not_null(strstr(finding->text[MLX5LM_FINDING_REMEDY], "QEMU 10.0"));
	release(&question);

	/* The QEMUs could; the caller does not want it. */
	question = between_new_ones();
	question.wishes.num_vfs = 4;
	question.wishes.has_channels = true;
	cr_assert_eq(ask(&question), 0);
	finding = find(&question, "session.vfio_channels");
	cr_assert_not_null(finding);
	cr_expect_str_eq(side_of(finding), "none");
	cr_expect_not_null(strstr(finding->text[MLX5LM_FINDING_REMEDY], "MLX5LM_SESSION_CHANNELS"));
	release(&question);
}

Test(migration_params, a_domain_without_vfs_is_told_nothing_of_them)
{
	struct question question =
		between(LIBVIRT(9, 0, 0), QEMU(7, 2, 0), LIBVIRT(9, 0, 0), QEMU(7, 2, 0));

	question.wishes.num_vfs = 0;
	cr_assert_eq(ask(&question), 0);
	cr_expect_eq(question.findings.length, 0);
	release(&question);
}

Test(migration_params, flags_are_those_of_libvirt)
{
	struct migration migration = { .control = MLX5LM_CONTROL_P2P };

	cr_expect_eq(migration_flags(&migration), VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER);
	migration.control = MLX5LM_CONTROL_DIRECT;
	cr_expect_eq(migration_flags(&migration), VIR_MIGRATE_LIVE);
	migration.persistent = true;
	cr_expect_eq(migration_flags(&migration),
		     VIR_MIGRATE_LIVE | VIR_MIGRATE_PERSIST_DEST | VIR_MIGRATE_UNDEFINE_SOURCE);
	migration.persistent = false;
	migration.tls = true;
	cr_expect_eq(migration_flags(&migration), VIR_MIGRATE_LIVE | VIR_MIGRATE_TLS);
	migration.tls = false;
	migration.channels = 1;
	cr_expect_eq(migration_flags(&migration), VIR_MIGRATE_LIVE | VIR_MIGRATE_PARALLEL);
}
