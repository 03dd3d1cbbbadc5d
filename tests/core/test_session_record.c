// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/session_record.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "base/array.h"
#include "core/bdf.h"
#include "core/session_names.h"
#include "little_memory.h"

#define UUID "7d0b6ac4-2c6f-4f5e-9c3b-0123456789ab"
#define BOOT "11111111-2222-3333-4444-555555555555"
#define MAX_TIME_MS (INT64_MAX / 2000000)

static struct session_record record; /* to be written */
static struct session_record back;   /* read */
static struct strbuf text;
static struct mlx5lm_error *error;

static void set(char **member, const char *value)
{
	cr_assert_eq(str_replace(member, value), 0);
}

static struct mlx5lm_pair *add_pair(const char *source, const char *destination)
{
	struct mlx5lm_pair *pair;

	cr_assert_eq(array_reserve(&record.pairs, &record.allocated_pairs, record.num_pairs + 1,
				   sizeof(*record.pairs)), 0);
	pair = &record.pairs[record.num_pairs++];
	*pair = (struct mlx5lm_pair){ .source_pf = "0000:08:00.0", .destination_pf = "0000:3b:00.1",
				      .ready = true };
	snprintf(pair->source, sizeof(pair->source), "%s", source);
	snprintf(pair->destination, sizeof(pair->destination), "%s", destination);
	return pair;
}

static void setup(void)
{
	struct mlx5lm_pair *pair;

	set(&record.domain, "guest 1");
	set(&record.uuid, UUID);
	set(&record.source_uri, "qemu:///system");
	set(&record.destination_uri, "qemu+ssh://root@b/system");
	set(&record.boot_id, BOOT);
	record.pid = 4711;
	record.began_ms = 123456;
	record.control = MLX5LM_CONTROL_P2P;
	record.persistent = true;
	record.old_downtime_limit_ms = fact_u64(300);
	record.interval_ms = 200;
	record.answer_deadline_ms = record.connect_deadline_ms = 30000;
	record.policy = (struct job_policy){ .downtime_limit_ms = 500,
					     .downtime_ceiling_ms = 4000,
					     .downtime_steps = 5,
					     .stall_iterations = 3,
					     .stall_action = MLX5LM_ACTION_RAISE_DOWNTIME,
					     .deadline_action = MLX5LM_ACTION_ABORT,
					     .stall_deadline_ms = 60000,
					     .setup_deadline_ms = 20000,
					     .total_deadline_ms = 600000 };
	record.forecast = (struct forecast){ .downtime_ms = 1200,
					     .least_limit_ms = 900,
					     .state_bytes = (uint64_t)200 << 20,
					     .is_assumed = true };
	add_pair("0000:08:00.2", "0000:3b:00.2");
	pair = add_pair("0000:08:00.3", "0000:3b:01.3");
	pair->ready = false;
	set(&pair->remedy, "mlx5lm-configure --pf 0000:3b:00.1 --vf 3:migratable=enable --apply");
}

static void teardown(void)
{
	session_record_release(&record);
	session_record_release(&back);
	strbuf_release(&text);
	mlx5lm_error_free(error);
}

TestSuite(session_record, .init = setup, .fini = teardown);

static void write_record(void)
{
	_cleanup_free_ char *line = session_record_text(&record);

	cr_assert_not_null(line);
	cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1, "it is one line");
	strbuf_release(&text);
	strbuf_add(&text, line);
}

static int parse(const char *data, size_t length)
{
	session_record_release(&back);
	mlx5lm_error_free(error);
	error = NULL;
	return session_record_parse(data, length, &back, &error);
}

static void expect_refusal(const char *words)
{
	cr_assert_eq(parse(text.text, text.length), -EBADMSG, "%s: %.2000s", words, text.text);
	cr_expect_eq(error->code, MLX5LM_ERROR_INVALID_DOCUMENT);
	cr_expect_not_null(strstr(error->message, words), "%s, not %s", error->message, words);
	cr_expect_not_null(error->remedy);
	cr_expect_null(back.domain, "nothing half is handed out");
}

/* Puts other words in the place of some. */
static void change(const char *old, const char *new)
{
	char *at = strstr(text.text, old);
	struct strbuf changed = { 0 };

	cr_assert_not_null(at, "%s is in %s", old, text.text);
	strbuf_printf(&changed, "%.*s%s%s", (int)(at - text.text), text.text, new,
		      at + strlen(old));
	strbuf_release(&text);
	text = changed;
}

