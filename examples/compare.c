// SPDX-License-Identifier: MIT-0
/* Can VFs move: from one host to another, for one VM, among all hosts of a fleet? */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "compare.h"

static const char usage[] =
	"Usage: mlx5lm-compare [OPTION]... SOURCE.json DESTINATION.json\n"
	"       mlx5lm-compare [OPTION]... FILE FILE FILE... | -\n"
	"Compares hosts by the snapshots that mlx5lm-probe --json wrote on them: two, or\n"
	"as a fleet more than two. \"-\" is standard input; a file can hold any number of\n"
	"snapshots, one behind the other.\n\n"
	"  --json                print the result as JSON\n"
	"  --fleet               look at two hosts, or one file, as a fleet, too\n"
	"  --help, --version\n\n"
	"For a VM on SOURCE; the XML for the destination goes to standard output then,\n"
	"what people read to standard error:\n"
	"  --domain FILE         its live XML (virsh dumpxml --migratable)\n"
	"  --domain NAME --connect URI\n"
	"                        the same, read from this libvirt daemon\n"
	"  --to URI              ask this libvirt daemon, of DESTINATION, about the CPU\n"
	"  --migrate-flags N     the virDomainMigrateFlags that are going to be used\n\n"
	"Which VF of DESTINATION to take:\n"
	"  --vf SOURCE=DEST      this one for a VF of SOURCE\n"
	"  --exclude BDF         not this one\n"
	"  --pf BDF              only those of this PF\n"
	"  --numa POLICY         prefer (default), require or ignore the NUMA node that\n"
	"                        the VF of SOURCE is on\n"
	"  --makeable            also those that have to be made ready first\n\n"
	"For a fleet:\n"
	"  --evacuate HOST       plan where the VMs of HOST go, in waves\n"
	"  --exclude-host HOST   not to this one\n"
	"  --max-vfs-per-pf N    VFs of one PF that migrate at a time (default 4, 0 for\n"
	"                        no limit)\n"
	"  --bandwidth MIB       of the network, in MiB/s\n"
	"  --state-size BYTES    of a VF, to be sent while its guest stands still\n"
	"  --downtime MS         no guest may stand still for longer\n\n"
	"Exit status: 0 compatible, all hosts in one class, or nobody stays; 1 not so;\n"
	"2 unknown; 3 usage.\n";

enum {
	OPTION_EXCLUDE_HOST = 256,
	OPTION_MAX_VFS,
	OPTION_BANDWIDTH,
	OPTION_STATE_SIZE,
	OPTION_DOWNTIME,
};

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },
	{ "fleet", no_argument, NULL, 'F' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ "domain", required_argument, NULL, 'd' },
	{ "connect", required_argument, NULL, 'c' },
	{ "to", required_argument, NULL, 't' },
	{ "migrate-flags", required_argument, NULL, 'f' },
	{ "vf", required_argument, NULL, 'v' },
	{ "exclude", required_argument, NULL, 'x' },
	{ "pf", required_argument, NULL, 'p' },
	{ "numa", required_argument, NULL, 'n' },
	{ "makeable", no_argument, NULL, 'm' },
	{ "evacuate", required_argument, NULL, 'e' },
	{ "exclude-host", required_argument, NULL, OPTION_EXCLUDE_HOST },
	{ "max-vfs-per-pf", required_argument, NULL, OPTION_MAX_VFS },
	{ "bandwidth", required_argument, NULL, OPTION_BANDWIDTH },
	{ "state-size", required_argument, NULL, OPTION_STATE_SIZE },
	{ "downtime", required_argument, NULL, OPTION_DOWNTIME },
	{ NULL, 0, NULL, 0 },
};

/* Of the options that only make sense with something else, the name of one that was given. */
struct used {
	const char *for_two;
	const char *for_domain;
	const char *for_evacuation;
	int fleet; /* asked for, whatever the number of files */
};

static _Noreturn void refuse(const char *option, const char *why)
{
	fprintf(stderr, "error: --%s: %s\n", option, why);
	exit(EXIT_USAGE);
}

static enum mlx5lm_numa_policy parse_numa(const char *word)
{
	if (strcmp(word, "prefer") == 0)
		return MLX5LM_NUMA_POLICY_PREFER;
	if (strcmp(word, "require") == 0)
		return MLX5LM_NUMA_POLICY_REQUIRE;
	if (strcmp(word, "ignore") == 0)
		return MLX5LM_NUMA_POLICY_IGNORE;
	return MLX5LM_NUMA_POLICY_UNKNOWN;
}

