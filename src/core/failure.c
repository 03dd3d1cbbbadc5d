// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/failure.h"

#include <errno.h>

#include "base/cleanup.h"
#include "core/failure_rules.h"

/* More of a text is not looked at: libvirt's and QEMU's are some hundred bytes. */
#define TEXT_MAX_BYTES ((size_t)64 * 1024)

/* What one host said. */
struct part {
	const char *text;
	size_t length;
	enum failure_side side;
};

static const char *const reason_texts[] = {
	[MLX5LM_REASON_UNKNOWN] = "unknown",
	[MLX5LM_REASON_NONE] = "none",
	[MLX5LM_REASON_OTHER] = "other",
	[MLX5LM_REASON_CANCELLED] = "cancelled",
	[MLX5LM_REASON_CONNECT_DEADLINE] = "connect-deadline",
	[MLX5LM_REASON_SETUP_DEADLINE] = "setup-deadline",
	[MLX5LM_REASON_STALLED] = "stalled",
	[MLX5LM_REASON_TOTAL_DEADLINE] = "total-deadline",
	[MLX5LM_REASON_NEVER_CONVERGES] = "never-converges",
	[MLX5LM_REASON_HOSTS_INCOMPATIBLE] = "hosts-incompatible",
	[MLX5LM_REASON_SAME_HOST] = "same-host",
	[MLX5LM_REASON_VF_UNFIT] = "vf-unfit",
	[MLX5LM_REASON_VF_IN_USE] = "vf-in-use",
	[MLX5LM_REASON_DOMAIN_UNFIT] = "domain-unfit",
	[MLX5LM_REASON_DOMAIN_EXISTS] = "domain-exists",
	[MLX5LM_REASON_DOMAIN_GONE] = "domain-gone",
	[MLX5LM_REASON_HOOK] = "hook",
	[MLX5LM_REASON_SOURCE_UNREACHABLE] = "source-unreachable",
	[MLX5LM_REASON_DESTINATION_UNREACHABLE] = "destination-unreachable",
	[MLX5LM_REASON_SOURCE_DAEMON_LOST] = "source-daemon-lost",
	[MLX5LM_REASON_DESTINATION_DAEMON_LOST] = "destination-daemon-lost",
	[MLX5LM_REASON_SOURCE_QEMU_DIED] = "source-qemu-died",
	[MLX5LM_REASON_DESTINATION_QEMU_DIED] = "destination-qemu-died",
	[MLX5LM_REASON_DATA_CONNECTION] = "data-connection",
	[MLX5LM_REASON_AUTHENTICATION] = "authentication",
	[MLX5LM_REASON_TLS] = "tls",
	[MLX5LM_REASON_NO_KERNEL_SUPPORT] = "no-kernel-support",
	[MLX5LM_REASON_NO_DIRTY_TRACKING] = "no-dirty-tracking",
	[MLX5LM_REASON_NO_P2P] = "no-p2p",
	[MLX5LM_REASON_VIOMMU] = "viommu",
	[MLX5LM_REASON_POSTCOPY] = "postcopy",
	[MLX5LM_REASON_TOO_MUCH_MEMORY] = "too-much-memory",
	[MLX5LM_REASON_VF_SAVE] = "vf-save",
	[MLX5LM_REASON_VF_LOAD] = "vf-load",
	[MLX5LM_REASON_VF_STATE] = "vf-state",
	[MLX5LM_REASON_MEMORY_PINNING] = "memory-pinning",
	[MLX5LM_REASON_CPU] = "cpu",
	[MLX5LM_REASON_MACHINE_TYPE] = "machine-type",
	[MLX5LM_REASON_DOMAIN_XML] = "domain-xml",
	[MLX5LM_REASON_DISK] = "disk",
	[MLX5LM_REASON_JOB_LOCK] = "job-lock",
	[MLX5LM_REASON_ABORTED_ELSEWHERE] = "aborted-elsewhere",
	[MLX5LM_REASON_SPLIT_BRAIN] = "split-brain",
	[MLX5LM_REASON_OUTCOME_UNKNOWN] = "outcome-unknown",
	[MLX5LM_REASON_VERIFY] = "verify",
	[MLX5LM_REASON_RESOURCES] = "resources",
};

const struct name_list reason_names = { reason_texts, ARRAY_LENGTH(reason_texts) };