static void expect_same_policy(const struct job_policy *a, const struct job_policy *b)
{
	cr_assert_eq(a->downtime_limit_ms, b->downtime_limit_ms);
	cr_assert_eq(a->downtime_ceiling_ms, b->downtime_ceiling_ms);
	cr_assert_eq(a->downtime_steps, b->downtime_steps);
	cr_assert_eq(a->stall_iterations, b->stall_iterations);
	cr_assert_eq(a->stall_action, b->stall_action);
	cr_assert_eq(a->deadline_action, b->deadline_action);
	cr_assert_eq(a->stall_deadline_ms, b->stall_deadline_ms);
	cr_assert_eq(a->setup_deadline_ms, b->setup_deadline_ms);
	cr_assert_eq(a->total_deadline_ms, b->total_deadline_ms);
}

static void expect_same_pairs(const struct session_record *a, const struct session_record *b)
{
	cr_assert_eq(a->num_pairs, b->num_pairs);
	for (size_t i = 0; i < a->num_pairs; i++) {
		const struct mlx5lm_pair *x = &a->pairs[i], *y = &b->pairs[i];

		cr_assert_str_eq(x->source, y->source);
		cr_assert_str_eq(x->destination, y->destination);
		cr_assert_str_eq(x->source_pf, y->source_pf);
		cr_assert_str_eq(x->destination_pf, y->destination_pf);
		cr_assert_eq(x->ready, y->ready);
		cr_assert((!x->remedy && !y->remedy) || streq(x->remedy, y->remedy));
		cr_assert_null(y->source_vf);
		cr_assert_null(y->destination_vf);
	}
}

static void expect_same(const struct session_record *a, const struct session_record *b)
{
	cr_assert_str_eq(a->domain, b->domain);
	cr_assert_str_eq(a->uuid, b->uuid);
	cr_assert_str_eq(a->source_uri, b->source_uri);
	cr_assert_str_eq(a->destination_uri, b->destination_uri);
	cr_assert((!a->boot_id && !b->boot_id) || streq(a->boot_id, b->boot_id));
	cr_assert_eq(a->pid, b->pid);
	cr_assert_eq(a->began_ms, b->began_ms);
	cr_assert_eq(a->control, b->control);
	cr_assert_eq(a->persistent, b->persistent);
	cr_assert_eq(a->prepared, b->prepared);
	cr_assert_eq(a->old_downtime_limit_ms.known, b->old_downtime_limit_ms.known);
	cr_assert_eq(a->old_downtime_limit_ms.value, b->old_downtime_limit_ms.value);
	cr_assert_eq(a->interval_ms, b->interval_ms);
	cr_assert_eq(a->answer_deadline_ms, b->answer_deadline_ms);
	cr_assert_eq(a->connect_deadline_ms, b->connect_deadline_ms);
	expect_same_policy(&a->policy, &b->policy);
	cr_assert_eq(a->forecast.downtime_ms, b->forecast.downtime_ms);
	cr_assert_eq(a->forecast.least_limit_ms, b->forecast.least_limit_ms);
	cr_assert_eq(a->forecast.state_bytes, b->forecast.state_bytes);
	cr_assert_eq(a->forecast.is_assumed, b->forecast.is_assumed);
	expect_same_pairs(a, b);
}

Test(session_record, is_read_as_it_was_written)
{
	write_record();
	cr_assert_eq(parse(text.text, text.length), 0, "%s", error ? error->message : "");
	expect_same(&record, &back);
}

Test(session_record, what_is_not_known_is_left_out)
{
	set(&record.boot_id, NULL);
	record.old_downtime_limit_ms = (struct fact_u64){ 0 };
	for (; record.num_pairs; record.num_pairs--)
		set(&record.pairs[record.num_pairs - 1].remedy, NULL);
	write_record();
	cr_expect_null(strstr(text.text, "boot_id"));
	cr_expect_null(strstr(text.text, "old_downtime_limit_ms"));
	cr_assert_eq(parse(text.text, text.length), 0);
	expect_same(&record, &back);
}

Test(session_record, a_boot_id_of_another_form_is_left_out)
{
	set(&record.boot_id, "boot 1");
	write_record();
	cr_assert_eq(parse(text.text, text.length), 0, "%s", error ? error->message : "");
	cr_expect_null(back.boot_id);
}

