// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/migration_params.h"

#include <errno.h>
#include <inttypes.h>

#include "core/migrate_flag.h"
#include "core/version_rule.h"

/* As libvirt counts. */
#define VERSION(major, minor) ((major) * UINT64_C(1000000) + (minor) * UINT64_C(1000))

#define QEMU_SWITCHOVER_ACK VERSION(8, 1)
#define QEMU_VFS_OVER_CHANNELS VERSION(10, 0)

/*
 * libvirt asks for switchover-ack by itself: 9.0 does not, 11.3 does, and of those between it is
 * not known which was the first.
 */
#define LIBVIRT_MAYBE_SWITCHOVER_ACK VERSION(9, 1)
#define LIBVIRT_SWITCHOVER_ACK VERSION(11, 3)

#define LIBVIRT_VFIO_BYTES VERSION(10, 6)

/* Something that may be asked for, and since when it can be had. */
struct capability {
	const char *what;
	const char *remedy; /* beside newer software */
	uint64_t libvirt;   /* on both hosts */
	uint64_t qemu;	    /* on the source, which alone uses it; 0: any */
};

static const struct capability over_tls = {
	.what = "encryption of the data",
	.remedy = "migrate without MLX5LM_SESSION_TLS",
	.libvirt = VERSION(3, 2),
};
static const struct capability parallel = {
	.what = "parallel connections",
	.remedy = "set MLX5LM_SESSION_CHANNELS to 0",
	.libvirt = VERSION(5, 2),
};
static const struct capability named_certificate = {
	.what = "another name in the destination's certificate",
	.remedy = "set no MLX5LM_SESSION_TLS_DESTINATION",
	.libvirt = VERSION(6, 0),
};
static const struct capability switchover_bandwidth = {
	.what = "a bandwidth to reckon the switchover with",
	.remedy = "set MLX5LM_SESSION_SWITCHOVER_BANDWIDTH_MIB_PER_S to 0",
	.libvirt = VERSION(11, 1),
	.qemu = VERSION(8, 2),
};

static bool is_before(const struct fact_u64 *version, uint64_t than)
{
	return version->known && version->value < than;
}

static bool is_since(const struct fact_u64 *version, uint64_t that)
{
	return version->known && version->value >= that;
}

static int refuse(const struct capability *capability, const char *program, uint64_t needed,
		  const char *side, const struct fact_u64 *version, struct mlx5lm_error **reterr)
{
	const struct version has = version_from_libvirt(version->value);
	const struct version needs = version_from_libvirt(needed);

	error_set(reterr, MLX5LM_ERROR_NOT_SUPPORTED, EOPNOTSUPP, MLX5LM_SOURCE_LIBRARY,
		  "%s %u.%u is needed for %s: the %s has %u.%u.%u", program, needs.part[0],
		  needs.part[1], capability->what, side, has.part[0], has.part[1], has.part[2]);
	error_add_remedy(reterr, "at the %s: install %s %u.%u or later; or %s", side, program,
			 needs.part[0], needs.part[1], capability->remedy);
	return -EOPNOTSUPP;
}

static int require(const struct capability *capability, const struct libvirt_facts *source,
		   const struct libvirt_facts *destination, struct mlx5lm_error **reterr)
{
	/* A version that is not known is let pass: the daemons say it themselves. */
	if (is_before(&source->daemon_version, capability->libvirt))
		return refuse(capability, "libvirt", capability->libvirt, "source",
			      &source->daemon_version, reterr);
	if (is_before(&destination->daemon_version, capability->libvirt))
		return refuse(capability, "libvirt", capability->libvirt, "destination",
			      &destination->daemon_version, reterr);
	if (is_before(&source->qemu_version, capability->qemu))
		return refuse(capability, "QEMU", capability->qemu, "source", &source->qemu_version,
			      reterr);
	return 0;
}

static int require_all(const struct migration *migration, const struct libvirt_facts *source,
		       const struct libvirt_facts *destination, struct mlx5lm_error **reterr)
{
	int r = 0;

	if (migration->tls)
		r = require(&over_tls, source, destination, reterr);
	if (r == 0 && migration->tls && migration->tls_destination)
		r = require(&named_certificate, source, destination, reterr);
	if (r == 0 && migration->channels)
		r = require(&parallel, source, destination, reterr);
	if (r == 0 && migration->switchover_bandwidth_mib_per_s)
		r = require(&switchover_bandwidth, source, destination, reterr);
	return r;
}

static bool qemus_send_over_channels(const struct libvirt_facts *source,
				     const struct libvirt_facts *destination)
{
	return is_since(&source->qemu_version, QEMU_VFS_OVER_CHANNELS) &&
	       is_since(&destination->qemu_version, QEMU_VFS_OVER_CHANNELS);
}

