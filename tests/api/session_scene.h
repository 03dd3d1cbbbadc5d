/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef TESTS_API_SESSION_SCENE_H
#define TESTS_API_SESSION_SCENE_H

#include <mlx5lm/mlx5lm.h>

#include <criterion/criterion.h>

#include <pthread.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "support/fake_libvirt.h"
#include "support/hosts.h"

/* Two daemons, a guest with a VF at the first one, and a session that is about to move it. */

#define GUEST_UUID "6f0e4bb1-6d3a-4b7a-9c6c-0a4a5a1f0001"
#define FOREVER 1000000 /* polls: longer than any test looks */

extern const char guest_xml[]; /* with VF 0000:08:00.2 */
extern const char plain_xml[]; /* without */

struct scene {
	char source_uri[32], destination_uri[32];
	struct fake_daemon *here, *there;
	struct fake_domain *guest;
	struct mlx5lm_host *source, *destination;
	struct mlx5lm_ctx *ctx;
	struct mlx5lm_session_options *options;
	struct mlx5lm_session *session;
	struct mlx5lm_error *error;
	char events[2048];  /* phases as they came, but RESUME, which may be too short to see */
	int counts[8];	    /* of each enum mlx5lm_event */
	int counts_in_pre_copy[8];
	uint64_t last_percent;
	uint64_t last_iteration;
	enum mlx5lm_phase cancel_in;	  /* by the callback's return */
	enum mlx5lm_phase cancel_call_in; /* by mlx5lm_session_cancel() */
	int reentry;
	int destroyed;
	pthread_t thread; /* that the callback must run on */
	size_t threads, fds; /* of this process before */
};

uint64_t now_ms(void);
size_t count_in(const char *directory);

void set_scene(struct scene *scene, const char *name);
void set_str(struct scene *scene, enum mlx5lm_session_key key, const char *value);
void set_u64(struct scene *scene, enum mlx5lm_session_key key, uint64_t value);

/* Instead of what set_scene() made: a guest that has no VF, and no snapshots. */
void set_plain(struct scene *scene);

/* The callback's default: notes all and checks what always holds. */
int note_event(const struct mlx5lm_progress *progress, void *userdata);
void count_destroy(void *userdata);

void make_session(struct scene *scene);
int run(struct scene *scene);

/* Starts it and dispatches until this phase; then it is the caller's turn. */
void run_until(struct scene *scene, enum mlx5lm_phase phase);
/* Dispatches to the end. */
int finish(struct scene *scene);

enum mlx5lm_phase phase_of(const struct scene *scene);
uint64_t number(const struct scene *scene, enum mlx5lm_progress_key key);

/* Releases everything and sees that nothing is left: objects of libvirt, threads, descriptors. */
void end_scene(struct scene *scene);
/* The same, without a look at the rest of the process. */
void drop_scene(struct scene *scene);

void expect_guest(const struct scene *scene, bool moved);
void expect_error(const struct scene *scene, enum mlx5lm_error_code code, const char *words);
void expect_reason(const struct scene *scene, enum mlx5lm_reason reason);
void expect_cancelled(struct scene *scene);

/* A finding of the session itself, or NULL. */
const struct mlx5lm_finding *session_finding(const struct scene *scene, const char *id);

#endif