/* The same numbers on each run, so that a failure comes again. */
static uint64_t seed = 1;

static uint64_t random_u64(uint64_t min, uint64_t max)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	/* The ends are where mistakes are. */
	if (seed % 5 == 0)
		return min;
	if (seed % 5 == 1)
		return max;
	return min + (seed >> 3) % (max - min + 1);
}

static void random_text(char **member)
{
	static const char *const parts[] = { "a",  "\"", "\\", "/", "vm-1", "\xc3\xa9", " ",
					     "{", "}", "\xf0\x9f\x90\x8e", "qemu://", "0" };
	struct strbuf words = { 0 };

	for (uint64_t length = random_u64(1, 12); length; length--)
		strbuf_add(&words, parts[random_u64(0, ARRAY_LENGTH(parts) - 1)]);
	free(*member);
	cr_assert_eq(strbuf_take(&words, member), 0);
}

static void random_record(void)
{
	struct job_policy *policy = &record.policy;

	random_text(&record.domain);
	random_text(&record.source_uri);
	random_text(&record.destination_uri);
	set(&record.boot_id, random_u64(0, 1) ? BOOT : NULL);
	record.pid = random_u64(1, INT32_MAX);
	record.began_ms = random_u64(0, MAX_TIME_MS);
	record.control = (enum mlx5lm_control)random_u64(1, 2);
	record.persistent = random_u64(0, 1);
	record.prepared = random_u64(0, 1);
	record.old_downtime_limit_ms = random_u64(0, 1) ? fact_u64(random_u64(0, 2000000)) :
							  (struct fact_u64){ 0 };
	record.interval_ms = random_u64(50, 60000);
	record.answer_deadline_ms = random_u64(1000, 3600000);
	record.connect_deadline_ms = random_u64(1, MAX_TIME_MS);
	policy->downtime_limit_ms = random_u64(0, DOWNTIME_LIMIT_MAX_MS);
	policy->downtime_ceiling_ms = random_u64(0, DOWNTIME_LIMIT_MAX_MS);
	policy->downtime_steps = random_u64(1, 100);
	policy->stall_iterations = random_u64(1, 1000);
	policy->stall_action = (enum mlx5lm_action)random_u64(1, 4);
	policy->deadline_action = (enum mlx5lm_action)random_u64(3, 4);
	policy->stall_deadline_ms = random_u64(0, MAX_TIME_MS);
	policy->setup_deadline_ms = random_u64(0, MAX_TIME_MS);
	policy->total_deadline_ms = random_u64(0, MAX_TIME_MS);
	record.forecast.downtime_ms = random_u64(0, MAX_TIME_MS);
	record.forecast.least_limit_ms = random_u64(0, MAX_TIME_MS);
	record.forecast.state_bytes = random_u64(0, INT64_MAX);
	record.forecast.is_assumed = random_u64(0, 1);
}

static void random_pairs(void)
{
	for (; record.num_pairs; record.num_pairs--)
		set(&record.pairs[record.num_pairs - 1].remedy, NULL);
	for (uint32_t left = (uint32_t)random_u64(0, 20); left; left--) {
		struct bdf bdf = { .domain = (uint32_t)random_u64(0, UINT32_MAX),
				   .bus = (uint8_t)left,
				   .function = (uint8_t)random_u64(0, 7) };
		char address[BDF_TEXT_SIZE];
		struct mlx5lm_pair *pair;

		bdf_format(&bdf, address);
		pair = add_pair(address, address);
		pair->ready = random_u64(0, 1);
		if (!pair->ready)
			random_text(&pair->remedy);
	}
}

Test(session_record, any_record_is_read_as_it_was_written)
{
	for (unsigned int i = 0; i < 2000; i++) {
		random_record();
		random_pairs();
		write_record();
		cr_assert_eq(parse(text.text, text.length), 0, "%s: %s",
			     error ? error->message : "", text.text);
		expect_same(&record, &back);
	}
}

Test(session_record, every_truncation_is_refused)
{
	write_record();
	for (size_t length = 0; length < text.length - 1; length++) {
		_cleanup_free_ char *part = strndup(text.text, length);

		cr_assert_eq(parse(part, length), -EBADMSG, "%zu", length);
		cr_assert(strlen(error->message) > strlen("session journal: "));
		cr_assert_not_null(error->remedy);
	}
	/* Nothing is missing but the end of the line. */
	cr_assert_eq(parse(text.text, text.length - 1), 0);
	expect_same(&record, &back);
}

