/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_SESSION_H
#define MLX5LM_SESSION_H

#include <mlx5lm/types.h>
#include <mlx5lm/check.h>
#include <mlx5lm/compare.h>

#ifdef __cplusplus
extern "C" {
#endif

/* libvirt's own name for what virConnectPtr points to. */
struct _virConnect;

/**
 * enum mlx5lm_phase - where a migration session is
 * @MLX5LM_PHASE_UNKNOWN: not started
 * @MLX5LM_PHASE_PREFLIGHT: both ends are looked at; nothing has been touched
 * @MLX5LM_PHASE_PREPARE: the session waits for its turn, the hook prepares the destination, the
 *	destination's domain XML is made
 * @MLX5LM_PHASE_SETUP: libvirt starts QEMU at the destination
 * @MLX5LM_PHASE_PRE_COPY: state is copied while the guest runs at the source
 * @MLX5LM_PHASE_SWITCHOVER: the guest is stopped; the rest is copied
 * @MLX5LM_PHASE_RESUME: the guest is being resumed at the destination
 * @MLX5LM_PHASE_VERIFY: the destination is looked at: does the domain run, with the VF?
 * @MLX5LM_PHASE_CLEAN_UP: connections are closed, rests are removed
 * @MLX5LM_PHASE_COMPLETED: final: the domain runs at the destination
 * @MLX5LM_PHASE_FAILED: final: it does not; the error says where it is
 * @MLX5LM_PHASE_CANCELLED: final: cancelled, the domain runs at the source
 *
 * Short phases may never be seen. Since: 0.1
 */
enum mlx5lm_phase {
	MLX5LM_PHASE_UNKNOWN = 0,
	MLX5LM_PHASE_PREFLIGHT = 1,
	MLX5LM_PHASE_PREPARE = 2,
	MLX5LM_PHASE_SETUP = 3,
	MLX5LM_PHASE_PRE_COPY = 4,
	MLX5LM_PHASE_SWITCHOVER = 5,
	MLX5LM_PHASE_RESUME = 6,
	MLX5LM_PHASE_VERIFY = 7,
	MLX5LM_PHASE_CLEAN_UP = 8,
	MLX5LM_PHASE_COMPLETED = 9,
	MLX5LM_PHASE_FAILED = 10,
	MLX5LM_PHASE_CANCELLED = 11
};

/**
 * enum mlx5lm_event - why the callback is called
 * @MLX5LM_EVENT_UNKNOWN: never produced
 * @MLX5LM_EVENT_PHASE: the phase has changed
 * @MLX5LM_EVENT_ITERATION: a new pass over the guest's memory has begun
 * @MLX5LM_EVENT_SAMPLE: new numbers
 * @MLX5LM_EVENT_DONE: a final phase is reached, without a PHASE event before; the last call
 * @MLX5LM_EVENT_STALL: the policy counted a stall, or acted (since 0.5)
 *
 * Since: 0.1
 */
enum mlx5lm_event {
	MLX5LM_EVENT_UNKNOWN = 0,
	MLX5LM_EVENT_PHASE = 1,
	MLX5LM_EVENT_ITERATION = 2,
	MLX5LM_EVENT_SAMPLE = 3,
	MLX5LM_EVENT_DONE = 4,
	MLX5LM_EVENT_STALL = 5
};

/**
 * enum mlx5lm_progress_key - numbers of a running or finished session
 * @MLX5LM_PROGRESS_UNKNOWN: none
 * @MLX5LM_PROGRESS_PERCENT: 0 to 100, never goes back
 * @MLX5LM_PROGRESS_ELAPSED_MS: since mlx5lm_session_start()
 * @MLX5LM_PROGRESS_MEMORY_TOTAL_BYTES: guest memory
 * @MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES: still to be copied in this pass
 * @MLX5LM_PROGRESS_DATA_PROCESSED_BYTES: sent so far, VF state included
 * @MLX5LM_PROGRESS_ITERATION: passes over the guest's memory in this session
 * @MLX5LM_PROGRESS_DIRTY_RATE_PAGES_PER_S: as the guest dirties memory
 * @MLX5LM_PROGRESS_BANDWIDTH_BYTES_PER_S: as measured
 * @MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES: VF state sent (libvirt 10.6)
 * @MLX5LM_PROGRESS_DOWNTIME_EXPECTED_MS: QEMU's estimate
 * @MLX5LM_PROGRESS_DOWNTIME_MS: the real one, after completion
 * @MLX5LM_PROGRESS_SETUP_MS: QEMU's setup time
 * @MLX5LM_PROGRESS_TOTAL_MS: QEMU's total time, after completion
 * @MLX5LM_PROGRESS_ETA_MS: until the guest runs at the destination, if all goes on as it does;
 *	not known while the guest dirties memory faster than it is sent, or if it is more than a day; 0
 *	in RESUME and COMPLETED (since 0.5, as all that follow)
 * @MLX5LM_PROGRESS_ETA_IS_ESTIMATE: 1 if the VF state that is left is not known and was taken from
 *	the forecast; 0 if not
 * @MLX5LM_PROGRESS_MEMORY_TRANSFERRED_BYTES: guest memory sent so far, all passes
 * @MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS: the limit that QEMU has now
 * @MLX5LM_PROGRESS_DOWNTIME_FORECAST_MS: how long the guest is expected to stand still, told before
 *	the migration by the size of the VFs' state
 * @MLX5LM_PROGRESS_STALLS: how often nothing new was reached for the iterations that the policy
 *	allows
 * @MLX5LM_PROGRESS_THROTTLE_PERCENT: by how much QEMU slows the guest's CPUs down
 * @MLX5LM_PROGRESS_QUEUE_POSITION: sessions that come before this one, while it waits for its turn
 * @MLX5LM_PROGRESS_VFS: VFs of the domain
 *
 * Since: 0.1
 */
enum mlx5lm_progress_key {
	MLX5LM_PROGRESS_UNKNOWN = 0,
	MLX5LM_PROGRESS_PERCENT = 1,
	MLX5LM_PROGRESS_ELAPSED_MS = 2,
	MLX5LM_PROGRESS_MEMORY_TOTAL_BYTES = 3,
	MLX5LM_PROGRESS_MEMORY_REMAINING_BYTES = 4,
	MLX5LM_PROGRESS_DATA_PROCESSED_BYTES = 5,
	MLX5LM_PROGRESS_ITERATION = 6,
	MLX5LM_PROGRESS_DIRTY_RATE_PAGES_PER_S = 7,
	MLX5LM_PROGRESS_BANDWIDTH_BYTES_PER_S = 8,
	MLX5LM_PROGRESS_VFIO_TRANSFERRED_BYTES = 9,
	MLX5LM_PROGRESS_DOWNTIME_EXPECTED_MS = 10,
	MLX5LM_PROGRESS_DOWNTIME_MS = 11,
	MLX5LM_PROGRESS_SETUP_MS = 12,
	MLX5LM_PROGRESS_TOTAL_MS = 13,
	MLX5LM_PROGRESS_ETA_MS = 14,
	MLX5LM_PROGRESS_ETA_IS_ESTIMATE = 15,
	MLX5LM_PROGRESS_MEMORY_TRANSFERRED_BYTES = 16,
	MLX5LM_PROGRESS_DOWNTIME_LIMIT_MS = 17,
	MLX5LM_PROGRESS_DOWNTIME_FORECAST_MS = 18,
	MLX5LM_PROGRESS_STALLS = 19,
	MLX5LM_PROGRESS_THROTTLE_PERCENT = 20,
	MLX5LM_PROGRESS_QUEUE_POSITION = 21,
	MLX5LM_PROGRESS_VFS = 22
};

/**
 * enum mlx5lm_control - who drives the migration
 * @MLX5LM_CONTROL_UNKNOWN: none
 * @MLX5LM_CONTROL_P2P: the daemon of the source connects to the one of the destination; the
 *	migration goes on if the caller dies
 * @MLX5LM_CONTROL_DIRECT: the caller's libvirt client talks to both; the migration ends if the
 *	caller dies, and the guest stays at the source
 *
 * Since: 0.5
 */
enum mlx5lm_control {
	MLX5LM_CONTROL_UNKNOWN = 0,
	MLX5LM_CONTROL_P2P = 1,
	MLX5LM_CONTROL_DIRECT = 2
};

/**
 * enum mlx5lm_action - what to do about a migration that does not converge
 * @MLX5LM_ACTION_UNKNOWN: none
 * @MLX5LM_ACTION_CONTINUE: wait
 * @MLX5LM_ACTION_RAISE_DOWNTIME: raise the downtime limit by one step, up to the ceiling
 * @MLX5LM_ACTION_FORCE_SWITCHOVER: raise it so far that QEMU switches over at once
 * @MLX5LM_ACTION_ABORT: abort; the guest runs on at the source
 *
 * Since: 0.5
 */
enum mlx5lm_action {
	MLX5LM_ACTION_UNKNOWN = 0,
	MLX5LM_ACTION_CONTINUE = 1,
	MLX5LM_ACTION_RAISE_DOWNTIME = 2,
	MLX5LM_ACTION_FORCE_SWITCHOVER = 3,
	MLX5LM_ACTION_ABORT = 4
};

/**
 * enum mlx5lm_hook - moments at which the caller has something to do at the destination
 * @MLX5LM_HOOK_UNKNOWN: none
 * @MLX5LM_HOOK_PREPARE: the pairs are decided, nothing is started: make the destination's VFs ready
 *	(same hw_addr, migratable, bound), but leave their representors down
 * @MLX5LM_HOOK_COMMIT: the guest stands still at the source, or has just moved: let its traffic go
 *	to the destination, for example by setting the representors up
 * @MLX5LM_HOOK_RELEASE: the migration ended otherwise after PREPARE: take back what PREPARE, and
 *	COMMIT if it was called, did
 *
 * Since: 0.5
 */
enum mlx5lm_hook {
	MLX5LM_HOOK_UNKNOWN = 0,
	MLX5LM_HOOK_PREPARE = 1,
	MLX5LM_HOOK_COMMIT = 2,
	MLX5LM_HOOK_RELEASE = 3
};

/**
 * enum mlx5lm_reason - why a session ended as it did, for programs
 * @MLX5LM_REASON_UNKNOWN: it runs, or was not started
 * @MLX5LM_REASON_NONE: it completed
 * @MLX5LM_REASON_OTHER: none of the below; the error has libvirt's or QEMU's words as they were
 * @MLX5LM_REASON_CANCELLED: by the caller
 * @MLX5LM_REASON_CONNECT_DEADLINE: a daemon did not let itself be connected to in time
 * @MLX5LM_REASON_SETUP_DEADLINE: QEMU at the destination was not ready in time
 * @MLX5LM_REASON_STALLED: nothing new was reached for as long as the policy allows
 * @MLX5LM_REASON_TOTAL_DEADLINE: it took longer than allowed
 * @MLX5LM_REASON_NEVER_CONVERGES: the limits cannot be met by what the VFs' state needs
 * @MLX5LM_REASON_HOSTS_INCOMPATIBLE: the hosts differ in something that matters
 * @MLX5LM_REASON_SAME_HOST: source and destination are the same host
 * @MLX5LM_REASON_VF_UNFIT: a VF, or its counterpart, is missing, not ready or not migratable
 * @MLX5LM_REASON_VF_IN_USE: somebody else has the destination's VF
 * @MLX5LM_REASON_DOMAIN_UNFIT: the domain cannot be migrated as it is
 * @MLX5LM_REASON_DOMAIN_EXISTS: the destination has this domain already
 * @MLX5LM_REASON_DOMAIN_GONE: the source does not have the domain (any more)
 * @MLX5LM_REASON_HOOK: a hook of the caller failed
 * @MLX5LM_REASON_SOURCE_UNREACHABLE: no connection to the source's daemon
 * @MLX5LM_REASON_DESTINATION_UNREACHABLE: no connection to the destination's daemon
 * @MLX5LM_REASON_SOURCE_DAEMON_LOST: the source's daemon died, or does not answer any more
 * @MLX5LM_REASON_DESTINATION_DAEMON_LOST: the same of the destination's; keepalive included
 * @MLX5LM_REASON_SOURCE_QEMU_DIED: QEMU of the domain died at the source
 * @MLX5LM_REASON_DESTINATION_QEMU_DIED: QEMU died at the destination
 * @MLX5LM_REASON_DATA_CONNECTION: the two QEMUs cannot reach one another, or lost one another
 * @MLX5LM_REASON_AUTHENTICATION: a daemon or TLS peer does not accept the other
 * @MLX5LM_REASON_TLS: TLS is not set up on a host
 * @MLX5LM_REASON_NO_KERNEL_SUPPORT: the VF's driver at the source cannot migrate
 * @MLX5LM_REASON_NO_DIRTY_TRACKING: neither device nor IOMMU can track what the VF writes
 * @MLX5LM_REASON_NO_P2P: several VFs, not all with the states for peer-to-peer DMA
 * @MLX5LM_REASON_VIOMMU: the domain has a virtual IOMMU
 * @MLX5LM_REASON_POSTCOPY: post-copy is enabled
 * @MLX5LM_REASON_TOO_MUCH_MEMORY: the domain is too large for dirty tracking
 * @MLX5LM_REASON_VF_SAVE: the VF's state could not be saved at the source
 * @MLX5LM_REASON_VF_LOAD: the VF's state was refused at the destination
 * @MLX5LM_REASON_VF_STATE: a VF did not change its state (suspend, resume)
 * @MLX5LM_REASON_MEMORY_PINNING: the domain's memory cannot be pinned or locked
 * @MLX5LM_REASON_CPU: the destination has not the domain's CPU
 * @MLX5LM_REASON_MACHINE_TYPE: the destination's QEMU has not the domain's machine type or device
 * @MLX5LM_REASON_DOMAIN_XML: the destination's XML differs in what the guest sees
 * @MLX5LM_REASON_DISK: a disk is not shared, or not safe to migrate
 * @MLX5LM_REASON_JOB_LOCK: another job has the domain
 * @MLX5LM_REASON_ABORTED_ELSEWHERE: somebody else aborted the migration
 * @MLX5LM_REASON_SPLIT_BRAIN: both copies of the guest run
 * @MLX5LM_REASON_OUTCOME_UNKNOWN: where the guest runs could not be found out
 * @MLX5LM_REASON_VERIFY: the guest has moved, but not all is as it should be
 * @MLX5LM_REASON_RESOURCES: memory, threads or file descriptors of this process are used up
 *
 * A receiver must accept values it does not know. Since: 0.5
 */
enum mlx5lm_reason {
	MLX5LM_REASON_UNKNOWN = 0,
	MLX5LM_REASON_NONE = 1,
	MLX5LM_REASON_OTHER = 2,
	MLX5LM_REASON_CANCELLED = 3,
	MLX5LM_REASON_CONNECT_DEADLINE = 4,
	MLX5LM_REASON_SETUP_DEADLINE = 5,
	MLX5LM_REASON_STALLED = 6,
	MLX5LM_REASON_TOTAL_DEADLINE = 7,
	MLX5LM_REASON_NEVER_CONVERGES = 8,
	MLX5LM_REASON_HOSTS_INCOMPATIBLE = 9,
	MLX5LM_REASON_SAME_HOST = 10,
	MLX5LM_REASON_VF_UNFIT = 11,
	MLX5LM_REASON_VF_IN_USE = 12,
	MLX5LM_REASON_DOMAIN_UNFIT = 13,
	MLX5LM_REASON_DOMAIN_EXISTS = 14,
	MLX5LM_REASON_DOMAIN_GONE = 15,
	MLX5LM_REASON_HOOK = 16,
	MLX5LM_REASON_SOURCE_UNREACHABLE = 17,
	MLX5LM_REASON_DESTINATION_UNREACHABLE = 18,
	MLX5LM_REASON_SOURCE_DAEMON_LOST = 19,
	MLX5LM_REASON_DESTINATION_DAEMON_LOST = 20,
	MLX5LM_REASON_SOURCE_QEMU_DIED = 21,
	MLX5LM_REASON_DESTINATION_QEMU_DIED = 22,
	MLX5LM_REASON_DATA_CONNECTION = 23,
	MLX5LM_REASON_AUTHENTICATION = 24,
	MLX5LM_REASON_TLS = 25,
	MLX5LM_REASON_NO_KERNEL_SUPPORT = 26,
	MLX5LM_REASON_NO_DIRTY_TRACKING = 27,
	MLX5LM_REASON_NO_P2P = 28,
	MLX5LM_REASON_VIOMMU = 29,
	MLX5LM_REASON_POSTCOPY = 30,
	MLX5LM_REASON_TOO_MUCH_MEMORY = 31,
	MLX5LM_REASON_VF_SAVE = 32,
	MLX5LM_REASON_VF_LOAD = 33,
	MLX5LM_REASON_VF_STATE = 34,
	MLX5LM_REASON_MEMORY_PINNING = 35,
	MLX5LM_REASON_CPU = 36,
	MLX5LM_REASON_MACHINE_TYPE = 37,
	MLX5LM_REASON_DOMAIN_XML = 38,
	MLX5LM_REASON_DISK = 39,
	MLX5LM_REASON_JOB_LOCK = 40,
	MLX5LM_REASON_ABORTED_ELSEWHERE = 41,
	MLX5LM_REASON_SPLIT_BRAIN = 42,
	MLX5LM_REASON_OUTCOME_UNKNOWN = 43,
	MLX5LM_REASON_VERIFY = 44,
	MLX5LM_REASON_RESOURCES = 45
};

/**
 * enum mlx5lm_session_key - what can be set for a session
 * @MLX5LM_SESSION_UNKNOWN: none
 * @MLX5LM_SESSION_DOMAIN: str, name or UUID of the domain; must be set
 * @MLX5LM_SESSION_SOURCE_URI: str, libvirt URI of the source as seen from this process; until it is
 *	set "qemu:///system"
 * @MLX5LM_SESSION_DESTINATION_URI: str, libvirt URI of the destination as seen from this process;
 *	must be set
 * @MLX5LM_SESSION_PEER_URI: str, the same as seen from the source's daemon, if that differs
 * @MLX5LM_SESSION_DATA_URI: str, where QEMU sends the data, such as "tcp://10.0.0.2"; until it is
 *	set libvirt chooses
 * @MLX5LM_SESSION_TLS_DESTINATION: str, name in the certificate of the destination, if it is not its
 *	hostname
 * @MLX5LM_SESSION_JOURNAL_DIR: str, directory for the file by which mlx5lm_session_attach() finds a
 *	running migration again; until it is set there is none
 * @MLX5LM_SESSION_CONTROL: u64, enum mlx5lm_control; P2P until it is set
 * @MLX5LM_SESSION_PERSISTENT: u64, 1: define the domain at the destination and undefine it at the
 *	source, if it was persistent there, as until it is set; 0: leave definitions alone
 * @MLX5LM_SESSION_BANDWIDTH_MIB_PER_S: u64, limit; 0, as until it is set: none
 * @MLX5LM_SESSION_SWITCHOVER_BANDWIDTH_MIB_PER_S: u64, what QEMU reckons with for the last part
 *	(libvirt 11.1, QEMU 8.2); 0, as until it is set: what it measures
 * @MLX5LM_SESSION_CHANNELS: u64, parallel connections for the data (multifd); 0: one for all; until
 *	it is set several if both QEMUs send VF state over them and the domain has several VFs
 * @MLX5LM_SESSION_TLS: u64, 1: encrypt the data; 0, as until it is set: do not
 * @MLX5LM_SESSION_INTERVAL_MS: u64, time between samples, 50 to 60000; 200 until it is set
 * @MLX5LM_SESSION_DOWNTIME_LIMIT_MS: u64, the limit to begin with, 1 to 2000000; 0, as until it is
 *	set: QEMU's own (300)
 * @MLX5LM_SESSION_DOWNTIME_CEILING_MS: u64, up to where the policy may raise the limit, at most
 *	2000000; 0, as until it is set: not at all
 * @MLX5LM_SESSION_DOWNTIME_STEPS: u64, steps from limit to ceiling, 1 to 100; 5 until it is set
 * @MLX5LM_SESSION_STALL_ITERATIONS: u64, a stall is so many iterations without a new low of the
 *	memory that remains, and not less than 2 s, 1 to 1000; 3 until it is set
 * @MLX5LM_SESSION_STALL_ACTION: u64, enum mlx5lm_action at each stall; until it is set
 *	RAISE_DOWNTIME if there is a ceiling, else CONTINUE
 * @MLX5LM_SESSION_STALL_DEADLINE_MS: u64, time without a new low until the deadline's action; 0, as
 *	until it is set: none
 * @MLX5LM_SESSION_CONNECT_DEADLINE_MS: u64, for both daemons together; 30000 until it is set
 * @MLX5LM_SESSION_SETUP_DEADLINE_MS: u64, until QEMU copies; 0, as until it is set: none
 * @MLX5LM_SESSION_TOTAL_DEADLINE_MS: u64, since the start; 0, as until it is set: none
 * @MLX5LM_SESSION_ANSWER_DEADLINE_MS: u64, how long a daemon may keep an answer back before it is
 *	given up, 1000 to 3600000; 30000 until it is set
 * @MLX5LM_SESSION_DEADLINE_ACTION: u64, enum mlx5lm_action when the stall or total deadline passes:
 *	ABORT, as until it is set, or FORCE_SWITCHOVER, which aborts only if that does not help either
 * @MLX5LM_SESSION_VF_STATE_BYTES: u64, size of the state of one VF; until it is set 100 MiB are
 *	reckoned with, and nothing is refused for it
 * @MLX5LM_SESSION_LINK_MIB_PER_S: u64, what the network between the hosts carries; for the forecast
 * @MLX5LM_SESSION_MAKEABLE: u64, 1: also take VFs of the destination that the PREPARE hook makes
 *	ready; 0, as until it is set: do not
 *
 * Since: 0.5
 */
enum mlx5lm_session_key {
	MLX5LM_SESSION_UNKNOWN = 0,
	MLX5LM_SESSION_DOMAIN = 1,
	MLX5LM_SESSION_SOURCE_URI = 2,
	MLX5LM_SESSION_DESTINATION_URI = 3,
	MLX5LM_SESSION_PEER_URI = 4,
	MLX5LM_SESSION_DATA_URI = 5,
	MLX5LM_SESSION_TLS_DESTINATION = 6,
	MLX5LM_SESSION_JOURNAL_DIR = 7,
	MLX5LM_SESSION_CONTROL = 8,
	MLX5LM_SESSION_PERSISTENT = 9,
	MLX5LM_SESSION_BANDWIDTH_MIB_PER_S = 10,
	MLX5LM_SESSION_SWITCHOVER_BANDWIDTH_MIB_PER_S = 11,
	MLX5LM_SESSION_CHANNELS = 12,
	MLX5LM_SESSION_TLS = 13,
	MLX5LM_SESSION_INTERVAL_MS = 14,
	MLX5LM_SESSION_DOWNTIME_LIMIT_MS = 15,
	MLX5LM_SESSION_DOWNTIME_CEILING_MS = 16,
	MLX5LM_SESSION_DOWNTIME_STEPS = 17,
	MLX5LM_SESSION_STALL_ITERATIONS = 18,
	MLX5LM_SESSION_STALL_ACTION = 19,
	MLX5LM_SESSION_STALL_DEADLINE_MS = 20,
	MLX5LM_SESSION_CONNECT_DEADLINE_MS = 21,
	MLX5LM_SESSION_SETUP_DEADLINE_MS = 22,
	MLX5LM_SESSION_TOTAL_DEADLINE_MS = 23,
	MLX5LM_SESSION_ANSWER_DEADLINE_MS = 24,
	MLX5LM_SESSION_DEADLINE_ACTION = 25,
	MLX5LM_SESSION_VF_STATE_BYTES = 26,
	MLX5LM_SESSION_LINK_MIB_PER_S = 27,
	MLX5LM_SESSION_MAKEABLE = 28
};

/**
 * mlx5lm_session_fn - told of each event of a session
 * @progress: the state now; valid during the call
 * @userdata: as registered
 *
 * Runs only inside mlx5lm_session_dispatch() and mlx5lm_session_run(), on their caller's
 * thread. Of the same session only mlx5lm_session_cancel() may be called from it; the others
 * return -EBUSY.
 *
 * Return: 0 to go on; negative cancels the migration.
 */
typedef int (*mlx5lm_session_fn)(const struct mlx5lm_progress *progress, void *userdata);

/**
 * mlx5lm_session_hook_fn - does the caller's part at the destination
 * @session: the session; mlx5lm_session_get_comparison() has the pairs of VFs
 * @hook: what is due
 * @userdata: as registered
 *
 * Runs only inside mlx5lm_session_dispatch(), mlx5lm_session_next_event(), mlx5lm_session_run() and,
 * of a session that still runs, the last mlx5lm_session_unref(), on their caller's thread, and the
 * migration waits for it, but for COMMIT: that one runs while QEMU goes on. May take its time and must be able to be called again after a crash. Of the
 * same session it may call the functions that say so.
 *
 * Return: 0; negative: PREPARE has failed and the migration is not started; COMMIT has failed and
 * the migration is aborted if that is still possible. A failure of RELEASE is noted.
 */
typedef int (*mlx5lm_session_hook_fn)(struct mlx5lm_session *session, enum mlx5lm_hook hook,
				      void *userdata);

/**
 * mlx5lm_session_options_new() - make options of a session
 * @ret: where to put them; yours, release with mlx5lm_session_options_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.1
 */
int mlx5lm_session_options_new(struct mlx5lm_session_options **ret);

/**
 * mlx5lm_session_options_set_str() - set a text
 * @options: options
 * @key: which
 * @value: the text, of which a copy is kept; NULL for what it was before it was set
 *
 * Return: 0; -EINVAL if @key is not known to this library or no text, or @value is empty; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.5
 */
int mlx5lm_session_options_set_str(struct mlx5lm_session_options *options,
				   enum mlx5lm_session_key key, const char *value);

/**
 * mlx5lm_session_options_set_u64() - set a number
 * @options: options
 * @key: which; its unit is in its name
 * @value: the number
 *
 * Return: 0; -EINVAL if @key is not known to this library or no number; -ERANGE if @value is none of
 * those that @key takes.
 * Thread: one thread at a time on one object. Since: 0.5
 */
int mlx5lm_session_options_set_u64(struct mlx5lm_session_options *options,
				   enum mlx5lm_session_key key, uint64_t value);

/**
 * mlx5lm_session_options_get_str() - a text that is set
 * @options: options
 * @key: which
 * @ret: where to put it; borrowed from @options until it is set again
 *
 * Return: 0; -ENODATA if it is not set; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.5
 */
int mlx5lm_session_options_get_str(const struct mlx5lm_session_options *options,
				   enum mlx5lm_session_key key, const char **ret);

/**
 * mlx5lm_session_options_get_u64() - a number that is set, or holds until it is
 * @options: options
 * @key: which
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if it is not set and the library decides later; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.5
 */
int mlx5lm_session_options_get_u64(const struct mlx5lm_session_options *options,
				   enum mlx5lm_session_key key, uint64_t *ret);

/**
 * mlx5lm_session_options_set_source_connection() - use a connection that the caller has
 * @options: options
 * @connection: virConnectPtr to the source's daemon, open for reading and writing; the options
 *	take a reference of their own; NULL for none
 *
 * Instead of MLX5LM_SESSION_SOURCE_URI. The session opens connections of its own to the same URI,
 * one for the migration, which blocks it, and one for the looks at it; where they cannot be had,
 * because a password was typed in for example, it shares this one, and what libvirt has to report goes
 * where the caller's errors go.
 *
 * Return: 0; -EINVAL if libvirt does not take @connection.
 * Thread: one thread at a time on one object. Since: 0.5
 */
int mlx5lm_session_options_set_source_connection(struct mlx5lm_session_options *options,
						 struct _virConnect *connection);

/**
 * mlx5lm_session_options_set_hosts() - snapshots of both hosts
 * @options: options
 * @source: snapshot of the source; kept alive by the options
 * @destination: snapshot of the destination, as recent as can be; kept alive by the options
 *
 * The preflight compares them for the domain as mlx5lm_compare() does, and refuses what that calls
 * incompatible. A domain without VFs needs no snapshots.
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_session_options_set_hosts(struct mlx5lm_session_options *options,
				     struct mlx5lm_host *source, struct mlx5lm_host *destination);

/**
 * mlx5lm_session_options_set_vf() - say which destination VF takes over a source VF
 * @options: options
 * @source_bdf: a VF of the domain
 * @destination_bdf: the VF at the destination
 *
 * May be called once for each VF. VFs not named are paired by the comparison.
 *
 * Return: 0; -EINVAL if an address is no BDF; -EEXIST if @source_bdf or @destination_bdf was
 * named before; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_session_options_set_vf(struct mlx5lm_session_options *options, const char *source_bdf,
				  const char *destination_bdf);

/**
 * mlx5lm_session_options_free() - release options
 * @options: options, may be NULL
 *
 * Thread: any. Since: 0.1
 */
void mlx5lm_session_options_free(struct mlx5lm_session_options *options);

/**
 * mlx5lm_session_new() - make a session
 * @ctx: a context
 * @options: what to migrate where; copied
 * @ret: where to put the session; yours, release with mlx5lm_session_unref()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Touches nothing yet.
 *
 * Return: 0; -EINVAL if something that must be set is not, or two things contradict one another;
 * -ENOMEM; another -errno if the process has no file descriptors left.
 * Thread: any. Since: 0.1
 */
int mlx5lm_session_new(struct mlx5lm_ctx *ctx, const struct mlx5lm_session_options *options,
		       struct mlx5lm_session **ret, struct mlx5lm_error **reterr);

/**
 * mlx5lm_session_attach() - take a migration over whose caller has died
 * @ctx: a context
 * @journal_dir: the directory that was MLX5LM_SESSION_JOURNAL_DIR
 * @domain: name or UUID of the domain
 * @ret: where to put the session; yours, release with mlx5lm_session_unref()
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Reads the journal and locks it. The session is then registered with, started and run as a new
 * one: it looks whether the migration still runs, goes on with its policy if it does, and in any
 * case finds out where the guest is, verifies and cleans up. A session in direct control does not
 * outlive its caller: its guest is found at the source.
 *
 * Return: 0; -EINVAL; -ENOENT if there is no journal of the domain; -EBUSY if another process
 * has it; -EBADMSG if it is damaged; -EPERM if others could have written it; -ENOMEM.
 * Thread: any. Since: 0.5
 */
int mlx5lm_session_attach(struct mlx5lm_ctx *ctx, const char *journal_dir, const char *domain,
			  struct mlx5lm_session **ret, struct mlx5lm_error **reterr);

/**
 * mlx5lm_session_ref() - take one more reference
 * @session: a session, may be NULL
 *
 * Return: @session.
 * Thread: any. Since: 0.1
 */
struct mlx5lm_session *mlx5lm_session_ref(struct mlx5lm_session *session);

/**
 * mlx5lm_session_unref() - give a reference back
 * @session: a session, may be NULL
 *
 * The last one ends a session that still runs: it is cancelled, and the call waits until
 * libvirt has let go, but no longer than MLX5LM_SESSION_ANSWER_DEADLINE_MS for a daemon that does
 * not answer; what waits for that daemon then goes when it does answer.
 *
 * Return: NULL.
 * Thread: any, except from the session's own callback. Since: 0.1
 */
struct mlx5lm_session *mlx5lm_session_unref(struct mlx5lm_session *session);

/**
 * mlx5lm_session_set_progress() - be told of each event
 * @session: a session
 * @fn: called for each event; NULL for none
 * @userdata: passed to @fn
 * @destroy: releases @userdata, may be NULL
 *
 * Return: 0; -EINVAL (then @destroy has been called); -EBUSY from within @fn (likewise).
 * Thread: one thread at a time on one session. Since: 0.1
 */
int mlx5lm_session_set_progress(struct mlx5lm_session *session, mlx5lm_session_fn fn,
				void *userdata, mlx5lm_destroy_fn destroy);

/**
 * mlx5lm_session_set_hook() - do something at the destination before, at and after the switchover
 * @session: a session that was not started
 * @fn: called for each enum mlx5lm_hook; NULL for none
 * @userdata: passed to @fn
 * @destroy: releases @userdata, may be NULL
 *
 * Return: 0; -EINVAL or -EALREADY if it was started (then @destroy has been called).
 * Thread: one thread at a time on one session. Since: 0.5
 */
int mlx5lm_session_set_hook(struct mlx5lm_session *session, mlx5lm_session_hook_fn fn,
			    void *userdata, mlx5lm_destroy_fn destroy);

/**
 * mlx5lm_session_set_hook_error() - say why a hook is going to fail
 * @session: the session
 * @message: one line; of which a copy is kept
 * @remedy: what to do about it, likewise; may be NULL
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: only from within the hook. Since: 0.5
 */
int mlx5lm_session_set_hook_error(struct mlx5lm_session *session, const char *message,
				  const char *remedy);

/**
 * mlx5lm_session_set_destination() - tell what the destination is like after PREPARE
 * @session: the session
 * @destination: a new snapshot; kept alive by the session
 *
 * The comparison is made again before the migration is started. Needed if VFs were taken that had
 * to be made ready (MLX5LM_SESSION_MAKEABLE): unless it is told that they are, they count as
 * if they were.
 *
 * Return: 0; -EINVAL.
 * Thread: only from within the hook, at MLX5LM_HOOK_PREPARE. Since: 0.5
 */
int mlx5lm_session_set_destination(struct mlx5lm_session *session,
				   struct mlx5lm_host *destination);

/**
 * mlx5lm_session_start() - begin, and return at once
 * @session: a session that was not started
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * From now on the session has two threads of its own, which make the calls of libvirt that may
 * block and run no code of the caller: one migrates, the other one looks on and does what the
 * policy decides. mlx5lm_session_dispatch() or mlx5lm_session_next_event() must be called
 * whenever the file descriptor is readable, until the end.
 *
 * Return: 0; -EINVAL; -EALREADY if it was started; -EBUSY from within the callback; -EAGAIN if
 * no thread can be had.
 * Thread: one thread at a time on one session. Since: 0.1
 */
int mlx5lm_session_start(struct mlx5lm_session *session, struct mlx5lm_error **reterr);

/**
 * mlx5lm_session_get_fd() - a file descriptor for poll(), epoll or any event loop
 * @session: a session
 *
 * Readable when mlx5lm_session_dispatch() has something to do. Do not read it, do not close it.
 *
 * Return: the file descriptor, valid as long as the session; -EINVAL.
 * Thread: any. Since: 0.1
 */
int mlx5lm_session_get_fd(const struct mlx5lm_session *session);

/**
 * mlx5lm_session_dispatch() - do what is due, without waiting for more
 * @session: a session that was started
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Takes what the session's threads have found and runs callback and hook; makes no call of libvirt.
 * How the migration itself went is told by mlx5lm_session_get_result().
 *
 * Return: 1 while the session runs; 0 when a final phase is reached; -EINVAL if it was not
 * started; -EBUSY from within the callback.
 * Thread: one thread at a time on one session. Since: 0.1
 */
int mlx5lm_session_dispatch(struct mlx5lm_session *session, struct mlx5lm_error **reterr);

/**
 * mlx5lm_session_next_event() - wait for the next event, instead of dispatch and callback
 * @session: a session that was started
 * @timeout_ms: for how many milliseconds to wait; 0 not at all, UINT32_MAX for ever
 * @ret: where to put the state at the event; borrowed from @session until the next call
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * For bindings that would rather not be called back. Does what mlx5lm_session_dispatch() does; a
 * hook runs here, a progress callback does not. Samples that were not fetched are replaced by
 * newer ones, other events are kept.
 *
 * Return: 1 with an event in *@ret; 0 if none came in time; -ENODATA after MLX5LM_EVENT_DONE was
 * fetched; -EINVAL if it was not started; -EBUSY from within a callback.
 * Thread: blocks; one thread at a time on one session. Since: 0.5
 */
int mlx5lm_session_next_event(struct mlx5lm_session *session, uint32_t timeout_ms,
			      const struct mlx5lm_progress **ret, struct mlx5lm_error **reterr);

/**
 * mlx5lm_session_run() - start if need be, dispatch until the end, tell the result
 * @session: a session
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * Return: as mlx5lm_session_get_result(); -EINVAL; -EBUSY from within the callback.
 * Thread: blocks; one thread at a time on one session. Since: 0.1
 */
int mlx5lm_session_run(struct mlx5lm_session *session, struct mlx5lm_error **reterr);

/**
 * mlx5lm_session_cancel() - stop the migration, leave the domain at the source
 * @session: a session
 *
 * Only asks, and returns at once; the session's own thread tells libvirt, and a final phase
 * follows. In MLX5LM_PHASE_SETUP libvirt stops only when QEMU at the destination has started.
 * Once the guest runs at the destination there is no way back and the session completes. A
 * daemon that does not answer is given up after MLX5LM_SESSION_ANSWER_DEADLINE_MS.
 *
 * Return: 0; -EINVAL.
 * Thread: any, also from the session's callbacks and while another thread is in
 * mlx5lm_session_run(). Since: 0.1
 */
int mlx5lm_session_cancel(struct mlx5lm_session *session);

/**
 * mlx5lm_session_force_switchover() - end pre-copy now, however long the downtime
 * @session: a session
 *
 * Raises the downtime limit to QEMU's largest. Remembered if the migration has not begun.
 *
 * Return: 0; -EINVAL.
 * Thread: any, as mlx5lm_session_cancel(). Since: 0.5
 */
int mlx5lm_session_force_switchover(struct mlx5lm_session *session);

/**
 * mlx5lm_session_get_result() - how it ended
 * @session: a session
 * @reterr: set if it failed or was cancelled; may be NULL; yours, release with
 *          mlx5lm_error_free()
 *
 * Return: 0 if COMPLETED; -EINPROGRESS while it runs or before it was started; -ECANCELED if
 * CANCELLED; else the -errno of the failure, which the error explains.
 * Thread: one thread at a time on one session. Since: 0.1
 */
int mlx5lm_session_get_result(const struct mlx5lm_session *session, struct mlx5lm_error **reterr);

/**
 * mlx5lm_session_get_reason() - why it ended as it did, for programs
 * @session: a session, may be NULL
 *
 * Return: the reason; UNKNOWN while it runs and for NULL.
 * Thread: one thread at a time on one session; also from its callback. Since: 0.5
 */
enum mlx5lm_reason mlx5lm_session_get_reason(const struct mlx5lm_session *session);

/**
 * mlx5lm_session_get_comparison() - what the preflight found of the two hosts and the domain
 * @session: a session
 *
 * Return: the comparison, borrowed from @session, with the pairs of VFs; NULL before the preflight
 * is done, for an attached session and for a domain without VFs.
 * Thread: one thread at a time on one session; also from its callback and hook. Since: 0.5
 */
const struct mlx5lm_comparison *
mlx5lm_session_get_comparison(const struct mlx5lm_session *session);

/**
 * mlx5lm_session_get_findings() - what the session itself has to say
 * @session: a session
 *
 * On the forecast and the limits, on what the daemons can do, and of the verification. The ids
 * begin with "session."; see doc/findings.md.
 *
 * Return: the findings, borrowed from @session until the next dispatch; NULL for NULL.
 * Thread: one thread at a time on one session; also from its callback. Since: 0.5
 */
const struct mlx5lm_findings *mlx5lm_session_get_findings(const struct mlx5lm_session *session);

/**
 * mlx5lm_session_length_pairs() - number of VFs that move
 * @session: a session, may be NULL
 *
 * Return: the number; 0 before the preflight is done.
 * Thread: one thread at a time on one session; also from its callback and hook. Since: 0.5
 */
size_t mlx5lm_session_length_pairs(const struct mlx5lm_session *session);

/**
 * mlx5lm_session_get_pair() - a VF that moves and where it moves to
 * @session: a session
 * @index: less than mlx5lm_session_length_pairs()
 *
 * Also of an attached session, which has no comparison.
 *
 * Return: the pair, borrowed from @session; NULL if there is none of that index.
 * Thread: one thread at a time on one session; also from its callback and hook. Since: 0.5
 */
const struct mlx5lm_pair *mlx5lm_session_get_pair(const struct mlx5lm_session *session,
						  size_t index);

/**
 * mlx5lm_session_serialize() - write what a session did and how it ended
 * @session: a session
 * @format: JSON (doc/schema/session-1.json) or text
 * @ret: where to put the text; yours, release with mlx5lm_text_free()
 *
 * Phases with their durations, numbers, forecast beside result, what the policy did, findings,
 * reason and error.
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one session. Since: 0.5
 */
int mlx5lm_session_serialize(const struct mlx5lm_session *session, enum mlx5lm_format format,
			     struct mlx5lm_text **ret);

/**
 * mlx5lm_session_get_progress() - the state now
 * @session: a session
 *
 * Return: the progress, borrowed from @session, changed by the next dispatch; NULL for NULL.
 * Thread: one thread at a time on one session. Since: 0.1
 */
const struct mlx5lm_progress *mlx5lm_session_get_progress(const struct mlx5lm_session *session);

/**
 * mlx5lm_progress_get_event() - why the callback is called
 * @progress: a progress, may be NULL
 *
 * Return: the event; UNKNOWN for NULL and outside the callback.
 * Thread: as the session. Since: 0.1
 */
enum mlx5lm_event mlx5lm_progress_get_event(const struct mlx5lm_progress *progress);

/**
 * mlx5lm_progress_get_phase() - where the session is
 * @progress: a progress, may be NULL
 *
 * Return: the phase; UNKNOWN for NULL.
 * Thread: as the session. Since: 0.1
 */
enum mlx5lm_phase mlx5lm_progress_get_phase(const struct mlx5lm_progress *progress);

/**
 * mlx5lm_progress_get_u64() - a number of a session
 * @progress: a progress
 * @key: which; its unit is in the key's name
 * @ret: where to put it
 *
 * Return: 0; -ENODATA if not known (yet); -EINVAL if @key is not known to this library.
 * Thread: as the session. Since: 0.1
 */
int mlx5lm_progress_get_u64(const struct mlx5lm_progress *progress, enum mlx5lm_progress_key key,
			    uint64_t *ret);

/**
 * mlx5lm_progress_serialize() - write a progress as one line of JSON
 * @progress: a progress
 * @ret: where to put the text; yours, release with mlx5lm_text_free()
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: as the session. Since: 0.1
 */
int mlx5lm_progress_serialize(const struct mlx5lm_progress *progress, struct mlx5lm_text **ret);

/**
 * mlx5lm_phase_str() - name of a phase
 * @phase: a phase
 *
 * Return: a static word such as "pre-copy"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_phase_str(enum mlx5lm_phase phase);

/**
 * mlx5lm_event_str() - name of an event
 * @event: an event
 *
 * Return: a static word such as "sample"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.1
 */
const char *mlx5lm_event_str(enum mlx5lm_event event);

/**
 * mlx5lm_reason_str() - name of a reason
 * @reason: a reason
 *
 * Return: a static word such as "destination-daemon-lost"; "unknown" for values of a newer
 * library.
 * Thread: any. Since: 0.5
 */
const char *mlx5lm_reason_str(enum mlx5lm_reason reason);

/**
 * mlx5lm_hook_str() - name of a hook
 * @hook: a hook
 *
 * Return: a static word: "prepare", "commit" or "release"; "unknown" for values of a newer library.
 * Thread: any. Since: 0.5
 */
const char *mlx5lm_hook_str(enum mlx5lm_hook hook);

#ifdef __cplusplus
}
#endif

#endif
