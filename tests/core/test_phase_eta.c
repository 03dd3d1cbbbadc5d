// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/phase.h"

#include <criterion/criterion.h>

#include <stdlib.h>

#define MIB (1024 * 1024ull)
#define PAGE 4096ull

static struct phase_machine machine;

static struct job_stats job(uint64_t remaining, uint64_t bytes_per_s, uint64_t dirty_bytes_per_s)
{
	return (struct job_stats){
		.type = JOB_RUNNING,
		.operation = JOB_OPERATION_MIGRATION_OUT,
		.data_total = fact_u64(64 * 1024 * MIB),
		.data_processed = fact_u64(MIB),
		.data_remaining = fact_u64(remaining),
		.memory_total = fact_u64(64 * 1024 * MIB),
		.memory_iteration = fact_u64(1),
		.memory_bytes_per_s = fact_u64(bytes_per_s),
		.memory_dirty_pages_per_s = fact_u64(dirty_bytes_per_s / PAGE),
		.memory_page_size = fact_u64(PAGE),
	};
}

static struct fact_u64 feed_facts(const struct phase_facts *facts)
{
	enum mlx5lm_event events[PHASE_MAX_EVENTS];

	phase_feed(&machine, facts, events);
	return machine.progress.values[MLX5LM_PROGRESS_ETA_MS];
}

static struct fact_u64 feed(enum domain_state source, struct job_stats stats, uint64_t now_ms)
{
	return feed_facts(&(struct phase_facts){
		.now_ms = now_ms, .stage = STAGE_MIGRATE, .source = source, .job = stats });
}

/* As at the first look. */
static struct fact_u64 feed_first(struct job_stats stats)
{
	phase_start(&machine, 0);
	return feed(DOMAIN_RUNNING, stats, 0);
}

static uint64_t is_estimate(void)
{
	struct fact_u64 fact = machine.progress.values[MLX5LM_PROGRESS_ETA_IS_ESTIMATE];

	cr_assert(fact.known);
	return fact.value;
}

#define EXPECT_MS(eta, ms)                                                                         \
	do {                                                                                       \
		struct fact_u64 eta_ = (eta);                                                      \
                                                                                                   \
		cr_expect(eta_.known);                                                             \
		cr_expect_eq(eta_.value, ms, "%llu ms", (unsigned long long)eta_.value);           \
	} while (0)

#define EXPECT_UNKNOWN(eta)                                                                        \
	do {                                                                                       \
		cr_expect_not((eta).known);                                                        \
		cr_expect_not(machine.progress.values[MLX5LM_PROGRESS_ETA_IS_ESTIMATE].known);     \
	} while (0)

Test(phase_eta, is_what_remains_by_the_speed_less_what_the_guest_dirties)
{
	struct job_stats stats = job(1000 * MIB, 100 * MIB, 0);

	EXPECT_MS(feed_first(stats), 10000);
	cr_expect_eq(is_estimate(), 0, "a domain without VFs");
	EXPECT_MS(feed_first(job(1000 * MIB, 100 * MIB, 50 * MIB)), 20000);
	/* Memory alone, if libvirt tells no more. */
	stats.data_remaining = (struct fact_u64){ 0 };
	EXPECT_UNKNOWN(feed_first(stats));
	stats.memory_remaining = fact_u64(500 * MIB);
	EXPECT_MS(feed_first(stats), 5000);
	/* Pages are counted in 4 KiB unless libvirt says otherwise. */
	stats = job(1000 * MIB, 100 * MIB, 50 * MIB);
	stats.memory_page_size = (struct fact_u64){ 0 };
	EXPECT_MS(feed_first(stats), 20000);
	stats.memory_page_size = fact_u64(PAGE / 2);
	EXPECT_MS(feed_first(stats), 13333);
}

/* QEMU tells it only when the pass ends. */
Test(phase_eta, counts_what_was_dirtied_in_this_pass_but_not_more_than_there_is)
{
	struct job_stats stats = job(500 * MIB, 0, 50 * MIB);

	stats.memory_total = fact_u64(1000 * MIB);
	EXPECT_UNKNOWN(feed_first(stats));
	stats.memory_bytes_per_s = fact_u64(100 * MIB);
	EXPECT_MS(feed(DOMAIN_RUNNING, stats, 4000), 14000);
	EXPECT_UNKNOWN(feed_first(job(500 * MIB, 0, 50 * MIB)));
	EXPECT_MS(feed(DOMAIN_RUNNING, stats, 100000), 30000);
}

