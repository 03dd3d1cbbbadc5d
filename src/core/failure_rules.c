// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/failure_rules.h"

#include "base/cleanup.h"

/* virErrorNumber: part of libvirt's ABI, whose headers core does not see. */
enum libvirt_code {
	LIBVIRT_NO_MEMORY = 2,
	LIBVIRT_NO_CONNECT = 5,
	LIBVIRT_OPERATION_FAILED = 9,
	LIBVIRT_XML_ERROR = 27,
	LIBVIRT_DOM_EXIST = 28,
	LIBVIRT_OPERATION_DENIED = 29,
	LIBVIRT_GNUTLS_ERROR = 40,
	LIBVIRT_NO_DOMAIN = 42,
	LIBVIRT_AUTH_FAILED = 45,
	LIBVIRT_OPERATION_INVALID = 55,
	LIBVIRT_MIGRATE_PERSIST_FAILED = 69,
	LIBVIRT_OPERATION_ABORTED = 78,
	LIBVIRT_AUTH_CANCELLED = 79,
	LIBVIRT_MIGRATE_UNSAFE = 81,
	LIBVIRT_ACCESS_DENIED = 88,
	LIBVIRT_CPU_INCOMPATIBLE = 91,
	LIBVIRT_XML_INVALID_SCHEMA = 92,
	LIBVIRT_AUTH_UNAVAILABLE = 94,
};

