// SPDX-License-Identifier: MIT-0
/* From the command line of mlx5lm-migrate to a job: most options are keys of a session. */
#include "job.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common.h"

#define JOURNAL_DIR "/var/lib/mlx5lm"

static const char usage[] =
	"Usage: mlx5lm-migrate VM ssh://[USER@]HOST[:PORT] [OPTION]...\n"
	"       mlx5lm-migrate VM --to URI [--destination FILE] [OPTION]...\n"
	"       mlx5lm-migrate --attach VM [ssh://...] [OPTION]...\n"
	"Moves a running libvirt domain that owns mlx5 VFs live to another host.\n\n"
	"Which:\n"
	"  VM, --domain VM         name or UUID of the domain\n"
	"  ssh://...               the destination: mlx5lm-agent there says what it is\n"
	"                          like, makes the VFs ready, or takes that back\n"
	"  --to URI                libvirt of the destination (default with ssh://:\n"
	"                          qemu+ssh://[USER@]HOST[:PORT]/system)\n"
	"  --destination FILE      without ssh://: snapshot of the destination, which\n"
	"                          mlx5lm-probe --json gives; not if the domain has no VF\n"
	"  --from URI              libvirt of the source (default qemu:///system)\n"
	"  --source FILE           snapshot of the source (default: probe this host)\n"
	"  --vf SOURCE=DEST        which VF there takes over which here (default: paired)\n"
	"  --attach                take over the migration of a program that has died\n\n"
	"Ways:\n"
	"  --direct                this program drives it, not the daemon at the source\n"
	"  --peer-uri URI          --to as seen from the daemon at the source\n"
	"  --data-uri URI          where QEMU sends the data, such as tcp://10.0.0.2\n"
	"  --tls                   encrypt the data\n"
	"  --tls-name NAME         name in the destination's certificate\n"
	"  --parallel N            connections for the data; 0: one for all\n"
	"  --bandwidth MIB         limit in MiB/s\n"
	"  --no-define             leave persistent definitions alone\n"
	"  --agent COMMAND         how to start the agent there (default mlx5lm-agent)\n\n"
	"Downtime:\n"
	"  --downtime MS           limit to begin with\n"
	"  --downtime-ceiling MS   up to where it may be raised\n"
	"  --downtime-steps N      in so many steps (default 5)\n"
	"  --switchover-bandwidth MIB  what QEMU reckons with for the last part, in MiB/s\n"
	"  --vf-state MIB          size of the state of one VF, for the forecast\n"
	"  --link MIB              what the network carries in MiB/s, for the forecast\n\n"
	"If it does not converge:\n"
	"  --stall raise|force|abort|continue  what to do at each stall\n"
	"  --stall-iterations N    a stall: so many passes without progress (default 3)\n"
	"  --stall-deadline S      time without progress until --on-deadline\n"
	"  --on-deadline abort|force  what to do when that or --deadline passes\n\n"
	"Deadlines, in seconds:\n"
	"  --deadline S            for all of it\n"
	"  --connect-deadline S    for both daemons (default 30)\n"
	"  --setup-deadline S      until QEMU copies\n"
	"  --answer-deadline S     until a daemon that does not answer is given up\n\n"
	"Output:\n"
	"  --json                  one line of JSON for each event\n"
	"  --interval MS           between two samples (default 200)\n"
	"  --report FILE           write to FILE, as JSON, what was done and how it ended\n"
	"  --journal DIR           for --attach (default with ssh:// and --attach:\n"
	"                          " JOURNAL_DIR "; \"\" for none)\n"
	"  --help, --version\n\n"
	"Ctrl-C cancels and leaves the domain where it is; Ctrl-\\ leaves at once.\n"
	"Exit status: 0 done, 1 failed or cancelled, 2 unknown, 3 usage.\n";