/* What helps against each; the message above it has named domain, hosts and VFs. */
static const char *const remedies[] = {
	[MLX5LM_REASON_CONNECT_DEADLINE] =
		"see whether both daemons answer (virsh -c URI list), or raise "
		"MLX5LM_SESSION_CONNECT_DEADLINE_MS",
	[MLX5LM_REASON_SETUP_DEADLINE] =
		"at the destination: /var/log/libvirt/qemu/NAME.log tells what QEMU waited for; or "
		"raise MLX5LM_SESSION_SETUP_DEADLINE_MS",
	[MLX5LM_REASON_STALLED] =
		"the guest dirties memory faster than it is sent: raise "
		"MLX5LM_SESSION_DOWNTIME_CEILING_MS or the bandwidth, or let "
		"MLX5LM_SESSION_STALL_ACTION force the switchover",
	[MLX5LM_REASON_TOTAL_DEADLINE] =
		"raise MLX5LM_SESSION_TOTAL_DEADLINE_MS or the bandwidth, or let "
		"MLX5LM_SESSION_DEADLINE_ACTION force the switchover",
	[MLX5LM_REASON_NEVER_CONVERGES] =
		"raise MLX5LM_SESSION_DOWNTIME_LIMIT_MS or MLX5LM_SESSION_DOWNTIME_CEILING_MS to "
		"what the finding session.downtime_limit says",
	[MLX5LM_REASON_HOSTS_INCOMPATIBLE] =
		"see what differs: mlx5lm-compare SOURCE.json DESTINATION.json",
	[MLX5LM_REASON_SAME_HOST] =
		"if these are two machines, set another host_uuid (uuidgen) in "
		"/etc/libvirt/libvirtd.conf, or virtqemud.conf, of one, and restart that daemon",
	[MLX5LM_REASON_VF_UNFIT] =
		"see what the VF lacks at the destination, and the command that mends it: "
		"mlx5lm-probe",
	[MLX5LM_REASON_VF_IN_USE] =
		"see who has it (mlx5lm-probe at the destination), and choose another VF, or stop "
		"that user",
	[MLX5LM_REASON_DOMAIN_UNFIT] =
		"see what of the domain stands in the way: mlx5lm-compare --domain NAME --connect URI "
		"SOURCE.json DESTINATION.json",
	[MLX5LM_REASON_DOMAIN_EXISTS] =
		"at the destination: virsh list --all shows it; if it is a rest of this domain, "
		"and shut off: virsh undefine NAME",
	[MLX5LM_REASON_DOMAIN_GONE] =
		"see where it is: virsh list --all, at both ends",
	[MLX5LM_REASON_SOURCE_UNREACHABLE] =
		"virsh -c URI uri shows whether the source's daemon can be reached; there: "
		"systemctl status libvirtd virtqemud",
	[MLX5LM_REASON_DESTINATION_UNREACHABLE] =
		"virsh -c URI uri shows whether the destination's daemon can be reached, from here "
		"and, for MLX5LM_CONTROL_P2P, from the source; there: systemctl status libvirtd "
		"virtqemud",
	[MLX5LM_REASON_SOURCE_DAEMON_LOST] =
		"at the source: journalctl -u libvirtd -u virtqemud; the guest does not need the "
		"daemon to run on",
	[MLX5LM_REASON_DESTINATION_DAEMON_LOST] =
		"at the destination: journalctl -u libvirtd -u virtqemud; see whether a QEMU of this "
		"guest was left: virsh list --all",
	[MLX5LM_REASON_SOURCE_QEMU_DIED] =
		"at the source: the end of /var/log/libvirt/qemu/NAME.log; was it killed? "
		"journalctl -k | grep -i oom",
	[MLX5LM_REASON_DESTINATION_QEMU_DIED] =
		"at the destination: the end of /var/log/libvirt/qemu/NAME.log; was it killed, or "
		"short of memory? journalctl -k | grep -i oom; free -h",
	[MLX5LM_REASON_DATA_CONNECTION] =
		"the source must reach the destination's migration ports (TCP 49152-49215) at the "
		"address that the destination's hostname has there, or set MLX5LM_SESSION_DATA_URI; "
		"if it does, see whether firmware failed the VF: journalctl -k | grep mlx5, at both "
		"ends",
	[MLX5LM_REASON_AUTHENTICATION] =
		"try what the session does: virsh -c URI list, from here and, for "
		"MLX5LM_CONTROL_P2P, as root on the source; of certificates: virt-pki-validate",
	[MLX5LM_REASON_TLS] =
		"put certificates into /etc/pki/qemu on both hosts (migrate_tls_x509_cert_dir in "
		"/etc/libvirt/qemu.conf) and restart the daemons; or migrate without "
		"MLX5LM_SESSION_TLS",
	[MLX5LM_REASON_NO_KERNEL_SUPPORT] =
		"the VF of the source must be migratable and bound to mlx5_vfio_pci when the domain "
		"starts: mlx5lm-probe shows both",
	[MLX5LM_REASON_NO_DIRTY_TRACKING] =
		"the kernel of the source needs CONFIG_IOMMUFD_DRIVER (dirty page logging of VFIO): "
		"grep IOMMUFD /boot/config-$(uname -r)",
	[MLX5LM_REASON_NO_P2P] =
		"give the domain VFs that all support P2P migration: mlx5lm-probe --json has the "
		"flags of each",
	[MLX5LM_REASON_VIOMMU] =
		"remove <iommu> from the domain (virsh edit NAME), and start the guest anew",
	[MLX5LM_REASON_POSTCOPY] =
		"start the migration without post-copy (VIR_MIGRATE_POSTCOPY, virsh migrate "
		"--postcopy)",
	[MLX5LM_REASON_TOO_MUCH_MEMORY] =
		"give the guest less memory (virsh setmaxmem NAME SIZE --config, and start it anew), "
		"or track dirty pages by the VF or IOMMU: mlx5lm-probe",
	[MLX5LM_REASON_VF_SAVE] =
		"at the source: journalctl -k | grep mlx5 has the firmware's syndrome; QEMU resets a "
		"VF that has failed: see whether its driver in the guest has recovered, or load it "
		"again there",
	[MLX5LM_REASON_VF_LOAD] =
		"at the destination: journalctl -k | grep mlx5 has the firmware's syndrome; it "
		"refuses the state of a VF of another PSID or version (mlx5lm-compare SOURCE.json "
		"DESTINATION.json); if there is none, see the end of /var/log/libvirt/qemu/NAME.log",
	[MLX5LM_REASON_VF_STATE] =
		"journalctl -k | grep mlx5, at both ends, has the firmware's syndrome; if QEMU has "
		"reset the device for it, the VF is as new: see whether its driver in the guest has "
		"recovered, or load it again there",
	[MLX5LM_REASON_MEMORY_PINNING] =
		"at the destination: free -h; the domain's memory must fit, and be allowed to be "
		"locked (<hard_limit> in <memtune> of the domain; systemctl show -p LimitMEMLOCK "
		"libvirtd virtqemud)",
	[MLX5LM_REASON_CPU] =
		"see what the destination lacks: virsh dumpxml NAME --migratable > D; at the "
		"destination virsh hypervisor-cpu-compare D; and give the domain a CPU model that "
		"both have (virsh hypervisor-cpu-baseline)",
	[MLX5LM_REASON_MACHINE_TYPE] =
		"install the source's version of QEMU, or a later one, at the destination: virsh "
		"version and virsh domcapabilities --machine TYPE show what it has",
	[MLX5LM_REASON_DOMAIN_XML] =
		"compare the domain at both ends: virsh dumpxml NAME --migratable, and what a hook "
		"in /etc/libvirt/hooks/qemu at the destination makes of it",
	[MLX5LM_REASON_DISK] =
		"the disks must be on shared storage with cache='none', where the destination sees "
		"them too and has space: virsh domblklist NAME; df -h",
	[MLX5LM_REASON_JOB_LOCK] =
		"virsh domjobinfo NAME shows the job; wait for it, or end it: virsh domjobabort NAME",
	[MLX5LM_REASON_ABORTED_ELSEWHERE] =
		"start it again if nobody meant it (virsh domjobabort, another manager); journalctl "
		"-u libvirtd -u virtqemud at the source may tell when",
	[MLX5LM_REASON_SPLIT_BRAIN] =
		"both copies run: stop one at once (virsh destroy NAME), before both write to the "
		"same disks",
	[MLX5LM_REASON_OUTCOME_UNKNOWN] =
		"look at both daemons (virsh list --all) before anything is started again: the "
		"guest may run at the end that does not answer",
	[MLX5LM_REASON_VERIFY] =
		"see at both ends what is left: virsh dumpxml NAME and mlx5lm-probe",
	[MLX5LM_REASON_RESOURCES] =
		"raise the limits of this process (ulimit -n, ulimit -u), or run fewer sessions at "
		"once",
};

