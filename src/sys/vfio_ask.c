// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/vfio_ask.h"

#include <errno.h>
#include <inttypes.h>

#include "base/clock.h"
#include "sys/deadline.h"
#include "sys/pci.h"

#define MIGRATION_FACTS "vfio_migration vfio_migration_flags vfio_dirty_tracking"

/* Each VF takes some tenths of a second, mostly of waiting for its resets. */
#define MAX_JOBS 4

struct question {
	size_t item; /* of the list of VFs */
	char bdf[PCI_BDF_SIZE];
	char device[32]; /* "" is not known */
	struct fact_u64 group;
	struct vfio_answer answer;
	const char *source;
	const char *step; /* that failed */
	int result;
};

/* What one thread asks, one after the other. */
struct ask_job {
	struct refcount refcount; /* of the thread and of who started it */
	struct deadline_call *call;
	struct root *root;
	uint64_t until_ms;
	atomic_size_t done; /* their answers do not change any more */
	size_t length;
	struct question questions[];
};

static void job_unref(void *data)
{
	struct ask_job *job = data;

	if (!refcount_put(&job->refcount))
		return;
	root_unref(job->root);
	free(job);
}

static void ask_one(const struct root *root, struct question *question)
{
	question->source = "cdev";
	question->result = -ENOENT;
	if (question->device[0])
		question->result =
			vfio_ask_cdev(root, question->device, &question->answer, &question->step);
	/* A kernel, or a module, without nodes for devices. */
	if (question->result != -ENOENT || !question->group.known)
		return;
	question->source = "group";
	question->result = vfio_ask_group(root, question->group.value, question->bdf,
					  &question->answer, &question->step);
}

static int ask(void *data)
{
	struct ask_job *job = data;

	for (size_t i = 0; i < job->length && (uint64_t)clock_now_ms() < job->until_ms; i++) {
		ask_one(job->root, &job->questions[i]);
		atomic_store_explicit(&job->done, i + 1, memory_order_release);
	}
	return 0;
}

/* Whether all is known, or why it is better not to ask. *why is NULL if it can be asked. */
static bool is_answered(const struct vfio_vf *item, const char **why)
{
	const struct mlx5lm_vf *vf = item->vf;

	*why = NULL;
	if (vf->vfio_migration == MLX5LM_ANSWER_NO || vf->vfio_migration_flags.known)
		return true;
	if (item->is_free == MLX5LM_ANSWER_NO)
		*why = "it is in use";
	else if (item->is_free != MLX5LM_ANSWER_YES)
		*why = "nobody knows whether it is in use";
	else if (vf->iommu_group_viable == MLX5LM_ANSWER_NO)
		*why = "its IOMMU group is not viable";
	return false;
}

static void add_question(struct ask_job *job, const struct vfio_vfs *vfs, size_t item)
{
	const struct mlx5lm_vf *vf = vfs->items[item].vf;
	struct question *question = &job->questions[job->length++];

	question->item = item;
	question->group = vf->iommu_group;
	strcpy(question->bdf, vf->bdf);
	if (vf->vfio_device && strlen(vf->vfio_device) < sizeof(question->device))
		strcpy(question->device, vf->vfio_device);
}

static int job_new(struct root *root, uint64_t until_ms, size_t length, struct ask_job **ret)
{
	struct ask_job *job = calloc(1, sizeof(*job) + length * sizeof(job->questions[0]));

	if (!job)
		return -ENOMEM;
	refcount_init(&job->refcount);
	job->root = root_ref(root);
	job->until_ms = until_ms;
	*ret = job;
	return 0;
}

/* VFs of one group go to one thread: a group is open only once. */
static int fill_jobs(struct root *root, const struct vfio_vfs *vfs, uint64_t until_ms,
		     struct ask_job *jobs[static MAX_JOBS], struct mlx5lm_host *host)
{
	const char *why;
	int r;

	for (size_t i = 0; i < vfs->length; i++) {
		const struct mlx5lm_vf *vf = vfs->items[i].vf;
		size_t job = vf->iommu_group.value % MAX_JOBS;

		if (is_answered(&vfs->items[i], &why))
			continue;
		if (why) {
			r = host_add_note(host, vf->bdf, MIGRATION_FACTS,
					  "VFIO was not asked about the VF: %s", why);
			if (r < 0)
				return r;
			continue;
		}
		if (!jobs[job] && job_new(root, until_ms, vfs->length, &jobs[job]) < 0)
			return -ENOMEM;
		add_question(jobs[job], vfs, i);
	}
	return 0;
}

static int start(struct ask_job *job)
{
	int r;

	refcount_get(&job->refcount);
	r = deadline_start(ask, job, job_unref, &job->call);
	if (r < 0) {
		job->call = NULL;
		job_unref(job); /* the thread's */
	}
	return r == -ENOMEM ? r : 0;
}

static void end(struct ask_job *job, uint64_t until_ms)
{
	int result;

	if (job->call && deadline_wait(TAKE(job->call), until_ms, &result) == 0)
		job_unref(job); /* the thread's */
}

int vfio_take_answer(struct mlx5lm_vf *vf, const struct vfio_answer *answer, const char *source)
{
	vf->vfio_migration = answer->migration;
	vf->vfio_migration_flags = answer->flags;
	vf->vfio_dirty_tracking = answer->dirty_tracking;
	return str_replace(&vf->vfio_source, source);
}

static int note_failed(struct mlx5lm_host *host, const struct question *question)
{
	int r = question->result;

	if (r == -EBUSY)
		return host_add_note(host, question->bdf, MIGRATION_FACTS,
				     "VFIO was not asked about the VF: somebody has it open");
	return host_add_note(host, question->bdf, MIGRATION_FACTS,
			     "VFIO gave no answer about the VF: %s: %s%s",
			     question->step ? question->step : "it has neither a node nor a group",
			     strerror(-r), r == -EACCES || r == -EPERM ? "; run as root" : "");
}

static int take_answers(const struct ask_job *job, const struct vfio_vfs *vfs,
			struct mlx5lm_host *host)
{
	size_t done = atomic_load_explicit(&job->done, memory_order_acquire);
	int r = 0;

	for (size_t i = 0; r == 0 && i < job->length; i++) {
		const struct question *question = &job->questions[i];

		if (i >= done)
			r = host_add_note(
				host, question->bdf, MIGRATION_FACTS,
				"VFIO gave no answer about the VF in time: it waits for a "
				"reset of it, or of those before it");
		else if (question->result < 0)
			r = note_failed(host, question);
		else
			r = vfio_take_answer(vfs->items[question->item].vf, &question->answer,
					     question->source);
	}
	return r;
}

int vfio_ask_all(struct root *root, const struct vfio_vfs *vfs, uint64_t until_ms,
		 struct mlx5lm_host *host)
{
	struct ask_job *jobs[MAX_JOBS] = { 0 };
	int r;

	r = fill_jobs(root, vfs, until_ms, jobs, host);
	for (size_t i = 0; r == 0 && i < MAX_JOBS; i++) {
		if (jobs[i])
			r = start(jobs[i]);
	}
	for (size_t i = 0; i < MAX_JOBS; i++) {
		if (!jobs[i])
			continue;
		end(jobs[i], r < 0 ? 0 : until_ms);
		if (r == 0)
			r = take_answers(jobs[i], vfs, host);
		job_unref(jobs[i]);
	}
	return r;
}
