// SPDX-License-Identifier: MIT-0
/* Findings for people, in 80 columns: problems first, each with what mends it. */
#include "report.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS 80
#define INDENT 9

/* A command is copied and pasted: it stands on one line, however long. */
static int starts_command(const char *text)
{
	static const char *const beginnings[] = {
		"depmod -",    "devlink dev ", "devlink port ", "echo ",
		"fuser -",     "grep -",       "lspci -",	"mlx5lm-configure ",
		"mlxconfig -", "modprobe ",    "virsh -",	"mstconfig -",
	};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		if (strncmp(text, beginnings[i], strlen(beginnings[i])) == 0)
			return 1;
	}
	return 0;
}

/* Length of what is not to be broken: a word, or a command up to the next ',' or ';'. */
static size_t unit_length(const char *text)
{
	size_t length = strcspn(text, " ");

	if (!starts_command(text))
		return length;
	while (text[length] && !strchr(",;", text[length - 1]))
		length += 1 + strcspn(text + length + 1, " ");
	return length;
}

/* Columns that length bytes of UTF-8 take: one for each that does not go on a character. */
static int columns_of(const char *text, size_t length)
{
	int columns = 0;

	for (size_t i = 0; i < length; i++)
		columns += (text[i] & 0xc0) != 0x80;
	return columns;
}

/* Prints label, then text from column indent on, in as many lines as it takes. */
static void print_wrapped(const char *label, int indent, const char *text)
{
	int column = indent;

	printf("%-*s", indent, label);
	while (*text) {
		size_t length = unit_length(text);
		int columns = columns_of(text, length);

		if (column > indent && column + 1 + columns > COLUMNS) {
			printf("\n%*s", indent, "");
			column = indent;
		}
		if (column > indent)
			column += printf(" ");
		printf("%.*s", (int)length, text);
		column += columns;
		text += length;
		text += strspn(text, " ");
	}
	printf("\n");
}

static void print_text_at(int indent, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

static void print_text_at(int indent, const char *format, ...)
{
	char text[4096];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	print_wrapped("", indent, text);
}

static const char *text_of(const struct mlx5lm_finding *finding, enum mlx5lm_finding_key key)
{
	const char *text = "";

	mlx5lm_finding_get_str(finding, key, &text);
	return text;
}

/* The same point of another function: one of them is enough to read. */
static int is_like(const struct mlx5lm_finding *a, const struct mlx5lm_finding *b)
{
	static const enum mlx5lm_finding_key keys[] = { MLX5LM_FINDING_ID, MLX5LM_FINDING_MESSAGE,
							MLX5LM_FINDING_FOUND,
							MLX5LM_FINDING_REQUIRED };

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(text_of(a, keys[i]), text_of(b, keys[i])) != 0)
			return 0;
	}
	return mlx5lm_finding_get_status(a) == mlx5lm_finding_get_status(b);
}

/* How many findings from first up to end are like this one. */
static size_t count_like(const struct mlx5lm_findings *findings,
			 const struct mlx5lm_finding *finding, size_t first, size_t end)
{
	size_t count = 0;

	for (size_t i = first; i < end; i++)
		count += (size_t)is_like(mlx5lm_findings_get(findings, i), finding);
	return count;
}

static void print_evidence(const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		print_text_at(INDENT + 2, "%.*s", (int)length, text);
		text += length;
		text += strspn(text, "\n");
	}
}

static void print_finding(const struct mlx5lm_finding *finding, size_t more, int explain)
{
	static const char *const labels[] = {
		[MLX5LM_STATUS_UNKNOWN] = "UNKNOWN", [MLX5LM_STATUS_PASS] = "pass",
		[MLX5LM_STATUS_INFO] = "info",	     [MLX5LM_STATUS_WARN] = "WARN",
		[MLX5LM_STATUS_FAIL] = "FAIL",
	};
	const char *found = text_of(finding, MLX5LM_FINDING_FOUND);
	const char *required = text_of(finding, MLX5LM_FINDING_REQUIRED);
	const char *remedy = text_of(finding, MLX5LM_FINDING_REMEDY);

	printf("%-*s%s, %s", INDENT, labels[mlx5lm_finding_get_status(finding)],
	       text_of(finding, MLX5LM_FINDING_ID), text_of(finding, MLX5LM_FINDING_OBJECT));
	if (more)
		printf(" and %zu more", more);
	printf("\n");
	print_text_at(INDENT, "%s%s%s%s%s", text_of(finding, MLX5LM_FINDING_MESSAGE),
		      *found ? ": " : "", found, *required ? "; required: " : "", required);
	if (*remedy)
		print_wrapped("  to do:", INDENT, remedy);
	if (explain)
		print_evidence(text_of(finding, MLX5LM_FINDING_EXPLAIN));
}