#define SAID(text, why) { .words = (text), .reason = MLX5LM_REASON_##why }
#define SAID_BY(who, text, why)                                                                    \
	{ .words = (text), .side = FAILURE_##who, .reason = MLX5LM_REASON_##why }
#define SAID_AS(number, text, why)                                                                 \
	{ .words = (text), .native = LIBVIRT_##number, .reason = MLX5LM_REASON_##why }
#define CODE(number, why) { .native = LIBVIRT_##number, .reason = MLX5LM_REASON_##why }
/* When a connection is opened, which is done in this process. */
#define CONNECTING(text, why)                                                                      \
	{ .words = (text), .code = MLX5LM_ERROR_CONNECT, .reason = MLX5LM_REASON_##why }
#define CONNECTING_TO(where, why)                                                                  \
	{ .side = FAILURE_##where, .code = MLX5LM_ERROR_CONNECT, .reason = MLX5LM_REASON_##why }
/* The same words of either end; the last is who is meant if nobody knows whose they are. */
#define EITHER_END(text, why, unless_known)                                                        \
	SAID_BY(SOURCE, text, SOURCE_##why), SAID_BY(DESTINATION, text, DESTINATION_##why),        \
		SAID(text, unless_known##_##why)

/*
 * Narrow before wide: what names the VF, then what names another thing, then what is also said
 * when one of them is the cause. Texts of libvirt 9.0 to 12.8, QEMU 7.2 to 11.1, Linux 6.1 to 7.3.
 */
const struct failure_rule failure_rules[] = {
	/* The firmware, as mlx5_core logs it. */
	SAID("LOAD_VHCA_STATE", VF_LOAD),
	SAID("SAVE_VHCA_STATE", VF_SAVE),
	SAID("QUERY_VHCA_MIGRATION_STATE", VF_SAVE),
	SAID("SUSPEND_VHCA", VF_STATE),
	SAID("RESUME_VHCA", VF_STATE),

	/* QEMU's blockers: libvirt shows them before anything is started. */
	SAID("migration is not supported in kernel", NO_KERNEL_SUPPORT),
	SAID("Migration couldn't be initialized for VFIO device", NO_KERNEL_SUPPORT),
	SAID("VFIO migration init failed", NO_KERNEL_SUPPORT),
	SAID("VFIO_MIGRATION_STOP_COPY is not supported", NO_KERNEL_SUPPORT),
	SAID("VFIO device doesn't support migration", NO_KERNEL_SUPPORT),
	SAID("Migration is disabled for VFIO device", DOMAIN_UNFIT),
	SAID("doesn't support device and IOMMU dirty tracking", NO_DIRTY_TRACKING),
	SAID("doesn't support device dirty tracking", NO_DIRTY_TRACKING),
	SAID("Failed to start DMA logging", NO_DIRTY_TRACKING),
	SAID("Failed to prepare DMA logging", NO_DIRTY_TRACKING),
	SAID("Could not start dirty page tracking", NO_DIRTY_TRACKING),
	SAID("all of them support P2P migration", NO_P2P),
	SAID("not supported with multiple VFIO devices", NO_P2P),
	SAID("not supported with vIOMMU", VIOMMU),
	SAID("large memory VM due to dirty tracking", TOO_MUCH_MEMORY),
	SAID("VFIO migration is not supported with postcopy", POSTCOPY),

	/* What QEMU asks of the VF: these states are those in which the driver saves. */
	SAID("Channel error: No such device", VF_SAVE), /* from the file that the driver saves to */
	SAID("device state to PRE_COPY_P2P", VF_STATE),
	SAID("device state to PRE_COPY", VF_SAVE),
	SAID("device state to STOP_COPY", VF_SAVE),
	SAID("to set new PRE_COPY state", VF_SAVE),
	SAID("Failed setting device state", VF_STATE),
	SAID("Failed setting device in recover state", VF_STATE),
	SAID("Failed to set*RESUMING", VF_STATE),
	SAID("Unable to set device state", VF_STATE),
	SAID("Failed to save device config space", VF_SAVE),
	SAID("failed to save SaveStateEntry*/vfio)", VF_SAVE),
	SAID("reading state buffer*failed", VF_SAVE),
	SAID("save config state flush failed", VF_SAVE),
	SAID("Failed to load device config space", VF_LOAD),
	SAID("Failed loading device config space", VF_LOAD),
	SAID("vfio_load_device_config_state() failed", VF_LOAD),
	SAID("load config state flush failed", VF_LOAD),
	SAID("writing state buffer*failed", VF_LOAD),
	/* The destination's QEMU has registered no state for it: it cannot migrate there. */
	SAID("Unknown savevm section or instance*/vfio'", VF_UNFIT),
	SAID("loading state for instance*/vfio'", VF_LOAD),
	SAID("loading state section id*/vfio)", VF_LOAD),
	SAID("Unknown idstr*/vfio", VF_LOAD),

	/* Getting the VF at the destination. */
	SAID("PCI device*is in use", VF_IN_USE),
	SAID("Device*is already in use", VF_IN_USE),
	SAID("Not detaching active device", VF_IN_USE),
	SAID("/dev/vfio/*Device or resource busy", VF_IN_USE),
	SAID("vfio*device is already attached", VF_IN_USE),
	SAID("must be manually detached from the host", VF_UNFIT),
	SAID("PCI device*is not assignable", VF_UNFIT),
	SAID("Device*not found: could not access", VF_UNFIT),
	SAID("Failed to unbind PCI device", VF_UNFIT),
	SAID("Failed to load PCI driver module", VF_UNFIT),
	SAID("Failed to trigger a probe for PCI device", VF_UNFIT),
	SAID("to driver_override interface of PCI device", VF_UNFIT),
	SAID("Unable to reset PCI device", VF_UNFIT),
	SAID("/dev/vfio/*Permission denied", VF_UNFIT),
	SAID("/dev/vfio/*No such file or directory", VF_UNFIT),
	SAID("error getting device from group", VF_UNFIT),
	SAID("group*is not viable", VF_UNFIT),
	SAID("no iommu_group found", VF_UNFIT),
	SAID("host doesn't support VFIO PCI passthrough", VF_UNFIT),
	SAID("host doesn't support passthrough of host PCI devices", VF_UNFIT),
	SAID("VFIO device assignment is", VF_UNFIT),

	/* Pinning the guest's memory. */
	SAID("VFIO_MAP_DMA failed", MEMORY_PINNING),
	SAID("vfio*dma_map(*Cannot allocate memory", MEMORY_PINNING),
	SAID("DMA mapping failed, unable to continue", MEMORY_PINNING),
	SAID("cannot limit locked memory", MEMORY_PINNING),
	SAID("cannot get locked memory limit", MEMORY_PINNING),
	SAID("RLIMIT_MEMLOCK", MEMORY_PINNING),
	SAID("locking memory failed", MEMORY_PINNING),

	/* What differs at the destination of all else that the guest sees. */
	SAID("CPU is incompatible with host CPU", CPU),
	SAID("CPUs are incompatible", CPU),
	SAID("guest CPU doesn't match specification", CPU),
	SAID("host CPU*does not match required CPU", CPU),
	SAID("Host CPU does not", CPU),
	SAID("unable to find CPU model", CPU),
	SAID("host doesn't support requested feature", CPU),
	SAID("doesn't support requested features", CPU),
	SAID("failed to set MSR", CPU),
	SAID("Mismatch between user-specified TSC frequency", CPU),
	CODE(CPU_INCOMPATIBLE, CPU),
	SAID("does not support machine type", MACHINE_TYPE),
	SAID("unsupported machine type", MACHINE_TYPE),
	SAID("Machine type received is", MACHINE_TYPE),
	SAID("is not a valid device model name", MACHINE_TYPE),
	SAID("not supported by this QEMU", MACHINE_TYPE),
	SAID("Unknown savevm section", MACHINE_TYPE),
	SAID("incoming version_id*is too", MACHINE_TYPE),
	SAID("savevm: unsupported version", MACHINE_TYPE),
	SAID("Unsupported migration stream version", MACHINE_TYPE),
	SAID("Target*does not match source", DOMAIN_XML),
	SAID("Unknown ramblock", DOMAIN_XML),
	SAID("RAMBlock*not found on destination", DOMAIN_XML),
	SAID("Length mismatch:", DOMAIN_XML),
	SAID("Size mismatch:", DOMAIN_XML),
	SAID("Length too large", DOMAIN_XML),
	SAID("Mismatched RAM page size", DOMAIN_XML),
	SAID("Mismatched GPAs", DOMAIN_XML),
	SAID("Bad config data:", DOMAIN_XML),
	CODE(XML_ERROR, DOMAIN_XML),
	CODE(XML_INVALID_SCHEMA, DOMAIN_XML),

	/* Disks. */
	SAID("Unsafe migration", DISK),
	SAID("Migration without shared storage is unsafe", DISK),
	CODE(MIGRATE_UNSAFE, DISK),
	SAID("Failed to get*\" lock", DISK),
	SAID("Lockspace resource*is locked", DISK),
	SAID("Cannot access storage file", DISK),
	SAID("Cannot access backing file", DISK),
	SAID("Could not open '*No such file or directory", DISK),
	SAID("No space left on device", DISK),
	SAID("migrate domain with I/O error", DISK),
	SAID("failed due to I/O error", DISK),

	/* Who and where. */
	SAID("migrate guest to the same host", SAME_HOST),
	SAID("domain*already exists with uuid", DOMAIN_EXISTS),
	SAID("domain*is already defined with uuid", DOMAIN_EXISTS),
	SAID("domain*is already active", DOMAIN_EXISTS),
	CODE(DOM_EXIST, DOMAIN_EXISTS),
	SAID("another migration job is already running", JOB_LOCK),
	SAID("cannot acquire state change lock", JOB_LOCK),
	SAID("has active block job", JOB_LOCK),
	SAID("is being actively monitored by another thread", JOB_LOCK),
	SAID("There's a migration process in progress", JOB_LOCK),
	SAID("Migration is not finalized yet", JOB_LOCK),
	SAID("canceled by client", ABORTED_ELSEWHERE),
	SAID("canceled by user", ABORTED_ELSEWHERE),
	CODE(OPERATION_ABORTED, ABORTED_ELSEWHERE),
	CODE(MIGRATE_PERSIST_FAILED, VERIFY),

	/* One does not accept the other, or there are no certificates. */
	SAID("server verification (of our certificate or IP address) failed", AUTHENTICATION),
	SAID("Certificate does not match the hostname", AUTHENTICATION),
	SAID("Certificate*owner does not match the hostname", AUTHENTICATION),
	SAID("Certificate failed validation", AUTHENTICATION),
	SAID("Failed to verify peer's certificate", AUTHENTICATION),
	SAID("certificate hasn't got a known issuer", AUTHENTICATION),
	SAID("certificate is not trusted", AUTHENTICATION),
	SAID("certificate*has expired", AUTHENTICATION),
	SAID("certificate*is not yet active", AUTHENTICATION),
	SAID("TLS x509 authz check*is denied", AUTHENTICATION),
	SAID("TLS handshake failed", AUTHENTICATION),
	SAID("Host key verification failed", AUTHENTICATION),
	SAID("Permission denied (publickey", AUTHENTICATION),
	SAID("No authentication callback available", AUTHENTICATION),
	CODE(AUTH_FAILED, AUTHENTICATION),
	CODE(AUTH_CANCELLED, AUTHENTICATION),
	CODE(AUTH_UNAVAILABLE, AUTHENTICATION),
	CODE(ACCESS_DENIED, AUTHENTICATION),
	CODE(OPERATION_DENIED, AUTHENTICATION),
	SAID("x509_cert_dir directory", TLS),
	SAID("migration TLS directory not configured", TLS),
	SAID("only with VIR_MIGRATE_TLS flag", TLS),
	SAID("hostname is required for TLS migration", TLS),
	SAID("No TLS credentials", TLS),
	SAID("TLS requires GNUTLS support", TLS),
	SAID("Unable to access credentials", TLS),
	SAID("Cannot read CA certificate", TLS),
	SAID("Cannot read*certificate '", TLS),
	SAID("Cannot load*certificate", TLS),
	SAID("Unable to set x509", TLS),
	CODE(GNUTLS_ERROR, TLS),

	/* Connections are opened. */
	CONNECTING("Too many open files", RESOURCES),
	CONNECTING("Cannot allocate memory", RESOURCES),
	CONNECTING("Resource temporarily unavailable", RESOURCES),
	CONNECTING_TO(SOURCE, SOURCE_UNREACHABLE),
	CONNECTING_TO(DESTINATION, DESTINATION_UNREACHABLE),
	CONNECTING_TO(ANY, OTHER),
	/* The source's daemon connects to the destination's, or for QEMU to its: the port tells. */
	SAID("unable to connect to server at*:16509'", DESTINATION_UNREACHABLE),
	SAID("unable to connect to server at*:16514'", DESTINATION_UNREACHABLE),
	SAID("unable to connect to server at*:491", DATA_CONNECTION),
	SAID("unable to connect to server at*:492", DATA_CONNECTION),
	SAID("unable to connect to server at", DESTINATION_UNREACHABLE),
	SAID("Unable to resolve address*service '491", DATA_CONNECTION),
	SAID("Unable to resolve address*service '492", DATA_CONNECTION),
	SAID("Unable to resolve address", DESTINATION_UNREACHABLE),
	SAID("Failed to connect socket to*libvirt", DESTINATION_UNREACHABLE),
	SAID("Failed to connect to remote libvirt", DESTINATION_UNREACHABLE),
	SAID("unexpected*URI path", DESTINATION_UNREACHABLE),
	CODE(NO_CONNECT, DESTINATION_UNREACHABLE),
	SAID("data: ssh: ", DESTINATION_UNREACHABLE),

	/* Somebody is gone. What QEMU said on its way stands above. */
	SAID("Lost connection to destination host", DESTINATION_DAEMON_LOST),
	EITHER_END("connection closed due to keepalive timeout", DAEMON_LOST, DESTINATION),
	EITHER_END("client socket is closed", DAEMON_LOST, DESTINATION),
	EITHER_END("End of file while reading data", DAEMON_LOST, SOURCE),
	EITHER_END("End of file while writing data", DAEMON_LOST, SOURCE),
	EITHER_END("Cannot recv data", DAEMON_LOST, SOURCE),
	EITHER_END("Cannot write data", DAEMON_LOST, SOURCE),
	EITHER_END("received hangup event on socket", DAEMON_LOST, SOURCE),
	EITHER_END("received error event on socket", DAEMON_LOST, SOURCE),
	SAID("is not being migrated", SOURCE_DAEMON_LOST),
	{ .words = "domain*is not running", .side = FAILURE_SOURCE,
	  .native = LIBVIRT_OPERATION_FAILED, .reason = MLX5LM_REASON_SOURCE_QEMU_DIED },
	SAID_BY(SOURCE, "guest unexpectedly quit", SOURCE_QEMU_DIED),

	/*
	 * The destination's QEMU says only that it could not load, and the source's only that it
	 * was let go of. Where it was the source that let go, the stream just ends: EIO.
	 */
	SAID("socket: Connection timed out", DATA_CONNECTION),
	SAID("socket: No route to host", DATA_CONNECTION),
	SAID("socket: Network is unreachable", DATA_CONNECTION),
	SAID("Sibling indicated error", VF_LOAD),
	SAID("load of migration failed: Input/output error", DATA_CONNECTION),
	SAID("Read section footer failed: -5", DATA_CONNECTION),
	SAID("loading state section id*(ram)", DATA_CONNECTION),
	SAID("error while loading state", MACHINE_TYPE),
	SAID("load of migration failed", VF_LOAD),
	EITHER_END("unexpectedly closed the monitor", QEMU_DIED, DESTINATION),
	EITHER_END("process exited while connecting to monitor", QEMU_DIED, DESTINATION),
	EITHER_END("Process exited prior to exec", QEMU_DIED, DESTINATION),
	EITHER_END("QEMU monitor was closed", QEMU_DIED, DESTINATION),
	SAID_BY(DESTINATION, "guest unexpectedly quit", DESTINATION_QEMU_DIED),
	SAID("guest unexpectedly quit", SOURCE_QEMU_DIED),
	SAID("is not processing incoming migration", DESTINATION_QEMU_DIED),
	SAID_BY(DESTINATION, "domain*is not running", DESTINATION_QEMU_DIED),
	SAID_BY(DESTINATION, "no domain with matching", DESTINATION_QEMU_DIED),
	SAID_AS(OPERATION_FAILED, "domain*is not running", SOURCE_QEMU_DIED),
	SAID("domain*is not running", DOMAIN_GONE),
	CODE(NO_DOMAIN, DOMAIN_GONE),

	/* The way between the two QEMUs. */
	SAID("Failed to connect to '", DATA_CONNECTION),
	SAID("address resolution failed for", DATA_CONNECTION),
	SAID("resolved to localhost, but migration requires an FQDN", DATA_CONNECTION),
	SAID("Unable to read from socket", DATA_CONNECTION),
	SAID("Unable to write to socket", DATA_CONNECTION),
	SAID("read from TLS channel", DATA_CONNECTION),
	SAID("write to TLS channel", DATA_CONNECTION),
	SAID("Channel error", DATA_CONNECTION),
	SAID("multifd:*EOF", DATA_CONNECTION),

	/* libvirt or QEMU will not have this domain, for a reason that has no name here. */
	SAID("cannot migrate domain", DOMAIN_UNFIT),
	SAID("cannot migrate a domain with", DOMAIN_UNFIT),
	SAID("cannot migrate this domain", DOMAIN_UNFIT),
	SAID("State blocked by non-migratable", DOMAIN_UNFIT),
	SAID("disallowing migration blocker", DOMAIN_UNFIT),
	SAID("does not support live migration", DOMAIN_UNFIT),
	SAID("Migration disabled:", DOMAIN_UNFIT),
	SAID("hardware poisoned memory", DOMAIN_UNFIT),
	SAID("domain is marked for auto destroy", DOMAIN_UNFIT),
	SAID("TSC frequency is not specified", DOMAIN_UNFIT),
	SAID("lacks slot ID or base address", DOMAIN_UNFIT),
	SAID("cannot be migrated", DOMAIN_UNFIT),
	SAID("migration with*is not supported", DOMAIN_UNFIT),
	SAID("does not support migration", DOMAIN_UNFIT),
	CODE(NO_MEMORY, RESOURCES),
};

const size_t num_failure_rules = ARRAY_LENGTH(failure_rules);
