/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef MLX5LM_SESSION_H
#define MLX5LM_SESSION_H

#include <mlx5lm/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * enum mlx5lm_phase - where a migration session is
 * @MLX5LM_PHASE_UNKNOWN: not started
 * @MLX5LM_PHASE_PREFLIGHT: both ends are looked at; nothing has been touched
 * @MLX5LM_PHASE_PREPARE: the destination's domain XML is made
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
 *
 * Since: 0.1
 */
enum mlx5lm_event {
	MLX5LM_EVENT_UNKNOWN = 0,
	MLX5LM_EVENT_PHASE = 1,
	MLX5LM_EVENT_ITERATION = 2,
	MLX5LM_EVENT_SAMPLE = 3,
	MLX5LM_EVENT_DONE = 4
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
	MLX5LM_PROGRESS_TOTAL_MS = 13
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
 * mlx5lm_session_options_new() - make options of a session
 * @ret: where to put them; yours, release with mlx5lm_session_options_free()
 *
 * A domain, a destination URI and both hosts must be set. Source URI is "qemu:///system",
 * bandwidth and total time are not limited, the downtime limit is QEMU's own (300 ms).
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: any. Since: 0.1
 */
int mlx5lm_session_options_new(struct mlx5lm_session_options **ret);

/**
 * mlx5lm_session_options_set_domain() - which domain to migrate
 * @options: options
 * @name: name or UUID of the libvirt domain; copied
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_session_options_set_domain(struct mlx5lm_session_options *options, const char *name);

/**
 * mlx5lm_session_options_set_source_uri() - the libvirt daemon that runs the domain
 * @options: options
 * @uri: libvirt URI as seen from this process; copied
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_session_options_set_source_uri(struct mlx5lm_session_options *options, const char *uri);

/**
 * mlx5lm_session_options_set_destination_uri() - the libvirt daemon to migrate to
 * @options: options
 * @uri: libvirt URI as seen from this process and from the source daemon; copied
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_session_options_set_destination_uri(struct mlx5lm_session_options *options,
					       const char *uri);

/**
 * mlx5lm_session_options_set_data_uri() - where QEMU sends the data
 * @options: options
 * @uri: such as "tcp://10.0.0.2"; copied; NULL lets libvirt choose
 *
 * Return: 0; -EINVAL; -ENOMEM.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_session_options_set_data_uri(struct mlx5lm_session_options *options, const char *uri);

/**
 * mlx5lm_session_options_set_hosts() - snapshots of both hosts
 * @options: options
 * @source: snapshot of the source; kept alive by the options
 * @destination: snapshot of the destination, as recent as can be; kept alive by the options
 *
 * The preflight compares them, takes the VF pairs from them and refuses a destination VF that
 * is not there, in use or not ready.
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
 * mlx5lm_session_options_set_downtime_limit_ms() - wanted limit of the downtime
 * @options: options
 * @limit_ms: 1 to 2000000 milliseconds
 *
 * A limit below VF state size / bandwidth never converges.
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_session_options_set_downtime_limit_ms(struct mlx5lm_session_options *options,
						 uint32_t limit_ms);

/**
 * mlx5lm_session_options_set_bandwidth_mib_per_s() - limit of the bandwidth
 * @options: options
 * @bandwidth_mib_per_s: MiB per second; 0 is unlimited
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_session_options_set_bandwidth_mib_per_s(struct mlx5lm_session_options *options,
						   uint64_t bandwidth_mib_per_s);

/**
 * mlx5lm_session_options_set_total_deadline_ms() - cancel a migration that takes longer
 * @options: options
 * @deadline_ms: milliseconds from mlx5lm_session_start(); 0 is no deadline
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_session_options_set_total_deadline_ms(struct mlx5lm_session_options *options,
						 uint64_t deadline_ms);

/**
 * mlx5lm_session_options_set_persistent() - what becomes of the domain's definition
 * @options: options
 * @persistent: 0 leaves definitions alone; 1 defines the domain at the destination and
 *              undefines it at the source, if it was persistent there (the default)
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_session_options_set_persistent(struct mlx5lm_session_options *options, int persistent);

/**
 * mlx5lm_session_options_set_interval_ms() - how often to call back with new numbers
 * @options: options
 * @interval_ms: 50 to 60000 milliseconds; the default is 200
 *
 * Phase changes and the end are told at once.
 *
 * Return: 0; -EINVAL.
 * Thread: one thread at a time on one object. Since: 0.1
 */
int mlx5lm_session_options_set_interval_ms(struct mlx5lm_session_options *options,
					   uint32_t interval_ms);

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
 * Return: 0; -EINVAL if something that must be set is not; -ENOMEM; another -errno if the
 * process has no file descriptors left.
 * Thread: any. Since: 0.1
 */
int mlx5lm_session_new(struct mlx5lm_ctx *ctx, const struct mlx5lm_session_options *options,
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
 * libvirt has let go.
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
 * mlx5lm_session_start() - begin, and return at once
 * @session: a session that was not started
 * @reterr: set on failure; may be NULL; yours, release with mlx5lm_error_free()
 *
 * From now on the session has one thread of its own, which makes the blocking libvirt calls
 * and runs no code of the caller. mlx5lm_session_dispatch() must be called whenever the file
 * descriptor is readable, until it returns 0.
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
 * Takes new numbers from libvirt (usually a millisecond; about 200 ms once at the end) and
 * runs the callback. How the migration itself went is told by mlx5lm_session_get_result().
 *
 * Return: 1 while the session runs; 0 when a final phase is reached; -EINVAL if it was not
 * started; -EBUSY from within the callback.
 * Thread: one thread at a time on one session. Since: 0.1
 */
int mlx5lm_session_dispatch(struct mlx5lm_session *session, struct mlx5lm_error **reterr);

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
 * Only asks, and returns at once; dispatch goes on until a final phase, and must go on, for it
 * is what tells libvirt. In MLX5LM_PHASE_SETUP libvirt stops only when QEMU at the destination
 * has started. Once the guest runs at the destination there is no way back and the session
 * completes.
 *
 * Return: 0; -EINVAL.
 * Thread: any, also from the session's callback and while another thread is in
 * mlx5lm_session_run(). Since: 0.1
 */
int mlx5lm_session_cancel(struct mlx5lm_session *session);

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

#ifdef __cplusplus
}
#endif

#endif
