// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain_check_rules.h"

/* What the destination's libvirt has said, or what need not be asked. */
static void check_answer(struct domain_checker *checker)
{
	const struct mlx5lm_domain *domain = checker->domain;
	bool yes = domain->cpu == MLX5LM_ANSWER_YES;
	struct mlx5lm_finding *finding;

	if (!domain->cpu) {
		finding = domain_point(checker, "domain.cpu", MLX5LM_STATUS_INFO, NULL,
				       "nobody has asked the destination whether it has the "
				       "guest's CPU");
		FOUND("not asked");
		REQUIRED("the CPU that the domain names");
		REMEDY("mlx5lm_domain_ask_destination(); or virsh -c URI hypervisor-cpu-compare "
		       "FILE");
		return;
	}
	finding = domain_point(checker, "domain.cpu", yes ? MLX5LM_STATUS_PASS : MLX5LM_STATUS_FAIL,
			       yes ? NULL : SIDE_EITHER,
			       yes ? "the destination has the guest's CPU" :
				     "the destination does not have the guest's CPU");
	FOUND("%s%s%s", yes ? "yes" : "no", domain->cpu_note ? ": " : "",
	      domain->cpu_note ? domain->cpu_note : "");
	REQUIRED("the CPU that the domain names");
	if (domain->cpu_uri)
		finding_explain(checker->findings, finding,
				"virConnectCompareHypervisorCPU() of %s", domain->cpu_uri);
	if (!yes)
		REMEDY("choose another destination; or a CPU model that both hosts have (virsh "
		       "hypervisor-cpu-baseline), and start the guest anew");
}

/* The guest has all that the CPU below it can do. */
static void check_passthrough(struct domain_checker *checker)
{
	const struct mlx5lm_host *source = checker->source, *destination = checker->destination;
	bool same = source && destination && streq(source->cpu_model, destination->cpu_model) &&
		    streq(source->cpu_vendor, destination->cpu_vendor);
	struct mlx5lm_finding *finding;

	finding = domain_point(checker, "domain.cpu",
			       same ? MLX5LM_STATUS_INFO : MLX5LM_STATUS_WARN, SIDE_SOURCE,
			       "the guest sees the CPU of its host: it may crash on one that is not "
			       "quite the same, in stepping, microcode and firmware settings");
	FOUND("mode='%s'; source: %s; destination: %s", checker->parsed->cpu_mode,
	      or_unknown(source ? source->cpu_model : NULL),
	      or_unknown(destination ? destination->cpu_model : NULL));
	REQUIRED("the same CPU at both ends");
	if (!same)
		REMEDY("virsh edit %s: mode='host-model', or mode='custom' with a model that both "
		       "hosts have; and start the guest anew", checker->name);
}

static void check_migratable(struct domain_checker *checker)
{
	const struct domain_xml *parsed = checker->parsed;
	struct mlx5lm_finding *finding;

	if (parsed->cpu_is_not_migratable) {
		finding = domain_point(checker, "domain.cpu_migratable", MLX5LM_STATUS_WARN,
				       SIDE_SOURCE,
				       "QEMU refuses to migrate if this brings features that cannot "
				       "be, such as invtsc");
		FOUND("<cpu migratable='off'>");
		REQUIRED("migratable='on'");
		REMEDY("virsh edit %s: migratable='on', and start the guest anew", checker->name);
	}
	if (!parsed->has_invtsc || parsed->has_tsc_frequency)
		return;
	finding = domain_point(checker, "domain.invtsc", MLX5LM_STATUS_FAIL, SIDE_SOURCE,
			       "libvirt does not migrate a guest with an invariant TSC whose "
			       "frequency it does not know");
	FOUND("feature invtsc, no frequency");
	REQUIRED("<timer name='tsc' frequency='...'/>, or no invtsc");
	REMEDY("virsh edit %s: give the timer a frequency, and start the guest anew",
	       checker->name);
}