/* Prints the findings of one status; returns how many there are. */
static size_t print_status(const struct mlx5lm_findings *findings, enum mlx5lm_status status,
			   const struct report_options *options)
{
	size_t length = mlx5lm_findings_length(findings);
	size_t count = 0;

	for (size_t i = 0; i < length; i++) {
		const struct mlx5lm_finding *finding = mlx5lm_findings_get(findings, i);

		if (mlx5lm_finding_get_status(finding) != status)
			continue;
		count++;
		if (options->all)
			print_finding(finding, 0, options->explain);
		else if (!count_like(findings, finding, 0, i))
			print_finding(finding, count_like(findings, finding, i + 1, length),
				      options->explain);
	}
	if (count)
		printf("\n");
	return count;
}

static size_t count_status(const struct mlx5lm_findings *findings, enum mlx5lm_status status)
{
	size_t count = 0;

	for (size_t i = 0; i < mlx5lm_findings_length(findings); i++)
		count += mlx5lm_finding_get_status(mlx5lm_findings_get(findings, i)) == status;
	return count;
}

static const char *pf_text(const struct mlx5lm_pf *pf, enum mlx5lm_pf_key key)
{
	const char *text = "?";

	mlx5lm_pf_get_str(pf, key, &text);
	return text;
}

/* What of a VF is worth a line in the summary. */
static void describe_vf(const struct mlx5lm_vf *vf, char *text, size_t size)
{
	const char *driver = "no driver", *domain = NULL;
	uint64_t migratable = 0;

	mlx5lm_vf_get_str(vf, MLX5LM_VF_DRIVER, &driver);
	mlx5lm_vf_get_str(vf, MLX5LM_VF_IN_USE_BY, &domain);
	mlx5lm_vf_get_u64(vf, MLX5LM_VF_MIGRATABLE, &migratable);
	snprintf(text, size, "%s, migratable %s%s%s", driver,
		 mlx5lm_port_attr_state_str((enum mlx5lm_port_attr_state)migratable),
		 domain ? ", used by " : "", domain ? domain : "");
}

/* Neighbours that are alike share a line. */
static void print_vfs(const struct mlx5lm_pf *pf)
{
	size_t length = mlx5lm_pf_length_vfs(pf), next;

	for (size_t i = 0; i < length; i = next) {
		const struct mlx5lm_vf *first = mlx5lm_pf_get_vf(pf, i);
		const char *bdf = "?";
		char text[512], other[512];
		uint64_t from = 0, to = 0;

		describe_vf(first, text, sizeof(text));
		for (next = i + 1; next < length; next++) {
			describe_vf(mlx5lm_pf_get_vf(pf, next), other, sizeof(other));
			if (strcmp(text, other) != 0)
				break;
		}
		mlx5lm_vf_get_u64(first, MLX5LM_VF_INDEX, &from);
		mlx5lm_vf_get_u64(mlx5lm_pf_get_vf(pf, next - 1), MLX5LM_VF_INDEX, &to);
		mlx5lm_vf_get_str(first, MLX5LM_VF_BDF, &bdf);
		if (next == i + 1)
			print_text_at(4, "VF %" PRIu64 " %s: %s", from, bdf, text);
		else
			print_text_at(4, "VF %" PRIu64 " to %" PRIu64 " from %s: %s", from, to, bdf,
				      text);
	}
}