static char lower(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

/* Where words begin in a text, whatever the case of ASCII letters: libvirt and QEMU changed it. */
static const char *find(const char *text, const char *end, const char *words, size_t length)
{
	for (; (size_t)(end - text) >= length; text++) {
		size_t i = 0;

		while (i < length && lower(text[i]) == lower(words[i]))
			i++;
		if (i == length)
			return text;
	}
	return NULL;
}

/* Do words, with '*' for anything between, occur in a line? */
static bool line_says(const char *line, const char *end, const char *words)
{
	for (;;) {
		size_t length = strcspn(words, "*");
		const char *at = find(line, end, words, length);

		if (!at || !words[length])
			return at;
		line = at + length;
		words += length + 1;
	}
}

static bool says(const struct part *part, const char *words)
{
	const char *line = part->text, *end = part->text + part->length;

	while (line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));

		if (line_says(line, next ? next : end, words))
			return true;
		if (!next)
			return false;
		line = next + 1;
	}
	return false;
}

/* libvirt's, where both ends have failed: each speaks for itself. */
#define SOURCE_SAYS "Message from the source host: "
#define DESTINATION_SAYS "Message from the destination host: "

#define MAX_PARTS 2

static size_t split(const char *text, enum failure_side side, struct part parts[static MAX_PARTS])
{
	size_t length = strnlen(text, TEXT_MAX_BYTES);
	const char *end = text + length;
	const char *source = find(text, end, SOURCE_SAYS, strlen(SOURCE_SAYS));
	const char *destination = NULL;

	if (source)
		destination = find(source, end, DESTINATION_SAYS, strlen(DESTINATION_SAYS));
	if (!destination) {
		parts[0] = (struct part){ text, length, side };
		return 1;
	}
	source += strlen(SOURCE_SAYS);
	parts[0] = (struct part){ source, (size_t)(destination - source), FAILURE_SOURCE };
	destination += strlen(DESTINATION_SAYS);
	parts[1] = (struct part){ destination, (size_t)(end - destination), FAILURE_DESTINATION };
	return 2;
}