static void check_hyperv(struct domain_checker *checker)
{
	struct mlx5lm_finding *finding;

	if (!checker->parsed->has_hyperv_passthrough)
		return;
	finding = domain_point(checker, "domain.hyperv", MLX5LM_STATUS_WARN, SIDE_SOURCE,
			       "the guest sees all Hyper-V enlightenments that this kernel and QEMU "
			       "have: those of the destination may be others");
	FOUND("<hyperv mode='passthrough'>");
	REQUIRED("<hyperv mode='custom'>");
	REMEDY("virsh edit %s: name the features, and start the guest anew", checker->name);
}

/* Does a host of this architecture run such a guest by KVM? */
static bool is_native(const char *guest, const char *host)
{
	return streq(guest, host) || (streq(guest, "i686") && streq(host, "x86_64")) ||
	       (streq(guest, "armv7l") && streq(host, "aarch64"));
}

static void check_arch(struct domain_checker *checker, const struct mlx5lm_host *host,
		       const char *side)
{
	const struct domain_xml *parsed = checker->parsed;
	struct mlx5lm_finding *finding;

	if (!host || !host->architecture || !parsed->arch || !streq(parsed->type, "kvm") ||
	    is_native(parsed->arch, host->architecture))
		return;
	finding = domain_point(checker, "domain.arch", MLX5LM_STATUS_FAIL, NULL,
			       "KVM does not run a guest of another architecture than the host's");
	FOUND("guest: %s; %s: %s", parsed->arch, side, host->architecture);
	REQUIRED("the same architecture");
	REMEDY("choose another %s", side);
}

static void check_type(struct domain_checker *checker)
{
	const char *type = checker->parsed->type;
	struct mlx5lm_finding *finding;

	if (streq(type, "kvm") || streq(type, "qemu"))
		return;
	finding = domain_point(checker, "domain.type", MLX5LM_STATUS_FAIL, NULL,
			       "only QEMU migrates a guest with a VF");
	FOUND("<domain type='%s'>", or_unknown(type));
	REQUIRED("type='kvm'");
	REMEDY("make it a domain of libvirt's QEMU driver");
}

/* "9.2" behind the last '-' of "pc-q35-9.2", as libvirt counts; 0 if it is no such version. */
static uint64_t machine_version(const char *machine)
{
	const char *dash = strrchr(machine, '-');
	struct version version;

	if (!dash || version_parse_all(dash + 1, &version) < 0)
		return 0;
	return (uint64_t)version.part[0] * 1000000 + (uint64_t)version.part[1] * 1000;
}

static void check_machine(struct domain_checker *checker)
{
	const char *machine = checker->parsed->machine;
	struct fact_u64 qemu = qemu_version(checker->destination);
	uint64_t needed = machine ? machine_version(machine) : 0;
	struct mlx5lm_finding *finding;
	struct version version;

	if (!is_older(&qemu, needed))
		return;
	version = version_from_libvirt(qemu.value);
	finding = domain_point(checker, "domain.machine", MLX5LM_STATUS_WARN, SIDE_DESTINATION,
			       "a QEMU that is older than the machine type does not know it");
	FOUND("%s; QEMU of the destination: " VERSION_FORMAT, machine, VERSION_ARGS(version));
	REQUIRED("QEMU %" PRIu64 ".%" PRIu64 " or newer", needed / 1000000,
		 needed / 1000 % 1000);
	REMEDY("install a newer QEMU at the destination; virsh -c URI capabilities lists machine "
	       "types");
}

static void check_pinning(struct domain_checker *checker)
{
	struct mlx5lm_finding *finding;

	if (!checker->parsed->is_pinned)
		return;
	finding = domain_point(checker, "domain.pinning", MLX5LM_STATUS_INFO, NULL,
			       "the destination must have the CPUs and NUMA nodes to which the "
			       "domain is pinned, or the destination's XML name others");
	FOUND("<cputune> or <numatune>");
}

void domain_check_cpu(struct domain_checker *checker)
{
	const char *mode = checker->parsed->cpu_mode;

	check_type(checker);
	check_arch(checker, checker->source, "source");
	check_arch(checker, checker->destination, "destination");
	check_machine(checker);
	if (streq(mode, "host-passthrough") || streq(mode, "maximum"))
		check_passthrough(checker);
	else if (checker->domain->cpu || domain_names_cpu(checker->domain))
		check_answer(checker);
	check_migratable(checker);
	check_hyperv(checker);
	check_pinning(checker);
}
