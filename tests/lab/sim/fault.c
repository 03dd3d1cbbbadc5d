// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults on request: /sys/module/mlx5sim/parameters/fault. README.md has the grammar.
 *
 *     fail op=SAVE_VHCA_STATE nth=2 status=0x5
 *     fail op=change nth=30
 *     hang op=LOAD_VHCA_STATE fn=1 ms=20000
 *     release, clear
 *
 * A hung command always has a deadline, after which it is executed: a driver that waits for ever
 * could not be unloaded.
 */
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include "sim.h"

#define ANY		(-1)
#define CHANGE		(-2)	/* op: any that changes something */
#define MAX_RULES	32
#define DEFAULT_HANG_MS	30000
#define MAX_HANG_MS	600000

struct rule {
	struct list_head list;
	struct sim_fault fault;
	int op;			/* or ANY, CHANGE */
	int fn, card;		/* or ANY */
	u32 nth;		/* the first one to be hit, counted from 1 */
	u32 count;		/* how many are hit; 0: all from then on */
	u32 seen, hit;
};

static LIST_HEAD(rules);
static unsigned int num_rules;
static DEFINE_MUTEX(rules_lock);
static bool closed;
static u32 release_count;

u32 sim_fault_release_count(void)
{
	return READ_ONCE(release_count);
}

static bool matches_op(const struct rule *rule, u16 op)
{
	if (rule->op == CHANGE)
		return sim_cmd_changes(op);
	return rule->op == ANY || rule->op == op;
}

static bool matches(struct rule *rule, int card, unsigned int fn, u16 op)
{
	if (!matches_op(rule, op) || (rule->fn != ANY && rule->fn != fn) ||
	    (rule->card != ANY && rule->card != card))
		return false;
	rule->seen++;
	return rule->seen >= rule->nth && (!rule->count || rule->hit < rule->count);
}

/* Called once for each command, when it is taken from the queue. The first hit decides. */
struct sim_fault sim_fault_check(int card, unsigned int fn, u16 op)
{
	struct sim_fault fault = { .kind = SIM_FAULT_NONE };
	struct rule *rule;

	mutex_lock(&rules_lock);
	list_for_each_entry(rule, &rules, list) {
		if (!matches(rule, card, fn, op) || fault.kind != SIM_FAULT_NONE)
			continue;
		rule->hit++;
		fault = rule->fault;
		fault.release_count = release_count;
	}
	mutex_unlock(&rules_lock);
	return fault;
}

static void release(void)
{
	WRITE_ONCE(release_count, release_count + 1);
}

static void remove_rules(bool only_hangs)
{
	struct rule *rule, *next;

	list_for_each_entry_safe(rule, next, &rules, list) {
		if (only_hangs && rule->fault.kind != SIM_FAULT_HANG)
			continue;
		list_del(&rule->list);
		num_rules--;
		kfree(rule);
	}
}

/* For good: the parameter can still be written while the module is being unloaded. */
void sim_fault_close(void)
{
	mutex_lock(&rules_lock);
	closed = true;
	remove_rules(false);
	release();
	mutex_unlock(&rules_lock);
}

static int set_op(struct rule *rule, const char *value)
{
	u16 number = 0;
	int err;

	if (!strcmp(value, "any")) {
		rule->op = ANY;
		return 0;
	}
	if (!strcmp(value, "change")) {
		rule->op = CHANGE;
		return 0;
	}
	rule->op = sim_cmd_opcode(value);
	if (rule->op >= 0)
		return 0;
	err = kstrtou16(value, 0, &number);
	rule->op = number;
	return err;
}

static int set_key(struct rule *rule, const char *key, const char *value)
{
	if (!strcmp(key, "op"))
		return set_op(rule, value);
	if (!strcmp(key, "nth"))
		return kstrtou32(value, 0, &rule->nth);
	if (!strcmp(key, "count"))
		return kstrtou32(value, 0, &rule->count);
	if (!strcmp(key, "fn"))
		return kstrtoint(value, 0, &rule->fn);
	if (!strcmp(key, "card"))
		return kstrtoint(value, 0, &rule->card);
	if (!strcmp(key, "status") && rule->fault.kind == SIM_FAULT_FAIL)
		return kstrtou8(value, 0, &rule->fault.status);
	if (!strcmp(key, "syndrome") && rule->fault.kind == SIM_FAULT_FAIL)
		return kstrtou32(value, 0, &rule->fault.syndrome);
	if (!strcmp(key, "ms") && rule->fault.kind == SIM_FAULT_HANG)
		return kstrtou32(value, 0, &rule->fault.hang_ms);
	return -EINVAL;
}

