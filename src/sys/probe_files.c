// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/probe_files.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>

#include "base/refcount.h"
#include "sys/deadline.h"
#include "sys/msix.h"
#include "sys/vfs.h"
#include "sys/vpd.h"

/* As much as any card has. Each four bytes are a round trip to the firmware. */
#define VPD_SIZE 2048
#define VPD_CHUNK 64

/* What a PF's own files are asked for, in this order. */
enum pf_step {
	STEP_NET = 1,
	STEP_MSIX_TOTAL,
	STEP_VPD,
};

struct pf_answers {
	char netdev[SYSFS_TEXT_SIZE]; /* "" is not known; so is link_state */
	char link_state[SYSFS_TEXT_SIZE];
	struct fact_u64 link_speed_mbps;
	struct fact_u64 vf_total_msix;
	char *serial_number;
	int vpd_result;
};

struct vf_answers {
	uint32_t index;
	char bdf[PCI_BDF_SIZE];
	bool bound;
	bool is_known;
	struct fact_u64 msix_count;
	bool override_known;
	bool is_held; /* by a process, while its driver is taken away */
	char override[SYSFS_TEXT_SIZE];
};

/* One thread's work on the files of a PF, or of its VFs. */
struct file_job {
	struct refcount refcount; /* of the thread and of who started it */
	struct deadline_call *call;
	int start_result;
	struct root *root;
	int pf_fd;
	bool is_sysfs;
	/*
	 * How many steps or VFs are done. Their answers do not change any more, so that they
	 * can be read while the thread waits for the next.
	 */
	atomic_size_t done;
	struct pf_answers pf;
	atomic_bool lacks_rights; /* for configuration space */
	size_t num_vfs;
	struct vf_answers vfs[];
};

struct file_jobs {
	uint64_t until_ms;
	struct file_job *pf_job;
	struct file_job *vf_job; /* NULL without VFs */
};

static void job_unref(void *data)
{
	struct file_job *job = data;

	if (!refcount_put(&job->refcount))
		return;
	root_unref(job->root);
	close_p(&job->pf_fd);
	free(job->pf.serial_number);
	free(job);
}

static void step_done(struct file_job *job, size_t done)
{
	atomic_store_explicit(&job->done, done, memory_order_release);
}

/* The uplink. In switchdev mode the representors of the VFs stand in the same directory. */
static bool is_uplink(int netdev_fd)
{
	char port[SYSFS_TEXT_SIZE];

	/* Outside switchdev mode it has no name (EOPNOTSUPP); the uplink is "p0". */
	return sysfs_read(netdev_fd, "phys_port_name", port) < 0 || !port[0] ||
	       (port[0] == 'p' && isdigit((unsigned char)port[1]));
}