Test(phase_eta, is_not_known_when_the_guest_dirties_as_fast_as_is_sent)
{
	EXPECT_MS(feed_first(job(1000 * MIB, 100 * MIB, 0)), 10000);
	EXPECT_UNKNOWN(feed(DOMAIN_RUNNING, job(900 * MIB, 100 * MIB, 100 * MIB), 1000));
	EXPECT_UNKNOWN(feed(DOMAIN_RUNNING, job(900 * MIB, 100 * MIB, 300 * MIB), 2000));
	/* It has come to rest; after an unknown one there is nothing to smooth. */
	EXPECT_MS(feed(DOMAIN_RUNNING, job(900 * MIB, 100 * MIB, 0), 3000), 9000);
	/* Nine tenths of the speed: too near to it. */
	EXPECT_UNKNOWN(feed_first(job(900 * MIB, 100 * MIB, 90 * MIB)));
	EXPECT_MS(feed_first(job(900 * MIB, 100 * MIB, 80 * MIB)), 45000);
}

Test(phase_eta, is_not_known_before_a_speed_is)
{
	struct job_stats silent = job(900 * MIB, 100 * MIB, 0);
	uint64_t longest_ms = 0;
	struct fact_u64 eta;

	silent.memory_bytes_per_s = (struct fact_u64){ 0 };
	EXPECT_UNKNOWN(feed_first(job(900 * MIB, 0, 0)));
	EXPECT_UNKNOWN(feed(DOMAIN_RUNNING, silent, 1000));
	EXPECT_MS(feed(DOMAIN_RUNNING, job(900 * MIB, 100 * MIB, 0), 2000), 9000);
	/* Not told once: as it was. */
	EXPECT_MS(feed(DOMAIN_RUNNING, silent, 2000), 9000);
	/* Nothing goes over the network any more: further and further away, then not known. */
	eta = fact_u64(0);
	for (uint64_t now = 3000; now < 60000 && eta.known; now += 1000) {
		struct fact_u64 next = feed(DOMAIN_RUNNING, job(900 * MIB, 0, 0), now);

		cr_expect(!next.known || next.value > eta.value);
		longest_ms = eta.value;
		eta = next;
	}
	cr_expect_not(eta.known);
	cr_expect_gt(longest_ms, 3600000);
}

Test(phase_eta, a_rest_that_fits_into_the_allowed_downtime_goes_at_full_speed)
{
	struct phase_facts facts = { .stage = STAGE_MIGRATE,
				     .source = DOMAIN_RUNNING,
				     .job = job(1000 * MIB, 100 * MIB, 300 * MIB),
				     .downtime_limit_ms = fact_u64(300) };

	phase_start(&machine, 0);
	EXPECT_UNKNOWN(feed_facts(&facts));
	/* Forced: QEMU's largest limit. */
	facts.downtime_limit_ms = fact_u64(2000000);
	EXPECT_MS(feed_facts(&facts), 10000);
}

Test(phase_eta, counts_the_vfs_state_that_is_left_and_calls_it_an_estimate)
{
	struct phase_facts facts = { .stage = STAGE_MIGRATE,
				     .source = DOMAIN_RUNNING,
				     .job = job(1000 * MIB, 100 * MIB, 50 * MIB),
				     .num_vfs = fact_u64(2),
				     .state_bytes = fact_u64(200 * MIB) };

	phase_start(&machine, 0);
	EXPECT_MS(feed_facts(&facts), 22000);
	cr_expect_eq(is_estimate(), 1);
	/* libvirt 10.6 tells what has been sent; more than was reckoned with is no debt. */
	facts.job.vfio_transferred = fact_u64(150 * MIB);
	phase_start(&machine, 0);
	EXPECT_MS(feed_facts(&facts), 20500);
	facts.job.vfio_transferred = fact_u64(900 * MIB);
	phase_start(&machine, 0);
	EXPECT_MS(feed_facts(&facts), 20000);
	cr_expect_eq(is_estimate(), 1);
	/* VFs of which nobody reckons anything make it an estimate all the more. */
	facts.state_bytes = (struct fact_u64){ 0 };
	phase_start(&machine, 0);
	EXPECT_MS(feed_facts(&facts), 20000);
	cr_expect_eq(is_estimate(), 1);
}