static void print_pf(const struct mlx5lm_pf *pf)
{
	uint64_t mode = 0, total_vfs = 0;

	mlx5lm_pf_get_u64(pf, MLX5LM_PF_ESWITCH_MODE, &mode);
	mlx5lm_pf_get_u64(pf, MLX5LM_PF_SRIOV_TOTAL_VFS, &total_vfs);
	print_text_at(2, "PF %s: %s, %s, %zu of %" PRIu64 " VFs", pf_text(pf, MLX5LM_PF_BDF),
		      pf_text(pf, MLX5LM_PF_MODEL), pf_text(pf, MLX5LM_PF_NETDEV),
		      mlx5lm_pf_length_vfs(pf), total_vfs);
	print_text_at(4, "PSID %s, firmware %s, eswitch %s", pf_text(pf, MLX5LM_PF_PSID),
		      pf_text(pf, MLX5LM_PF_FW_RUNNING),
		      mlx5lm_eswitch_mode_str((enum mlx5lm_eswitch_mode)mode));
	print_vfs(pf);
}

/* A version as libvirt counts them, with a name before it; "" if it is not known. */
static const char *version_text(const struct mlx5lm_host *host, const char *name,
				enum mlx5lm_host_key key, char *text, size_t size)
{
	uint64_t version;

	text[0] = '\0';
	if (mlx5lm_host_get_u64(host, key, &version) == 0)
		snprintf(text, size, ", %s %" PRIu64 ".%" PRIu64 ".%" PRIu64, name,
			 version / 1000000, version / 1000 % 1000, version % 1000);
	return text;
}

static void print_host(const struct mlx5lm_host *host, const char *profile)
{
	const char *kernel = "?";
	char libvirt[64], qemu[64];

	mlx5lm_host_get_str(host, MLX5LM_HOST_KERNEL_RELEASE, &kernel);
	print_text_at(0, "Checked against %s; kernel %s%s%s", profile, kernel,
		      version_text(host, "libvirt", MLX5LM_HOST_LIBVIRT_DAEMON_VERSION, libvirt,
				   sizeof(libvirt)),
		      version_text(host, "QEMU", MLX5LM_HOST_QEMU_VERSION, qemu, sizeof(qemu)));
	for (size_t i = 0; i < mlx5lm_host_length_pfs(host); i++)
		print_pf(mlx5lm_host_get_pf(host, i));
	printf("\n");
}

static void print_verdict(const struct mlx5lm_host *host, const struct mlx5lm_findings *findings)
{
	const char *hostname = "This host", *verdict = "is ready";
	enum mlx5lm_status status = mlx5lm_findings_get_status(findings);

	mlx5lm_host_get_str(host, MLX5LM_HOST_HOSTNAME, &hostname);
	if (status == MLX5LM_STATUS_FAIL)
		verdict = "is NOT ready";
	else if (status == MLX5LM_STATUS_UNKNOWN)
		verdict = "may or may not be ready";
	print_text_at(0, "%s %s for VF live migration: %zu fail, %zu unknown, %zu warn", hostname,
		      verdict, count_status(findings, MLX5LM_STATUS_FAIL),
		      count_status(findings, MLX5LM_STATUS_UNKNOWN),
		      count_status(findings, MLX5LM_STATUS_WARN));
}

void report_print(const struct mlx5lm_host *host, const struct mlx5lm_findings *findings,
		  const char *profile, const struct report_options *options)
{
	print_verdict(host, findings);
	print_host(host, profile);
	print_status(findings, MLX5LM_STATUS_FAIL, options);
	print_status(findings, MLX5LM_STATUS_UNKNOWN, options);
	print_status(findings, MLX5LM_STATUS_WARN, options);
	if (options->all) {
		print_status(findings, MLX5LM_STATUS_INFO, options);
		print_status(findings, MLX5LM_STATUS_PASS, options);
	}
	print_text_at(0, "%zu points are as required, %zu are for your information%s",
		      count_status(findings, MLX5LM_STATUS_PASS),
		      count_status(findings, MLX5LM_STATUS_INFO),
		      options->all ? "" : " (--all shows them)");
	for (size_t i = 0; i < mlx5lm_host_length_notes(host); i++)
		print_wrapped("note:", 6, mlx5lm_host_get_note(host, i));
}