static bool is_in(uint64_t value, uint64_t min, uint64_t max)
{
	return value >= min && value <= max;
}

/* What a caller of the parser relies on. */
static void expect_valid(const struct session_record *it)
{
	struct bdf bdf;

	cr_assert(it->domain[0] && it->source_uri[0] && it->destination_uri[0]);
	cr_assert(str_is_uuid(it->uuid) && (!it->boot_id || str_is_uuid(it->boot_id)));
	cr_assert(is_in(it->pid, 1, INT32_MAX) && it->began_ms <= MAX_TIME_MS);
	cr_assert(is_in(it->control, 1, 2));
	cr_assert(is_in(it->interval_ms, 50, 60000));
	cr_assert(is_in(it->answer_deadline_ms, 1000, 3600000));
	cr_assert(is_in(it->connect_deadline_ms, 1, MAX_TIME_MS));
	cr_assert(it->policy.downtime_limit_ms <= DOWNTIME_LIMIT_MAX_MS &&
		  it->policy.downtime_ceiling_ms <= DOWNTIME_LIMIT_MAX_MS);
	cr_assert(is_in(it->policy.downtime_steps, 1, 100));
	cr_assert(is_in(it->policy.stall_iterations, 1, 1000));
	cr_assert(is_in(it->policy.stall_action, 1, 4));
	cr_assert(is_in(it->policy.deadline_action, 3, 4));
	cr_assert(it->policy.stall_deadline_ms <= MAX_TIME_MS &&
		  it->policy.setup_deadline_ms <= MAX_TIME_MS &&
		  it->policy.total_deadline_ms <= MAX_TIME_MS);
	for (size_t i = 0; i < it->num_pairs; i++) {
		cr_assert_eq(bdf_parse(it->pairs[i].source, &bdf), 0);
		cr_assert_eq(bdf_parse(it->pairs[i].destination_pf, &bdf), 0);
		cr_assert_eq(it->pairs[i].ready, it->pairs[i].remedy == NULL);
	}
}

Test(session_record, every_change_of_a_byte_is_refused_or_gives_a_valid_record)
{
	static const char others[] = { 0, '"', '\\', ' ', '0', '9', '-', 'x', '{', ']', ',', '\n',
				       (char)0x80, (char)0xff };
	unsigned int accepted = 0, refused = 0;
	_cleanup_free_ char *changed = NULL;

	write_record();
	changed = malloc(text.length);
	cr_assert_not_null(changed);
	for (size_t i = 0; i < text.length * (sizeof(others) + 8); i++) {
		size_t place = i % text.length, kind = i / text.length;
		int r;

		memcpy(changed, text.text, text.length);
		changed[place] = kind < 8 ? (char)(changed[place] ^ 1 << kind) : others[kind - 8];
		r = parse(changed, text.length);
		cr_assert(r == 0 || r == -EBADMSG, "%d", r);
		if (r == 0) {
			expect_valid(&back);
			accepted++;
		} else {
			cr_assert(error->message[0] && error->remedy);
			cr_assert_eq(error->code, MLX5LM_ERROR_INVALID_DOCUMENT);
			refused++;
		}
	}
	cr_expect_gt(accepted, text.length, "a letter of a name, a digit of a number");
	cr_expect_gt(refused, text.length * 8);
}

Test(session_record, nothing_that_is_needed_may_be_missing)
{
	static const char *const where[] = { NULL, "policy", "forecast" };
	unsigned int needed = 0;

	write_record();
	for (size_t i = 0; i < ARRAY_LENGTH(where); i++) {
		json_t *whole = json_loads(text.text, 0, NULL), *value;
		const char *key;

		json_object_foreach(where[i] ? json_object_get(whole, where[i]) : whole, key,
				    value) {
			json_t *less = json_deep_copy(whole);
			_cleanup_free_ char *line = NULL;

			json_object_del(where[i] ? json_object_get(less, where[i]) : less, key);
			line = json_dumps(less, 0);
			json_decref(less);
			if (streq(key, "boot_id") || streq(key, "old_downtime_limit_ms")) {
				cr_expect_eq(parse(line, strlen(line)), 0, "%s", key);
				continue;
			}
			needed++;
			cr_expect_eq(parse(line, strlen(line)), -EBADMSG, "%s", key);
			cr_expect_not_null(strstr(error->message, streq(key, "policy") ||
						  streq(key, "forecast") ? "is missing" : key),
					   "%s: %s", key, error->message);
		}
		json_decref(whole);
	}
	cr_expect_eq(needed, 17 + 9 + 4);
}