static void read_net(int pf_fd, struct pf_answers *answers)
{
	_cleanup_(strv_release) struct strv names = { 0 };
	_cleanup_close_ int net_fd = -1;

	net_fd = openat(pf_fd, "net", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (net_fd < 0 || sysfs_list(net_fd, ".", &names) < 0)
		return;
	for (size_t i = 0; i < names.length; i++) {
		const char *name = names.items[i];
		_cleanup_close_ int fd =
			openat(net_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd < 0 || strlen(name) >= sizeof(answers->netdev))
			continue;
		if (names.length > 1 && !is_uplink(fd))
			continue;
		strcpy(answers->netdev, name);
		if (sysfs_read(fd, "operstate", answers->link_state) < 0)
			answers->link_state[0] = '\0';
		/* Without a link it is -1, or cannot be read. */
		pci_read_number(fd, "speed", 10, &answers->link_speed_mbps);
		return;
	}
}

static int read_vpd(int pf_fd, char **ret)
{
	_cleanup_close_ int fd = -1;
	uint8_t data[VPD_SIZE];
	size_t length = 0;
	int r = 0;

	fd = openat(pf_fd, "vpd", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (r == 0 && !*ret && length < sizeof(data)) {
		ssize_t n = pread(fd, data + length, VPD_CHUNK, (off_t)length);

		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		length += (size_t)n;
		r = vpd_serial_number(data, length, ret);
	}
	return r;
}

static int read_pf_files(void *data)
{
	struct file_job *job = data;

	read_net(job->pf_fd, &job->pf);
	step_done(job, STEP_NET);
	pci_read_number(job->pf_fd, "sriov_vf_total_msix", 10, &job->pf.vf_total_msix);
	step_done(job, STEP_MSIX_TOTAL);
	job->pf.vpd_result = read_vpd(job->pf_fd, &job->pf.serial_number);
	step_done(job, STEP_VPD);
	return 0;
}

static void read_msix(struct file_job *job, const struct vf_dir *dir, struct vf_answers *vf,
		      uint8_t *offset)
{
	_cleanup_close_ int fd = -1;

	if (job->lacks_rights)
		return;
	fd = vf_dir_open_file(dir, vf->index, vf->bdf, "config");
	if (fd >= 0 && msix_read_count(fd, offset, &vf->msix_count) == -EPERM)
		job->lacks_rights = true;
}

/*
 * The kernel shows the override under the lock that an unbind holds for as long as it waits for
 * the VF's user. It takes the link to the driver away before it waits; the VF stays enabled.
 */
static void read_override(const struct vf_dir *dir, struct vf_answers *vf)
{
	char enabled[SYSFS_TEXT_SIZE];

	vf->is_held = !vf->bound &&
		      vf_dir_read(dir, vf->index, vf->bdf, "enable", enabled) == 0 &&
		      !streq(enabled, "0");
	if (!vf->is_held)
		vf->override_known = vf_dir_read(dir, vf->index, vf->bdf, "driver_override",
						 vf->override) == 0;
}

static int read_vf_files(void *data)
{
	struct file_job *job = data;
	_cleanup_(vf_dir_release) struct vf_dir dir;
	uint8_t offset = 0;

	vf_dir_open(&dir, job->root, job->pf_fd, job->is_sysfs);
	for (size_t i = 0; i < job->num_vfs; i++) {
		struct vf_answers *vf = &job->vfs[i];

		if (vf->is_known)
			read_msix(job, &dir, vf, &offset);
		if (vf->is_known)
			read_override(&dir, vf);
		step_done(job, i + 1);
	}
	return 0;
}

static int job_new(const struct pci_bus *bus, int pf_fd, size_t num_vfs, struct file_job **ret)
{
	struct file_job *job = calloc(1, sizeof(*job) + num_vfs * sizeof(job->vfs[0]));

	if (!job)
		return -ENOMEM;
	refcount_init(&job->refcount);
	/* The root is the context's, which may go before the thread does. */
	job->root = root_ref((struct root *)bus->root);
	job->is_sysfs = bus->is_sysfs;
	job->num_vfs = num_vfs;
	job->pf_fd = fcntl(pf_fd, F_DUPFD_CLOEXEC, 0);
	job->start_result = job->pf_fd < 0 ? -errno : 0;
	*ret = job;
	return 0;
}

static int job_start(struct file_job *job, int (*fn)(void *data))
{
	if (job->start_result < 0)
		return 0;
	refcount_get(&job->refcount);
	job->start_result = deadline_start(fn, job, job_unref, &job->call);
	if (job->start_result < 0)
		job_unref(job); /* the thread's */
	return job->start_result == -ENOMEM ? -ENOMEM : 0;
}

/* How much is done when the thread ends or the time is over. */
static size_t job_wait(struct file_job *job, uint64_t until_ms)
{
	int result;

	if (job->call && deadline_wait(TAKE(job->call), until_ms, &result) == 0)
		job_unref(job); /* the thread's */
	return atomic_load_explicit(&job->done, memory_order_acquire);
}

static void job_end(struct file_job *job)
{
	if (!job)
		return;
	job_wait(job, 0);
	job_unref(job);
}

static void jobs_free(struct file_jobs *jobs)
{
	job_end(jobs->pf_job);
	job_end(jobs->vf_job);
	free(jobs);
}

DEFINE_CLEANUP(struct file_jobs *, jobs_free)

static int start_vf_job(const struct pci_bus *bus, int pf_fd, const struct mlx5lm_pf *pf,
			struct file_jobs *jobs)
{
	int r;

	if (!pf->num_vfs)
		return 0;
	r = job_new(bus, pf_fd, pf->num_vfs, &jobs->vf_job);
	if (r < 0)
		return r;
	for (size_t i = 0; i < pf->num_vfs; i++) {
		struct vf_answers *vf = &jobs->vf_job->vfs[i];

		vf->index = (uint32_t)pf->vfs[i].index.value;
		vf->bound = pf->vfs[i].driver;
		/* One that has gone meanwhile has no device id. */
		vf->is_known = pf->vfs[i].device_id.known;
		strcpy(vf->bdf, pf->vfs[i].bdf);
	}
	return job_start(jobs->vf_job, read_vf_files);
}

int probe_files_start(const struct pci_bus *bus, const struct mlx5lm_pf *pf, uint64_t until_ms,
		      struct file_jobs **ret)
{
	_cleanup_(jobs_free_p) struct file_jobs *jobs = calloc(1, sizeof(*jobs));
	_cleanup_close_ int fd = -1;
	int r;

	if (!jobs)
		return -ENOMEM;
	jobs->until_ms = until_ms;
	fd = pci_bus_open_function(bus, pf->bdf);
	r = job_new(bus, fd, 0, &jobs->pf_job);
	if (r == 0)
		r = job_start(jobs->pf_job, read_pf_files);
	if (r == 0)
		r = start_vf_job(bus, fd, pf, jobs);
	if (r < 0)
		return r;
	*ret = TAKE(jobs);
	return 0;
}

static int note_late(struct mlx5lm_host *host, const struct mlx5lm_pf *pf, size_t done)
{
	switch (done) {
	case 0:
		return host_add_note(host, pf->bdf,
				     "netdev link_state link_speed_mbps sriov_vf_total_msix "
				     "serial_number",
				     "network device, MSI-X vectors for VFs and serial number are "
				     "not known: net/*/speed waits, most likely for somebody who "
				     "changes network devices; try again");
	case STEP_NET:
		return host_add_note(host, pf->bdf, "sriov_vf_total_msix serial_number",
				     "MSI-X vectors for VFs and serial number are not known: "
				     "sriov_vf_total_msix waits, most likely for somebody who "
				     "changes the number of VFs; try again");
	case STEP_MSIX_TOTAL:
		return host_add_note(host, pf->bdf, "serial_number",
				     "serial number is not known: vpd waits for the firmware; "
				     "try again");
	}
	return 0;
}

/* Only if devlink had none. */
static int take_serial_number(struct mlx5lm_pf *pf, struct mlx5lm_host *host,
			      const struct pf_answers *answers)
{
	if (pf->serial_number || answers->vpd_result == -ENOMEM)
		return answers->vpd_result == -ENOMEM ? -ENOMEM : 0;
	if (answers->serial_number)
		return str_replace(&pf->serial_number, answers->serial_number);
	if (answers->vpd_result == -EACCES || answers->vpd_result == -EPERM)
		return host_add_note(host, pf->bdf, "serial_number",
				     "serial number is not known: vital product data is "
				     "for root only; run as root");
	return host_add_note(host, pf->bdf, "serial_number",
			     "serial number is not known: neither devlink nor vital "
			     "product data has it");
}

static int take_pf(struct mlx5lm_pf *pf, struct mlx5lm_host *host, const struct file_job *job,
		   size_t done)
{
	const struct pf_answers *answers = &job->pf;

	if (job->start_result < 0)
		return host_add_note(host, pf->bdf,
				     "netdev link_state link_speed_mbps sriov_vf_total_msix "
				     "serial_number",
				     "network device, MSI-X vectors for VFs and serial number are "
				     "not known: %s",
				     strerror(-job->start_result));
	if (done >= STEP_NET) {
		if ((answers->netdev[0] && str_replace(&pf->netdev, answers->netdev)) ||
		    (answers->link_state[0] && str_replace(&pf->link_state, answers->link_state)))
			return -ENOMEM;
		pf->link_speed_mbps = answers->link_speed_mbps;
	}
	if (done >= STEP_MSIX_TOTAL)
		pf->sriov_vf_total_msix = answers->vf_total_msix;
	if (done >= STEP_VPD)
		return take_serial_number(pf, host, answers);
	return note_late(host, pf, done);
}

static int take_vfs(struct mlx5lm_pf *pf, struct mlx5lm_host *host, const struct file_job *job,
		    size_t done)
{
	if (job->start_result < 0)
		return host_add_note(host, pf->bdf, "msix_count driver_override",
				     "MSI-X counts and driver_override of VFs are not known: %s",
				     strerror(-job->start_result));
	for (size_t i = 0; i < done; i++) {
		const struct vf_answers *vf = &job->vfs[i];

		pf->vfs[i].msix_count = vf->msix_count;
		if (vf->is_held &&
		    host_add_note(host, vf->bdf, "driver_override",
				  "driver_override is not known: the VF is being unbound, which "
				  "waits for a process that holds it; fuser -v /dev/vfio/*") < 0)
			return -ENOMEM;
		if (vf->override_known &&
		    pci_take_driver_override(vf->override, &pf->vfs[i].driver_override) < 0)
			return -ENOMEM;
	}
	if (done < job->num_vfs &&
	    host_add_note(host, pf->bdf, "msix_count driver_override",
			  "MSI-X counts and driver_override are not known from VF %s on: its "
			  "config or driver_override waits, most likely for a reset or a new "
			  "driver of the VF; try again",
			  job->vfs[done].bdf) < 0)
		return -ENOMEM;
	if (!atomic_load(&job->lacks_rights))
		return 0;
	return host_add_note(host, pf->bdf, "msix_count",
			     "MSI-X counts of VFs are not known: configuration "
			     "space is for CAP_SYS_ADMIN; run as root");
}

int probe_files_finish(struct file_jobs *started, struct mlx5lm_pf *pf, struct mlx5lm_host *host)
{
	_cleanup_(jobs_free_p) struct file_jobs *jobs = started;
	size_t done = job_wait(jobs->pf_job, jobs->until_ms);
	int r;

	r = take_pf(pf, host, jobs->pf_job, done);
	if (r < 0 || !jobs->vf_job)
		return r;
	done = job_wait(jobs->vf_job, jobs->until_ms);
	return take_vfs(pf, host, jobs->vf_job, done);
}