Test(phase_eta, only_falls_once_the_guest_stands_still)
{
	struct job_stats slow = job(100 * MIB, 10 * MIB, 0);

	EXPECT_MS(feed_first(job(100 * MIB, 100 * MIB, 0)), 1000);
	EXPECT_MS(feed(DOMAIN_PAUSED_BY_MIGRATION, slow, 100), 900);
	EXPECT_MS(feed(DOMAIN_PAUSED_BY_MIGRATION, job(MIB, 100 * MIB, 900 * MIB), 200), 10);
	EXPECT_MS(feed(DOMAIN_PAUSED_BY_MIGRATION, slow, 300), 0);
	EXPECT_MS(feed(DOMAIN_GONE, (struct job_stats){ 0 }, 400), 0);
	cr_expect_eq(machine.progress.phase, MLX5LM_PHASE_RESUME);
	cr_expect_eq(is_estimate(), 0);
	EXPECT_UNKNOWN(feed_facts(&(struct phase_facts){ .stage = STAGE_VERIFY, .now_ms = 500 }));
	EXPECT_UNKNOWN(feed_facts(&(struct phase_facts){ .stage = STAGE_CLEAN_UP, .now_ms = 510 }));
	EXPECT_MS(feed_facts(&(struct phase_facts){ .stage = STAGE_COMPLETED, .now_ms = 520 }), 0);
	cr_expect_eq(is_estimate(), 0);
}

Test(phase_eta, of_more_than_a_day_is_not_told)
{
	EXPECT_MS(feed_first(job(86399 * MIB, MIB, 0)), 86399000);
	EXPECT_UNKNOWN(feed_first(job(86400 * MIB + MIB, MIB, 0)));
	EXPECT_UNKNOWN(feed_first(job(UINT64_MAX, 1, 0)));
	EXPECT_UNKNOWN(feed_first(job(UINT64_MAX / 1000 + 1, 1, 0)));
	EXPECT_UNKNOWN(feed_first(job(UINT64_MAX, UINT64_MAX, 0)));
	EXPECT_UNKNOWN(feed_first(job(MIB, UINT64_MAX, UINT64_MAX)));
	/* No network has more than 16 TiB/s. */
	EXPECT_MS(feed_first(job(1ull << 44, UINT64_MAX, 0)), 1000);
	EXPECT_MS(feed_first(job(999, 1000, 0)), 999);
}

/* One look in ten sees a tenth of the speed, as when somebody else uses the network for a moment. */
Test(phase_eta, does_not_jump_with_a_single_look)
{
	uint64_t before = feed_first(job(6000 * MIB, 100 * MIB, 0)).value;

	for (uint64_t now = 200; now <= 20000; now += 200) {
		uint64_t remaining = 6000 * MIB - now * 100 * MIB / 1000;
		uint64_t speed = now % 2000 ? 100 * MIB : 10 * MIB;
		uint64_t eta = feed(DOMAIN_RUNNING, job(remaining, speed, 0), now).value;

		cr_expect_lt(llabs((long long)(eta - before)), 2000,
			     "from %llu to %llu ms, where the look alone says 600 s",
			     (unsigned long long)before, (unsigned long long)eta);
		before = eta;
	}
}

/* When the speed halves for good, twenty seconds later the ETA is that of the new one. */
Test(phase_eta, follows_what_has_changed_for_good_however_often_one_looks)
{
	static const uint64_t intervals[] = { 50, 200, 1000, 5000 };

	for (size_t i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
		uint64_t remaining = 6000 * MIB, real, eta = 0;

		feed_first(job(remaining, 100 * MIB, 0));
		for (uint64_t now = intervals[i]; now <= 20000; now += intervals[i]) {
			remaining -= intervals[i] * 50 * MIB / 1000;
			eta = feed(DOMAIN_RUNNING, job(remaining, 50 * MIB, 0), now).value;
		}
		real = remaining / (50 * MIB) * 1000;
		cr_expect_lt(llabs((long long)(eta - real)), (long long)real / 10,
			     "%llu instead of %llu ms, one look in %llu ms",
			     (unsigned long long)eta, (unsigned long long)real,
			     (unsigned long long)intervals[i]);
	}
}

/* A guest and QEMU's pre-copy, step by step: 1 ms each. */
struct guest {
	uint64_t memory, speed, dirty_speed, state, limit_ms;
	uint64_t remaining, dirtied, sent, state_sent, passes, dirty_seen;
	bool stands_still, moved;
};