/* Options of a comparison of two; negative if the library does not like the value. */
static int set_for_two(struct mlx5lm_compare_options *options, int option, char *value)
{
	const char *destination;

	switch (option) {
	case 'v':
		destination = split_at_equals(value);
		return mlx5lm_compare_options_set_vf(options, value, destination);
	case 'x':
		return mlx5lm_compare_options_exclude_vf(options, value);
	case 'p':
		return mlx5lm_compare_options_set_destination_pf(options, value);
	case 'n':
		return mlx5lm_compare_options_set_numa_policy(options, parse_numa(value));
	case 'm':
		return mlx5lm_compare_options_set_makeable(options, 1);
	default:
		return -EINVAL;
	}
}

/* Of one for a domain, likewise. */
static int set_for_domain(struct job *job, int option, char *value)
{
	switch (option) {
	case 'c':
		job->connect = value;
		return 0;
	case 't':
		job->to = value;
		return 0;
	default:
		return mlx5lm_compare_options_set_migrate_flags(job->options,
								parse_number(value, ULONG_MAX));
	}
}

/* Of an evacuation, likewise. */
static int set_for_evacuation(struct mlx5lm_evacuation_options *bounds, int option,
			      const char *value)
{
	static const struct {
		int option;
		enum mlx5lm_evacuation_option key;
	} keys[] = {
		{ OPTION_MAX_VFS, MLX5LM_EVACUATION_OPTION_MAX_VFS_PER_PF },
		{ OPTION_BANDWIDTH, MLX5LM_EVACUATION_OPTION_BANDWIDTH_MIB_PER_S },
		{ OPTION_STATE_SIZE, MLX5LM_EVACUATION_OPTION_STATE_BYTES_PER_VF },
		{ OPTION_DOWNTIME, MLX5LM_EVACUATION_OPTION_DOWNTIME_LIMIT_MS },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (keys[i].option == option)
			return mlx5lm_evacuation_options_set_u64(bounds, keys[i].key,
								 parse_number(value, ULONG_MAX));
	}
	return mlx5lm_evacuation_options_exclude_host(bounds, value);
}

/* Takes one option and notes what it is for; negative likewise. */
static int set_option(struct job *job, struct used *used, int option, const char *name)
{
	switch (option) {
	case 'j':
		job->json = 1;
		return 0;
	case 'F':
		used->fleet = 1;
		return 0;
	case 'd':
		used->for_two = name;
		job->domain = optarg;
		return 0;
	case 'e':
		used->fleet = 1;
		job->evacuate = optarg;
		return 0;
	case 'c':
	case 't':
	case 'f':
		used->for_domain = name;
		return set_for_domain(job, option, optarg);
	case OPTION_EXCLUDE_HOST:
	case OPTION_MAX_VFS:
	case OPTION_BANDWIDTH:
	case OPTION_STATE_SIZE:
	case OPTION_DOWNTIME:
		used->for_evacuation = name;
		return set_for_evacuation(job->bounds, option, optarg);
	default:
		used->for_two = name;
		return set_for_two(job->options, option, optarg);
	}
}

/* Many hosts or two? What does not fit is refused. */
static int is_fleet(const struct job *job, const struct used *used)
{
	int fleet = used->fleet || job->num_files > 2;

	for (int i = 0; i < job->num_files; i++)
		fleet = fleet || strcmp(job->files[i], "-") == 0;
	if (used->for_domain && !job->domain)
		refuse(used->for_domain, "needs --domain");
	if (used->for_evacuation && !job->evacuate)
		refuse(used->for_evacuation, "needs --evacuate");
	if (fleet && used->for_two)
		refuse(used->for_two, "is for two hosts");
	return fleet;
}

/* Negative to go on, else the exit status. */
static int parse(int argc, char **argv, struct job *job, struct used *used)
{
	int option, index;

	while ((option = getopt_long(argc, argv, "", long_options, &index)) != -1) {
		switch (option) {
		case 'h':
			fputs(usage, stdout);
			return EXIT_READY;
		case 'V':
			printf("mlx5lm-compare %s\n", mlx5lm_version_str());
			return EXIT_READY;
		case '?':
			fputs(usage, stderr);
			return EXIT_USAGE;
		default:
			if (set_option(job, used, option, long_options[index].name) < 0)
				refuse(long_options[index].name, "this value is not usable");
		}
	}
	job->files = argv + optind;
	job->num_files = argc - optind;
	return -1;
}

static int run(const struct job *job, const struct used *used)
{
	int fleet = is_fleet(job, used);

	if (fleet && job->num_files > 0)
		return compare_many(job);
	if (!fleet && job->num_files == 2)
		return compare_two(job);
	fputs(usage, stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct used used = { 0 };
	struct job job = { 0 };
	int status = EXIT_NOT_READY;

	if (mlx5lm_compare_options_new(&job.options) == 0 &&
	    mlx5lm_evacuation_options_new(&job.bounds) == 0) {
		status = parse(argc, argv, &job, &used);
		if (status < 0)
			status = run(&job, &used);
	}
	mlx5lm_compare_options_free(job.options);
	mlx5lm_evacuation_options_free(job.bounds);
	return status;
}