Test(session_record, a_message_names_the_member)
{
	write_record();
	change("\"abort\"", "\"wait\"");
	expect_refusal("session journal: /policy/deadline_action is not a word");
	write_record();
	change("0000:3b:01.3", "0000:3b:01.9");
	expect_refusal("session journal: /pairs/1/destination is not a PCI address");
	write_record();
	change("\"pid\":4711", "\"pid\":0");
	expect_refusal("session journal: /pid is 0, not 1 to 2147483647");
}

Test(session_record, what_no_option_allows_is_refused)
{
	static const char *const changes[][3] = {
		{ "\"guest 1\"", "\"\"", "/domain" },
		{ "\"guest 1\"", "7", "/domain is not a text" },
		{ "\"guest 1\"", "\"\\u001b[2J\"", "/domain" },
		{ "\"guest 1\"", "\"\\u0000\"", "no valid JSON" },
		{ "\"qemu:///system\"", "\"\"", "/source_uri" },
		{ "\"qemu+ssh://root@b/system\"", "\"\"", "/destination_uri" },
		{ UUID, "../../../../etc/passwd", "/uuid is not a UUID" },
		{ BOOT, "now", "/boot_id is not a UUID" },
		{ "\"pid\":4711", "\"pid\":-1", "/pid" },
		{ "\"pid\":4711", "\"pid\":1.5", "/pid is not a whole number" },
		{ "\"pid\":4711", "\"pid\":18446744073709551616", "no valid JSON" },
		{ "\"control\":\"p2p\"", "\"control\":\"unknown\"", "/control" },
		{ "\"control\":\"p2p\"", "\"control\":1", "/control" },
		{ "\"persistent\":true", "\"persistent\":1", "/persistent is not true or false" },
		{ "\"interval_ms\":200", "\"interval_ms\":49", "/interval_ms" },
		{ "\"interval_ms\":200", "\"interval_ms\":60001", "/interval_ms" },
		{ "\"downtime_steps\":5", "\"downtime_steps\":0", "/policy/downtime_steps" },
		{ "\"downtime_limit_ms\":500", "\"downtime_limit_ms\":2000001",
		  "/policy/downtime_limit_ms" },
		{ "\"stall_action\":\"raise-downtime\"", "\"stall_action\":\"unknown\"",
		  "/policy/stall_action" },
		{ "\"deadline_action\":\"abort\"", "\"deadline_action\":\"continue\"",
		  "/policy/deadline_action" },
		{ "\"total_deadline_ms\":600000", "\"total_deadline_ms\":9223372036854775807",
		  "/policy/total_deadline_ms" },
		{ "\"policy\":{", "\"policy\":7,\"x\":{", "/policy/" },
		{ "\"pairs\":[", "\"pairs\":{},\"x\":[", "/pairs is not a list" },
		{ "\"pairs\":[{", "\"pairs\":[7,{", "/pairs/0/source is missing" },
		{ "0000:08:00.3", "0000:08:00.2", "/pairs has the source 0000:08:00.2 twice" },
		{ "0000:3b:01.3", "3B:00.2", "/pairs has the destination 0000:3b:00.2 twice" },
		{ "\"remedy\":", "\"remark\":", "/pairs/1/remedy is missing" },
		{ "mlx5lm.session-journal", "mlx5lm.journal", "/schema is not" },
		{ "{\"schema\"", "[{\"schema\"", "no valid JSON" },
		{ "\"pid\":4711", "\"pid\":4711,\"pid\":4711", "no valid JSON" },
		{ "\"pid\"", "\"x\":[[[[[[[[]]]]]]]],\"pid\"", "nested deeper than 8" },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(changes); i++) {
		write_record();
		change(changes[i][0], changes[i][1]);
		expect_refusal(changes[i][2]);
	}
}

Test(session_record, a_newer_one_is_refused_with_the_way_out)
{
	write_record();
	change("\"schema_version\":1", "\"schema_version\":2");
	expect_refusal("/schema_version is not the one that this library reads: 1");
	cr_expect_not_null(strstr(error->remedy, "the version of libmlx5lm that wrote it"));
}