static int parse_rule(struct rule *rule, char *text)
{
	char *word, *value;
	int err;

	while ((word = strsep(&text, " ,\t\n"))) {
		if (!*word)
			continue;
		value = strchr(word, '=');
		if (!value)
			return -EINVAL;
		*value++ = 0;
		err = set_key(rule, word, value);
		if (err)
			return err;
	}
	if (!rule->op || !rule->nth)
		return -EINVAL;
	if (rule->fault.kind == SIM_FAULT_FAIL && !rule->fault.status)
		return -EINVAL;
	if (rule->fault.hang_ms > MAX_HANG_MS)
		return -ERANGE;
	return 0;
}

static int add_rule(char *kind, char *text)
{
	struct rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	int err = -EINVAL;

	if (!rule)
		return -ENOMEM;
	rule->fn = ANY;
	rule->card = ANY;
	rule->nth = 1;
	rule->count = 1;
	if (!strcmp(kind, "fail")) {
		rule->fault = (struct sim_fault) {
			.kind = SIM_FAULT_FAIL,
			.status = MLX5_CMD_STAT_INT_ERR,
			.syndrome = 0x51afa171,
		};
		err = parse_rule(rule, text);
	} else if (!strcmp(kind, "hang")) {
		rule->fault = (struct sim_fault) {
			.kind = SIM_FAULT_HANG, .hang_ms = DEFAULT_HANG_MS,
		};
		err = parse_rule(rule, text);
	}
	if (!err && num_rules == MAX_RULES)
		err = -ENOSPC;
	if (err) {
		kfree(rule);
		return err;
	}
	list_add_tail(&rule->list, &rules);
	num_rules++;
	return 0;
}

static int fault_set(const char *val, const struct kernel_param *kp)
{
	char *copy = kstrdup(val, GFP_KERNEL), *text, *kind;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	text = strim(copy);
	kind = strsep(&text, " ,\t");
	mutex_lock(&rules_lock);
	if (closed) {
		err = -ENODEV;
	} else if (!strcmp(kind, "clear") || !strcmp(kind, "release")) {
		remove_rules(!strcmp(kind, "release"));
		release();
	} else {
		err = add_rule(kind, text);
	}
	mutex_unlock(&rules_lock);
	kfree(copy);
	return err;
}

static int fault_get(char *buf, const struct kernel_param *kp)
{
	struct rule *rule;
	int len = 0;

	mutex_lock(&rules_lock);
	list_for_each_entry(rule, &rules, list) {
		bool hang = rule->fault.kind == SIM_FAULT_HANG;

		len += sysfs_emit_at(buf, len, "%s op=", hang ? "hang" : "fail");
		if (rule->op < 0)
			len += sysfs_emit_at(buf, len, rule->op == ANY ? "any" : "change");
		else
			len += sysfs_emit_at(buf, len, "%#x", rule->op);
		len += sysfs_emit_at(buf, len, " nth=%u count=%u", rule->nth, rule->count);
		if (rule->fn != ANY)
			len += sysfs_emit_at(buf, len, " fn=%d", rule->fn);
		if (rule->card != ANY)
			len += sysfs_emit_at(buf, len, " card=%d", rule->card);
		if (hang)
			len += sysfs_emit_at(buf, len, " ms=%u", rule->fault.hang_ms);
		else
			len += sysfs_emit_at(buf, len, " status=%#x syndrome=%#x",
					     rule->fault.status, rule->fault.syndrome);
		len += sysfs_emit_at(buf, len, " seen=%u hit=%u\n", rule->seen, rule->hit);
	}
	mutex_unlock(&rules_lock);
	return len;
}

const struct kernel_param_ops sim_fault_ops = { .set = fault_set, .get = fault_get };
