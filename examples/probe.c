// SPDX-License-Identifier: MIT-0
/* Is this host ready for VF live migration, and if not, what mends it? */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common.h"

static const char usage[] =
	"Usage: mlx5lm-probe [OPTION]...\n"
	"Tells whether this host is ready for the live migration of mlx5 VFs.\n\n"
	"  --json           print the host snapshot as JSON, for mlx5lm-compare and -migrate\n"
	"  --findings       print the findings as JSON\n"
	"  --root DIR       look at the host below DIR (a container's /host, a recorded tree)\n"
	"  --libvirt URI    ask this libvirt daemon (default qemu:///system; \"\" asks none)\n"
	"  --profile NAME   requirements to check against (default nvidia-doca-2.9)\n"
	"  --help, --version\n\n"
	"Exit status: 0 ready, 1 not ready, 2 unknown, 3 usage.\n";

static const char *pf_text(const struct mlx5lm_pf *pf, enum mlx5lm_pf_key key)
{
	const char *text = "?";

	mlx5lm_pf_get_str(pf, key, &text);
	return text;
}

static const char *vf_text(const struct mlx5lm_vf *vf, enum mlx5lm_vf_key key)
{
	const char *text = "-";

	mlx5lm_vf_get_str(vf, key, &text);
	return text;
}

static void print_vf(const struct mlx5lm_vf *vf)
{
	uint64_t migratable = 0, index = 0;

	mlx5lm_vf_get_u64(vf, MLX5LM_VF_INDEX, &index);
	mlx5lm_vf_get_u64(vf, MLX5LM_VF_MIGRATABLE, &migratable);
	printf("    VF %-3" PRIu64 " %s  driver %-13s migratable %-11s hw_addr %s  domain %s\n",
	       index, vf_text(vf, MLX5LM_VF_BDF), vf_text(vf, MLX5LM_VF_DRIVER),
	       mlx5lm_port_attr_state_str((enum mlx5lm_port_attr_state)migratable),
	       vf_text(vf, MLX5LM_VF_HW_ADDR), vf_text(vf, MLX5LM_VF_IN_USE_BY));
}

static void print_pf(const struct mlx5lm_pf *pf)
{
	uint64_t mode = 0, total_vfs = 0, num_vfs = 0;

	mlx5lm_pf_get_u64(pf, MLX5LM_PF_ESWITCH_MODE, &mode);
	mlx5lm_pf_get_u64(pf, MLX5LM_PF_SRIOV_TOTAL_VFS, &total_vfs);
	mlx5lm_pf_get_u64(pf, MLX5LM_PF_SRIOV_NUM_VFS, &num_vfs);
	printf("  PF %s  PSID %s  firmware %s  eswitch %s  VFs %" PRIu64 " of %" PRIu64 "\n",
	       pf_text(pf, MLX5LM_PF_BDF), pf_text(pf, MLX5LM_PF_PSID),
	       pf_text(pf, MLX5LM_PF_FW_RUNNING),
	       mlx5lm_eswitch_mode_str((enum mlx5lm_eswitch_mode)mode), num_vfs, total_vfs);
	for (size_t i = 0; i < mlx5lm_pf_length_vfs(pf); i++)
		print_vf(mlx5lm_pf_get_vf(pf, i));
}

static void print_host(const struct mlx5lm_host *host)
{
	const char *hostname = "?", *kernel = "?";

	mlx5lm_host_get_str(host, MLX5LM_HOST_HOSTNAME, &hostname);
	mlx5lm_host_get_str(host, MLX5LM_HOST_KERNEL_RELEASE, &kernel);
	printf("%s, kernel %s\n", hostname, kernel);
	for (size_t i = 0; i < mlx5lm_host_length_pfs(host); i++)
		print_pf(mlx5lm_host_get_pf(host, i));
	for (size_t i = 0; i < mlx5lm_host_length_notes(host); i++)
		printf("  note: %s\n", mlx5lm_host_get_note(host, i));
}

static int exit_status(enum mlx5lm_status status)
{
	if (status == MLX5LM_STATUS_FAIL)
		return EXIT_NOT_READY;
	return status == MLX5LM_STATUS_UNKNOWN ? EXIT_UNKNOWN : EXIT_READY;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },	   { "findings", no_argument, NULL, 'f' },
		{ "root", required_argument, NULL, 'r' },  { "libvirt", required_argument, NULL, 'l' },
		{ "profile", required_argument, NULL, 'p' }, { "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },	   { NULL, 0, NULL, 0 },
	};
	const char *root = NULL, *libvirt_uri = "qemu:///system", *profile_name = NULL;
	struct mlx5lm_findings *findings;
	struct mlx5lm_profile *profile;
	struct mlx5lm_error *error = NULL;
	struct mlx5lm_text *text = NULL;
	struct mlx5lm_host *host;
	struct mlx5lm_ctx *ctx;
	int option, form = 't', status;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'j':
		case 'f':
			form = option;
			break;
		case 'r':
			root = optarg;
			break;
		case 'l':
			libvirt_uri = *optarg ? optarg : NULL;
			break;
		case 'p':
			profile_name = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_READY;
		case 'v':
			printf("mlx5lm-probe %s\n", mlx5lm_version_str());
			return EXIT_READY;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	ctx = new_ctx();
	if (root && mlx5lm_ctx_set_root(ctx, root, &error) < 0)
		die(error);
	if (mlx5lm_profile_new_from_name(profile_name, &profile, &error) < 0)
		die(error);
	host = probe_host(ctx, libvirt_uri);
	if (mlx5lm_check(host, profile, NULL, &findings, &error) < 0)
		die(error);
	status = exit_status(mlx5lm_findings_get_status(findings));
	if (form == 'j') {
		mlx5lm_host_serialize(host, &text);
		print_text(text);
	} else if (form == 'f') {
		mlx5lm_findings_serialize(findings, &text);
		print_text(text);
	} else {
		print_host(host);
		printf("checked against %s:\n", mlx5lm_profile_get_name(profile));
		print_findings(findings, 1);
		printf("%s\n", status == EXIT_READY	? "ready" :
			       status == EXIT_NOT_READY ? "not ready" :
							  "unknown");
	}
	mlx5lm_findings_free(findings);
	mlx5lm_profile_free(profile);
	mlx5lm_host_free(host);
	mlx5lm_ctx_unref(ctx);
	return status;
}