Test(session_record, what_a_newer_library_adds_is_passed_over)
{
	write_record();
	change("\"pid\"", "\"colour\":{\"red\":[1,2]},\"pid\"");
	change("\"downtime_steps\"", "\"more\":null,\"downtime_steps\"");
	cr_assert_eq(parse(text.text, text.length), 0, "%s", error ? error->message : "");
	expect_same(&record, &back);
}

Test(session_record, addresses_are_written_in_one_way)
{
	write_record();
	change("0000:3b:00.2", "3B:00.2");
	cr_assert_eq(parse(text.text, text.length), 0);
	cr_expect_str_eq(back.pairs[0].destination, "0000:3b:00.2");
}

Test(session_record, bytes_that_are_not_text_are_refused)
{
	char zeros[64] = { 0 };

	cr_expect_eq(parse(zeros, sizeof(zeros)), -EBADMSG, "a file system lost the text");
	cr_expect_eq(parse("", 0), -EBADMSG);
	cr_expect_not_null(strstr(error->message, "is empty"));
	write_record();
	cr_assert_eq(parse(text.text, text.length + 1), -EBADMSG, "a NUL behind it");
}

/* The name is for people and for finding the file; what libvirt is asked for is the UUID. */
Test(session_record, whatever_a_domain_is_called_its_record_can_be_read)
{
	set(&record.domain, "a\tb\x1b[2J\xff");
	write_record();
	cr_assert_eq(parse(text.text, text.length), 0, "%s", error ? error->message : "");
	cr_expect_str_eq(back.domain, "a b [2J?");
}

Test(session_record, there_is_room_for_as_many_pairs_as_are_allowed)
{
	char remedy[513] = "";

	memset(remedy, 'x', sizeof(remedy) - 1);
	for (uint32_t i = 2; i < 4096; i++) {
		const struct bdf bdf = { .domain = 0x10000000 + i, .device = 31, .function = 7 };
		char address[BDF_TEXT_SIZE];
		struct mlx5lm_pair *pair;

		bdf_format(&bdf, address);
		pair = add_pair(address, address);
		pair->ready = false;
		set(&pair->remedy, remedy);
	}
	write_record();
	cr_assert_eq(parse(text.text, text.length), 0, "%s", error ? error->message : "");
	cr_expect_eq(back.num_pairs, 4096);
	cr_expect_gt(text.length, SESSION_RECORD_MAX_BYTES / 2, "it is not far from the limit");
	add_pair("ffffffff:ff:1f.7", "ffffffff:ff:1f.7");
	write_record();
	expect_refusal("/pairs has more than 4096 entries");
}

Test(session_record, one_without_bounds_is_not_read)
{
	char *large = malloc(SESSION_RECORD_MAX_BYTES + 1);

	cr_assert_not_null(large);
	memset(large, ' ', SESSION_RECORD_MAX_BYTES + 1);
	cr_expect_eq(parse(large, SESSION_RECORD_MAX_BYTES + 1), -EBADMSG);
	cr_expect_not_null(strstr(error->message, "longer than"));
	free(large);
}

Test(session_record, the_words_are_those_of_the_document)
{
	cr_expect_str_eq(name_of(&control_names, MLX5LM_CONTROL_DIRECT), "direct");
	cr_expect_str_eq(name_of(&action_names, MLX5LM_ACTION_FORCE_SWITCHOVER),
			 "force-switchover");
	cr_expect_str_eq(name_of(&action_names, 99), "unknown");
}

Test(session_record, where_memory_ends_nothing_half_is_handed_out)
{
	size_t tries;

	write_record();
	for (tries = 0;; tries++) {
		int r;

		little_memory_allow(tries);
		r = parse(text.text, text.length);
		little_memory_end();
		if (!little_memory_failed())
			break;
		cr_assert_eq(r, -ENOMEM, "%zu", tries);
		cr_assert_eq(error->code, MLX5LM_ERROR_NO_MEMORY);
		cr_assert_null(back.domain);
	}
	cr_expect_gt(tries, 6, "texts, pairs, a remedy, the order of the pairs");
	expect_same(&record, &back);
	json_set_alloc_funcs(little_memory_malloc, free);
	for (tries = 0;; tries++) {
		char *line;

		little_memory_allow(tries);
		line = session_record_text(&record);
		little_memory_end();
		if (!little_memory_failed()) {
			cr_expect_str_eq(line, text.text);
			free(line);
			break;
		}
		cr_assert_null(line);
	}
	cr_expect_gt(tries, 50);
}