/* Options that are keys of a session. */
static const struct setting {
	const char *name;
	enum mlx5lm_session_key key;
	unsigned long max; /* 0: it is a text; 1: it has no value */
	unsigned long unit;
} settings[] = {
	{ "peer-uri", MLX5LM_SESSION_PEER_URI, 0, 0 },
	{ "data-uri", MLX5LM_SESSION_DATA_URI, 0, 0 },
	{ "tls-name", MLX5LM_SESSION_TLS_DESTINATION, 0, 0 },
	{ "tls", MLX5LM_SESSION_TLS, 1, 1 },
	{ "no-define", MLX5LM_SESSION_PERSISTENT, 1, 0 },
	{ "parallel", MLX5LM_SESSION_CHANNELS, 255, 1 },
	{ "bandwidth", MLX5LM_SESSION_BANDWIDTH_MIB_PER_S, UINT32_MAX, 1 },
	{ "switchover-bandwidth", MLX5LM_SESSION_SWITCHOVER_BANDWIDTH_MIB_PER_S, UINT32_MAX, 1 },
	{ "link", MLX5LM_SESSION_LINK_MIB_PER_S, UINT32_MAX, 1 },
	{ "vf-state", MLX5LM_SESSION_VF_STATE_BYTES, UINT32_MAX, 1 << 20 },
	{ "interval", MLX5LM_SESSION_INTERVAL_MS, UINT32_MAX, 1 },
	{ "downtime", MLX5LM_SESSION_DOWNTIME_LIMIT_MS, UINT32_MAX, 1 },
	{ "downtime-ceiling", MLX5LM_SESSION_DOWNTIME_CEILING_MS, UINT32_MAX, 1 },
	{ "downtime-steps", MLX5LM_SESSION_DOWNTIME_STEPS, UINT32_MAX, 1 },
	{ "stall-iterations", MLX5LM_SESSION_STALL_ITERATIONS, UINT32_MAX, 1 },
	{ "stall-deadline", MLX5LM_SESSION_STALL_DEADLINE_MS, 1000000, 1000 },
	{ "connect-deadline", MLX5LM_SESSION_CONNECT_DEADLINE_MS, 1000000, 1000 },
	{ "setup-deadline", MLX5LM_SESSION_SETUP_DEADLINE_MS, 1000000, 1000 },
	{ "deadline", MLX5LM_SESSION_TOTAL_DEADLINE_MS, 1000000, 1000 },
	{ "answer-deadline", MLX5LM_SESSION_ANSWER_DEADLINE_MS, 1000000, 1000 },
};

#define NUM_SETTINGS (sizeof(settings) / sizeof(*settings))
#define FIRST_SETTING 256

static const struct option other_options[] = {
	{ "domain", required_argument, NULL, 'd' },	 { "to", required_argument, NULL, 't' },
	{ "destination", required_argument, NULL, 'D' }, { "from", required_argument, NULL, 'f' },
	{ "source", required_argument, NULL, 'S' },	 { "vf", required_argument, NULL, 'v' },
	{ "attach", no_argument, NULL, 'a' },		 { "direct", no_argument, NULL, 'x' },
	{ "stall", required_argument, NULL, 's' },	 { "on-deadline", required_argument, NULL, 'o' },
	{ "json", no_argument, NULL, 'j' },		 { "report", required_argument, NULL, 'r' },
	{ "journal", required_argument, NULL, 'J' },	 { "agent", required_argument, NULL, 'A' },
	{ "help", no_argument, NULL, 'h' },		 { "version", no_argument, NULL, 'V' },
};

#define NUM_OTHERS (sizeof(other_options) / sizeof(*other_options))

static _Noreturn void refuse(const char *what, const char *why)
{
	fprintf(stderr, "error: %s: %s\nSee mlx5lm-migrate --help.\n", what, why);
	exit(EXIT_USAGE);
}

static enum mlx5lm_action parse_action(const char *word)
{
	static const struct {
		const char *word;
		enum mlx5lm_action action;
	} actions[] = {
		{ "raise", MLX5LM_ACTION_RAISE_DOWNTIME },
		{ "force", MLX5LM_ACTION_FORCE_SWITCHOVER },
		{ "abort", MLX5LM_ACTION_ABORT },
		{ "continue", MLX5LM_ACTION_CONTINUE },
	};

	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (strcmp(actions[i].word, word) == 0)
			return actions[i].action;
	}
	refuse(word, "expected raise, force, abort or continue");
}

static void set_u64(struct job *job, enum mlx5lm_session_key key, uint64_t value,
		    const char *argument)
{
	if (mlx5lm_session_options_set_u64(job->options, key, value) < 0)
		refuse(argument, "not usable for this option");
}

static void set_str(struct job *job, enum mlx5lm_session_key key, const char *value)
{
	if (value && mlx5lm_session_options_set_str(job->options, key, value) < 0)
		refuse(value, "not usable");
}

static void set_vf(struct job *job, char *argument)
{
	const char *destination = split_at_equals(argument);

	if (mlx5lm_session_options_set_vf(job->options, argument, destination) < 0)
		refuse(argument, "not usable, or named twice");
}

static void apply_setting(struct job *job, const struct setting *setting, const char *argument)
{
	if (setting->max == 0)
		set_str(job, setting->key, argument);
	else if (setting->max == 1)
		set_u64(job, setting->key, setting->unit, setting->name);
	else
		set_u64(job, setting->key,
			(uint64_t)parse_number(argument, setting->max) * setting->unit, argument);
}