static bool fits(const struct failure_rule *rule, const struct mlx5lm_error *error,
		 const struct part *part)
{
	if (rule->native && rule->native != error->native)
		return false;
	if (rule->code && rule->code != error->code)
		return false;
	if (rule->side && rule->side != part->side)
		return false;
	return !rule->words || says(part, rule->words);
}

static enum mlx5lm_reason reason_of_words(const struct mlx5lm_error *error, enum failure_side side)
{
	struct part parts[MAX_PARTS];
	size_t num_parts = split(error->detail ? error->detail : "", side, parts);

	for (size_t i = 0; i < num_failure_rules; i++) {
		for (size_t j = 0; j < num_parts; j++) {
			if (fits(&failure_rules[i], error, &parts[j]))
				return failure_rules[i].reason;
		}
	}
	return MLX5LM_REASON_OTHER;
}

/* Of this library's own errors, which have codes for it. */
static enum mlx5lm_reason reason_of_code(const struct mlx5lm_error *error)
{
	switch (error->code) {
	case MLX5LM_ERROR_NO_MEMORY:
		return MLX5LM_REASON_RESOURCES;
	case MLX5LM_ERROR_CANCELLED:
		return MLX5LM_REASON_CANCELLED;
	case MLX5LM_ERROR_VERIFY_FAILED:
		return MLX5LM_REASON_VERIFY;
	case MLX5LM_ERROR_INCOMPATIBLE:
		return strstr(error->message, "are the same host") ?
			       MLX5LM_REASON_SAME_HOST :
			       MLX5LM_REASON_HOSTS_INCOMPATIBLE;
	case MLX5LM_ERROR_DOMAIN:
		return error->errnum == EEXIST ? MLX5LM_REASON_DOMAIN_EXISTS :
						 MLX5LM_REASON_DOMAIN_UNFIT;
	case MLX5LM_ERROR_INVALID_DOCUMENT:
		return MLX5LM_REASON_DOMAIN_UNFIT;
	case MLX5LM_ERROR_VF:
		return error->errnum == EBUSY ? MLX5LM_REASON_VF_IN_USE : MLX5LM_REASON_VF_UNFIT;
	default:
		break;
	}
	switch (error->errnum) {
	case EAGAIN:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return MLX5LM_REASON_RESOURCES;
	default:
		return MLX5LM_REASON_OTHER;
	}
}

enum mlx5lm_reason failure_reason(const struct mlx5lm_error *error, enum failure_side side)
{
	if (!error)
		return MLX5LM_REASON_UNKNOWN;
	return error->source == MLX5LM_SOURCE_LIBVIRT ? reason_of_words(error, side) :
							reason_of_code(error);
}

const char *failure_remedy(enum mlx5lm_reason reason)
{
	return (size_t)reason < ARRAY_LENGTH(remedies) ? remedies[reason] : NULL;
}

enum mlx5lm_reason failure_of_outcome(enum domain_state source, enum domain_state destination)
{
	if (source == DOMAIN_RUNNING && destination == DOMAIN_RUNNING)
		return MLX5LM_REASON_SPLIT_BRAIN;
	if (source == DOMAIN_UNKNOWN || destination == DOMAIN_UNKNOWN)
		return MLX5LM_REASON_OUTCOME_UNKNOWN;
	return MLX5LM_REASON_UNKNOWN;
}