/* They only help several VFs, and only TCP is known to carry them everywhere. */
static uint64_t choose_channels(const struct migration_wishes *wishes,
				const struct libvirt_facts *source,
				const struct libvirt_facts *destination)
{
	const char *data_uri = wishes->wanted.data_uri;

	if (wishes->num_vfs < CHANNELS_MIN || !qemus_send_over_channels(source, destination))
		return 0;
	if (data_uri && strncmp(data_uri, "tcp:", strlen("tcp:")) != 0)
		return 0;
	/* Nobody has asked for them: not a reason to refuse. */
	if (is_before(&source->daemon_version, parallel.libvirt) ||
	    is_before(&destination->daemon_version, parallel.libvirt))
		return 0;
	return wishes->num_vfs < CHANNELS_MAX ? wishes->num_vfs : CHANNELS_MAX;
}

/* NO before maybe, YES since surely. */
static uint32_t answer_since(const struct fact_u64 *version, uint64_t maybe, uint64_t surely)
{
	if (is_since(version, surely))
		return MLX5LM_ANSWER_YES;
	return is_before(version, maybe) ? MLX5LM_ANSWER_NO : MLX5LM_ANSWER_UNKNOWN;
}

/* Of one end. */
static uint32_t can_ack(const struct libvirt_facts *facts)
{
	uint32_t daemon = answer_since(&facts->daemon_version, LIBVIRT_MAYBE_SWITCHOVER_ACK,
				       LIBVIRT_SWITCHOVER_ACK);
	uint32_t qemu = answer_since(&facts->qemu_version, QEMU_SWITCHOVER_ACK,
				     QEMU_SWITCHOVER_ACK);

	if (daemon == MLX5LM_ANSWER_NO || qemu == MLX5LM_ANSWER_NO)
		return MLX5LM_ANSWER_NO;
	return daemon == MLX5LM_ANSWER_YES ? qemu : daemon;
}

uint32_t migration_has_switchover_ack(const struct libvirt_facts *source,
				      const struct libvirt_facts *destination)
{
	uint32_t there = can_ack(destination), here = can_ack(source);

	if (here == MLX5LM_ANSWER_NO || there == MLX5LM_ANSWER_NO)
		return MLX5LM_ANSWER_NO;
	return here == MLX5LM_ANSWER_YES ? there : here;
}

bool migration_channels_carry_vfs(const struct migration *migration,
				  const struct libvirt_facts *source,
				  const struct libvirt_facts *destination)
{
	return migration->channels && qemus_send_over_channels(source, destination);
}

static void add_version(struct strbuf *buf, const char *program, const struct fact_u64 *version)
{
	const struct version parts = version_from_libvirt(version->value);

	if (version->known)
		strbuf_printf(buf, "%s %u.%u.%u", program, parts.part[0], parts.part[1],
			      parts.part[2]);
	else
		strbuf_printf(buf, "%s of unknown version", program);
}

/* What an end has, as a text of the finding. */
static void tell_versions(struct mlx5lm_findings *findings, struct mlx5lm_finding *finding,
			  enum mlx5lm_finding_key key, const struct libvirt_facts *facts)
{
	struct strbuf buf = { 0 };

	add_version(&buf, "libvirt", &facts->daemon_version);
	strbuf_add(&buf, ", ");
	add_version(&buf, "QEMU", &facts->qemu_version);
	if (buf.error)
		findings->error = -ENOMEM;
	else
		finding_set(findings, finding, key, "%s", buf.text);
	strbuf_release(&buf);
}

static struct mlx5lm_finding *add_finding(struct mlx5lm_findings *findings,
					  enum mlx5lm_status status, const char *id,
					  const struct libvirt_facts *source,
					  const struct libvirt_facts *destination,
					  const char *message)
{
	struct mlx5lm_finding *finding = findings_add(findings, status, id, "host");

	finding_set(findings, finding, MLX5LM_FINDING_SCOPE, "host");
	finding_set(findings, finding, MLX5LM_FINDING_MESSAGE, "%s", message);
	tell_versions(findings, finding, MLX5LM_FINDING_SOURCE, source);
	tell_versions(findings, finding, MLX5LM_FINDING_DESTINATION, destination);
	return finding;
}

static const char *side_of(bool source, bool destination)
{
	if (source && destination)
		return "both";
	return source ? "source" : "destination";
}

static void find_switchover_ack(const struct libvirt_facts *source,
				const struct libvirt_facts *destination,
				struct mlx5lm_findings *findings)
{
	uint32_t answer = migration_has_switchover_ack(source, destination);
	enum mlx5lm_status status = MLX5LM_STATUS_UNKNOWN;
	const char *message = "whether libvirt makes QEMU wait until the destination is ready for "
			      "the VFs' state is not known: longer downtime if not";
	struct mlx5lm_finding *finding;