static void apply_option(struct job *job, int option, char *argument)
{
	switch (option) {
	case 'd':
		job->domain = argument;
		break;
	case 't':
		job->to = argument;
		break;
	case 'D':
		job->destination_file = argument;
		break;
	case 'f':
		job->from = argument;
		break;
	case 'S':
		job->source_file = argument;
		break;
	case 'v':
		set_vf(job, argument);
		break;
	case 'a':
		job->attach = true;
		break;
	case 'x':
		job->direct = true;
		set_u64(job, MLX5LM_SESSION_CONTROL, MLX5LM_CONTROL_DIRECT, "--direct");
		break;
	case 's':
		set_u64(job, MLX5LM_SESSION_STALL_ACTION, parse_action(argument), argument);
		break;
	case 'o':
		set_u64(job, MLX5LM_SESSION_DEADLINE_ACTION, parse_action(argument), argument);
		break;
	case 'j':
		job->view.json = true;
		break;
	case 'r':
		job->report = argument;
		break;
	case 'J':
		job->journal = argument;
		break;
	case 'A':
		job->agent = argument;
		break;
	}
}

static void parse_words(struct job *job, char **words, int length)
{
	for (int i = 0; i < length; i++) {
		if (!strstr(words[i], "://") && !job->domain) {
			job->domain = words[i];
			continue;
		}
		if (job->target_uri || target_parse(words[i], &job->target) < 0)
			refuse(words[i], "expected one VM and one ssh://[USER@]HOST[:PORT]");
		job->target_uri = words[i];
	}
}

/* The directory is this program's to make, unless somebody named one. */
static void choose_journal(struct job *job)
{
	if (job->journal && !*job->journal) {
		job->journal = NULL;
	} else if (!job->journal && (job->target_uri || job->attach)) {
		if (mkdir(JOURNAL_DIR, 0700) == 0 || access(JOURNAL_DIR, W_OK) == 0)
			job->journal = JOURNAL_DIR;
		else
			fprintf(stderr, "warning: %s: %s: without --journal there is no --attach\n",
				JOURNAL_DIR, strerror(errno));
	}
}

static void check(struct job *job)
{
	if (!job->domain)
		refuse("VM", "the domain is needed");
	if (job->attach && !job->journal)
		refuse("--attach", "needs --journal");
	if (!job->attach && !job->target_uri && !job->to)
		refuse(job->domain, "the destination is needed: ssh://HOST, or --to URI");
	if (job->target_uri && job->destination_file)
		refuse("--destination", "goes without ssh://");
}

/* What is known only when all options are. */
static void finish(struct job *job)
{
	char *uri = NULL;

	if (!job->to && job->target_uri) {
		uri = target_libvirt_uri(&job->target);
		if (!uri)
			refuse("ssh://", "out of memory");
	}
	set_str(job, MLX5LM_SESSION_DOMAIN, job->domain);
	set_str(job, MLX5LM_SESSION_SOURCE_URI, job->from);
	set_str(job, MLX5LM_SESSION_DESTINATION_URI, uri ? uri : job->to);
	set_str(job, MLX5LM_SESSION_JOURNAL_DIR, job->journal);
	if (job->target_uri)
		set_u64(job, MLX5LM_SESSION_MAKEABLE, 1, "ssh://");
	free(uri);
}

static void list_options(struct option *options)
{
	memcpy(options, other_options, sizeof(other_options));
	for (size_t i = 0; i < NUM_SETTINGS; i++)
		options[NUM_OTHERS + i] = (struct option){
			settings[i].name,
			settings[i].max == 1 ? no_argument : required_argument,
			NULL,
			FIRST_SETTING + (int)i,
		};
	options[NUM_OTHERS + NUM_SETTINGS] = (struct option){ 0 };
}

int job_parse(struct job *job, int argc, char **argv)
{
	struct option options[NUM_OTHERS + NUM_SETTINGS + 1];
	int option;

	list_options(options);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(usage, stdout);
			return EXIT_READY;
		} else if (option == 'V') {
			printf("mlx5lm-migrate %s\n", mlx5lm_version_str());
			return EXIT_READY;
		} else if (option == '?') {
			fputs("See mlx5lm-migrate --help.\n", stderr);
			return EXIT_USAGE;
		} else if (option >= FIRST_SETTING) {
			apply_setting(job, &settings[option - FIRST_SETTING], optarg);
		} else {
			apply_option(job, option, optarg);
		}
	}
	parse_words(job, argv + optind, argc - optind);
	choose_journal(job);
	check(job);
	finish(job);
	return -1;
}

void job_release(struct job *job)
{
	mlx5lm_session_options_free(job->options);
	target_release(&job->target);
}