static void guest_steps(struct guest *guest, uint64_t ms)
{
	for (uint64_t i = 0; i < ms && !guest->moved; i++) {
		uint64_t room = guest->speed / 1000;
		uint64_t part = guest->remaining < room ? guest->remaining : room;

		guest->remaining -= part;
		guest->sent += part;
		if (guest->stands_still) {
			uint64_t left = guest->state - guest->state_sent;

			part = left < room - part ? left : room - part;
			guest->state_sent += part;
			guest->moved = guest->remaining == 0 && guest->state_sent == guest->state;
			continue;
		}
		guest->dirtied += guest->dirty_speed / 1000;
		if (guest->dirtied > guest->memory)
			guest->dirtied = guest->memory;
		if (guest->remaining > 0)
			continue;
		/* The end of a pass: what was dirtied meanwhile is known now, and goes next. */
		guest->remaining = guest->dirtied;
		guest->dirtied = 0;
		guest->passes++;
		guest->dirty_seen = guest->dirty_speed;
		guest->stands_still =
			guest->remaining + guest->state <= guest->speed / 1000 * guest->limit_ms;
	}
}

static struct phase_facts guest_facts(const struct guest *guest, uint64_t now_ms)
{
	struct phase_facts facts = {
		.now_ms = now_ms,
		.stage = STAGE_MIGRATE,
		.source = guest->stands_still ? DOMAIN_PAUSED_BY_MIGRATION : DOMAIN_RUNNING,
		.job = job(guest->remaining, guest->speed, guest->dirty_seen),
		.downtime_limit_ms = fact_u64(guest->limit_ms),
		.num_vfs = fact_u64(guest->state > 0),
		.state_bytes = fact_u64(guest->state),
	};

	facts.job.data_total = facts.job.memory_total = fact_u64(guest->memory);
	facts.job.memory_iteration = fact_u64(guest->passes + 1);
	facts.job.data_processed = fact_u64(guest->sent + guest->state_sent);
	if (guest->state_sent)
		facts.job.vfio_transferred = fact_u64(guest->state_sent);
	return facts;
}

#define MAX_LOOKS 2000

/* ETAs of a whole migration, one each 200 ms; UINT64_MAX: not known. Returns the number. */
static size_t watch(struct guest *guest, uint64_t etas[static MAX_LOOKS])
{
	size_t looks = 0;

	guest->remaining = guest->memory;
	phase_start(&machine, 0);
	for (; looks < MAX_LOOKS && !guest->moved; looks++) {
		struct phase_facts facts = guest_facts(guest, looks * 200);
		struct fact_u64 eta = feed_facts(&facts);

		etas[looks] = eta.known ? eta.value : UINT64_MAX;
		guest_steps(guest, 200);
	}
	return looks;
}

Test(phase_eta, of_a_guest_that_converges_is_about_right)
{
	struct guest guest = { .memory = 4096 * MIB,
			       .speed = 400 * MIB,
			       .dirty_speed = 120 * MIB,
			       .state = 100 * MIB,
			       .limit_ms = 500 };
	static uint64_t etas[MAX_LOOKS];
	size_t looks = watch(&guest, etas), second_pass = 4096 / 400 * 1000 / 200 + 1;

	cr_assert(guest.moved);
	cr_assert_gt(looks, 60);
	cr_expect_eq(machine.progress.phase, MLX5LM_PHASE_SWITCHOVER);
	for (size_t i = 0; i < looks; i++) {
		long long real = (long long)(looks - i) * 200;

		/* During the first pass nobody knows what the guest dirties. */
		if (i <= second_pass)
			cr_expect_lt((long long)etas[i], real + 400, "look %zu", i);
		else
			cr_expect_lt(llabs((long long)etas[i] - real), 400,
				     "look %zu: %llu of %lld ms", i, (unsigned long long)etas[i],
				     real);
	}
	cr_expect_lt(etas[looks - 1], 400, "at the end there is little left");
}

Test(phase_eta, of_a_guest_that_does_not_converge_is_not_known_from_the_second_pass_on)
{
	struct guest guest = {
		.memory = 1024 * MIB, .speed = 400 * MIB, .dirty_speed = 500 * MIB, .limit_ms = 300
	};
	static uint64_t etas[MAX_LOOKS];
	size_t looks = watch(&guest, etas);

	cr_assert_not(guest.moved);
	cr_assert_eq(looks, MAX_LOOKS);
	cr_expect_lt(etas[1], 3000);
	for (size_t i = 15; i < looks; i++)
		cr_expect_eq(etas[i], UINT64_MAX, "look %zu", i);
	cr_expect_geq(machine.progress.values[MLX5LM_PROGRESS_PERCENT].value, 50);
	cr_expect_leq(machine.progress.values[MLX5LM_PROGRESS_PERCENT].value, 95);
}