	if (answer == MLX5LM_ANSWER_YES) {
		status = MLX5LM_STATUS_PASS;
		message = "the guest is stopped only when the destination is ready for the VFs' "
			  "state (switchover-ack)";
	} else if (answer == MLX5LM_ANSWER_NO) {
		status = MLX5LM_STATUS_WARN;
		message = "the guest is stopped before the destination is ready for the VFs' state: "
			  "longer downtime";
	}
	finding = add_finding(findings, status, "session.switchover_ack", source, destination,
			      message);
	finding_set(findings, finding, MLX5LM_FINDING_REQUIRED,
		    "libvirt 10.5 or later and QEMU 8.1 or later on both hosts");
	if (answer == MLX5LM_ANSWER_YES)
		return;
	finding_set(findings, finding, MLX5LM_FINDING_REMEDY,
		    "install libvirt 11.3 and QEMU 8.1, or later, and raise the downtime limit "
		    "until then");
	finding_set(findings, finding, MLX5LM_FINDING_SIDE, "%s",
		    side_of(can_ack(source) != MLX5LM_ANSWER_YES,
			    can_ack(destination) != MLX5LM_ANSWER_YES));
}

/* libvirt's own numbers are its source's. */
static void find_progress(const struct libvirt_facts *source,
			  const struct libvirt_facts *destination,
			  struct mlx5lm_findings *findings)
{
	struct mlx5lm_finding *finding;

	if (!is_before(&source->daemon_version, LIBVIRT_VFIO_BYTES))
		return;
	finding = add_finding(findings, MLX5LM_STATUS_INFO, "session.progress", source, destination,
			      "libvirt of the source does not tell how much of the VFs' state was "
			      "sent: progress and time left are estimates");
	finding_set(findings, finding, MLX5LM_FINDING_REQUIRED,
		    "libvirt 10.6 or later at the source");
	finding_set(findings, finding, MLX5LM_FINDING_REMEDY,
		    "nothing need be done; libvirt 10.6 or later tells it");
	finding_set(findings, finding, MLX5LM_FINDING_SIDE, "source");
}

static void find_vfio_channels(const struct migration *migration,
			       const struct libvirt_facts *source,
			       const struct libvirt_facts *destination,
			       struct mlx5lm_findings *findings)
{
	bool able = qemus_send_over_channels(source, destination);
	struct mlx5lm_finding *finding;

	if (migration_channels_carry_vfs(migration, source, destination))
		return;
	finding = add_finding(findings, MLX5LM_STATUS_INFO, "session.vfio_channels", source,
			      destination,
			      "the states of the VFs are sent one after the other over one "
			      "connection: the downtime grows with their number");
	finding_set(findings, finding, MLX5LM_FINDING_REQUIRED,
		    "parallel connections, and QEMU 10.0 or later on both hosts");
	if (able) {
		finding_set(findings, finding, MLX5LM_FINDING_REMEDY,
			    "let the session choose MLX5LM_SESSION_CHANNELS, with a data URI of "
			    "tcp or none");
		return;
	}
	finding_set(findings, finding, MLX5LM_FINDING_REMEDY, "install QEMU 10.0 or later");
	finding_set(findings, finding, MLX5LM_FINDING_SIDE, "%s",
		    side_of(!is_since(&source->qemu_version, QEMU_VFS_OVER_CHANNELS),
			    !is_since(&destination->qemu_version, QEMU_VFS_OVER_CHANNELS)));
}

int migration_params_choose(const struct migration_wishes *wishes,
			    const struct libvirt_facts *source,
			    const struct libvirt_facts *destination, struct migration *ret,
			    struct mlx5lm_findings *findings, struct mlx5lm_error **reterr)
{
	struct migration migration = wishes->wanted;
	int r;

	if (!wishes->has_channels)
		migration.channels = choose_channels(wishes, source, destination);
	r = require_all(&migration, source, destination, reterr);
	if (r < 0)
		return r;
	if (wishes->num_vfs) {
		find_switchover_ack(source, destination, findings);
		find_progress(source, destination, findings);
	}
	if (wishes->num_vfs > 1)
		find_vfio_channels(&migration, source, destination, findings);
	if (findings->error)
		return error_no_memory(reterr);
	*ret = migration;
	return 0;
}

uint64_t migration_flags(const struct migration *migration)
{
	uint64_t flags = MIGRATE_LIVE;

	if (migration->control != MLX5LM_CONTROL_DIRECT)
		flags |= MIGRATE_PEER2PEER;
	if (migration->persistent)
		flags |= MIGRATE_PERSIST_DEST | MIGRATE_UNDEFINE_SOURCE;
	if (migration->tls)
		flags |= MIGRATE_TLS;
	if (migration->channels)
		flags |= MIGRATE_PARALLEL;
	return flags;
}
