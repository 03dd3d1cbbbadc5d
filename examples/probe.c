// SPDX-License-Identifier: MIT-0
/* Is this host ready for VF live migration, and if not, what mends it? */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "report.h"

static const char usage[] =
	"Usage: mlx5lm-probe [OPTION]...\n"
	"Tells whether this host is ready for the live migration of mlx5 VFs.\n\n"
	"  --json             print the host snapshot as JSON, for mlx5lm-compare and\n"
	"                     -migrate\n"
	"  --findings         print the findings as JSON\n"
	"  --all              print what is as required, too, and each VF by itself\n"
	"  --explain          print the evidence under each finding\n"
	"  --scope BDF        look at this PF and its VFs, or at this VF, only; --pf is\n"
	"                     the same\n"
	"  --profile NAME     requirements to check against: one of --profiles, or a file\n"
	"                     NAME.json (default nvidia-doca)\n"
	"  --profiles         print the names of the profiles, and nothing else\n"
	"  --nv               run mstconfig or mlxconfig to read the NV configuration\n"
	"  --open-vfs         open idle VFs through VFIO, which resets them, if nothing\n"
	"                     else tells whether they can be migrated\n"
	"  --timeout SECONDS  how long it may take (default 30)\n"
	"  --root DIR         look at the host below DIR (a container's /host, a recorded\n"
	"                     tree)\n"
	"  --libvirt URI      ask this libvirt daemon (default qemu:///system; \"\" asks\n"
	"                     none)\n"
	"  --help, --version\n\n"
	"Exit status: 0 ready, 1 not ready, 2 unknown, 3 usage.\n";

static const struct option long_options[] = {
	{ "json", no_argument, NULL, 'j' },	     { "findings", no_argument, NULL, 'f' },
	{ "all", no_argument, NULL, 'a' },	     { "explain", no_argument, NULL, 'e' },
	{ "scope", required_argument, NULL, 's' },   { "pf", required_argument, NULL, 's' },
	{ "profile", required_argument, NULL, 'p' }, { "profiles", no_argument, NULL, 'P' },
	{ "nv", no_argument, NULL, 'n' },	     { "open-vfs", no_argument, NULL, 'o' },
	{ "timeout", required_argument, NULL, 't' }, { "root", required_argument, NULL, 'r' },
	{ "libvirt", required_argument, NULL, 'l' }, { "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'v' },	     { NULL, 0, NULL, 0 },
};

/* What the command line asks for. */
struct job {
	struct mlx5lm_probe_options *options;
	struct report_options report;
	const char *root;
	const char *scope;
	const char *profile;
	int form; /* 'j', 'f', or text */
};

static int print_profiles(void)
{
	const char *name;

	for (size_t i = 0; (name = mlx5lm_profile_known_name(i)); i++)
		printf("%s\n", name);
	return EXIT_READY;
}

/* An option that is about the probe itself. 0 or negative, as the library has it. */
static int set_option(struct mlx5lm_probe_options *options, int option, const char *value)
{
	switch (option) {
	case 'n':
		return mlx5lm_probe_options_set_nv_tools(options, 1);
	case 'o':
		return mlx5lm_probe_options_set_open_vfs(options, 1);
	case 't':
		return mlx5lm_probe_options_set_timeout_ms(
			options, (uint32_t)parse_number(value, 1000000) * 1000);
	case 'l':
		return mlx5lm_probe_options_set_libvirt_uri(options, *value ? value : NULL);
	default:
		return -1;
	}
}

/* Negative to go on, else the exit status. */
static int parse(int argc, char **argv, struct job *job)
{
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		switch (option) {
		case 'j':
		case 'f':
			job->form = option;
			break;
		case 'a':
			job->report.all = 1;
			break;
		case 'e':
			job->report.explain = 1;
			break;
		case 's':
			job->scope = optarg;
			break;
		case 'p':
			job->profile = optarg;
			break;
		case 'r':
			job->root = optarg;
			break;
		case 'P':
			return print_profiles();
		case 'h':
			fputs(usage, stdout);
			return EXIT_READY;
		case 'v':
			printf("mlx5lm-probe %s\n", mlx5lm_version_str());
			return EXIT_READY;
		case '?':
			fputs(usage, stderr);
			return EXIT_USAGE;
		default:
			if (set_option(job->options, option, optarg) < 0) {
				fprintf(stderr, "error: %s: not usable\n", optarg);
				return EXIT_USAGE;
			}
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return -1;
}

/* The requirements by their name, or from a file whose name ends in .json. */
static struct mlx5lm_profile *new_profile(const char *name)
{
	static char json[64 << 10];
	const char *end = name ? strrchr(name, '.') : NULL;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_profile *profile;
	int r;

	if (end && strcmp(end, ".json") == 0)
		r = mlx5lm_profile_parse(json, read_file(name, json, sizeof(json)), &profile,
					 &error);
	else
		r = mlx5lm_profile_new_from_name(name, &profile, &error);
	if (r < 0)
		die(error);
	return profile;
}

static struct mlx5lm_host *probe(const struct job *job)
{
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_ctx *ctx = new_ctx();
	struct mlx5lm_host *host;

	if ((job->root && mlx5lm_ctx_set_root(ctx, job->root, &error) < 0) ||
	    mlx5lm_host_probe(ctx, job->options, &host, &error) < 0)
		die(error);
	mlx5lm_ctx_unref(ctx);
	return host;
}

static int check(const struct job *job, const struct mlx5lm_host *host,
		 const struct mlx5lm_profile *profile)
{
	struct mlx5lm_findings *findings;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_text *text = NULL;
	enum mlx5lm_status status;

	if (mlx5lm_check(host, profile, job->scope, &findings, &error) < 0)
		die(error);
	if (job->form == 'j') {
		mlx5lm_host_serialize(host, &text);
		print_text(text);
	} else if (job->form == 'f') {
		mlx5lm_findings_serialize(findings, &text);
		print_text(text);
	} else {
		report_print(host, findings, mlx5lm_profile_get_name(profile), &job->report);
	}
	status = mlx5lm_findings_get_status(findings);
	mlx5lm_findings_free(findings);
	if (status == MLX5LM_STATUS_FAIL)
		return EXIT_NOT_READY;
	return status == MLX5LM_STATUS_UNKNOWN ? EXIT_UNKNOWN : EXIT_READY;
}

int main(int argc, char **argv)
{
	struct job job = { 0 };
	struct mlx5lm_profile *profile;
	struct mlx5lm_host *host;
	int status;

	if (mlx5lm_probe_options_new(&job.options) < 0)
		return EXIT_NOT_READY;
	status = parse(argc, argv, &job);
	if (status < 0) {
		profile = new_profile(job.profile);
		host = probe(&job);
		status = check(&job, host, profile);
		mlx5lm_host_free(host);
		mlx5lm_profile_free(profile);
	}
	mlx5lm_probe_options_free(job.options);
	return status;
}
