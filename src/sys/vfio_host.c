// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/vfio_host.h"

#include <errno.h>
#include <fcntl.h>

#include "base/cleanup.h"
#include "sys/beneath.h"
#include "sys/sysfs.h"

static uint32_t module_state(const struct mlx5lm_host *host, const char *name)
{
	const struct mlx5lm_module *module = host_find_module(host, name);

	return module ? module->state : MLX5LM_MODULE_UNKNOWN;
}

static bool is_running(const struct mlx5lm_host *host, const char *module)
{
	uint32_t state = module_state(host, module);

	return state == MLX5LM_MODULE_LOADED || state == MLX5LM_MODULE_BUILTIN;
}

/* The kernel of this host cannot have it. A module of a vendor is no matter of its config. */
static bool is_absent(const struct mlx5lm_host *host, const char *module, const char *symbol)
{
	uint32_t state = module_state(host, module);

	return state == MLX5LM_MODULE_MISSING ||
	       (state == MLX5LM_MODULE_UNKNOWN && streq(host_find_config(host, symbol), "n"));
}

/* A miscellaneous device: where its node is, what sysfs and JSON call it, who offers it. */
struct node {
	const char *path;
	const char *misc;
	const char *fact;
	const char *module;
	const char *symbol;
};

static int probe_node(const struct root *root, const struct node *node, uint32_t *ret,
		      struct mlx5lm_host *host)
{
	_cleanup_close_ int misc_fd = sysfs_open_dir(root, "sys/class/misc");
	_cleanup_close_ int fd = beneath_open(root->fd, node->path, O_PATH | O_NOFOLLOW);

	/* A container has few nodes, but sysfs is the kernel's; the node may wait for a load. */
	if (fd >= 0 || (misc_fd >= 0 && sysfs_exists(misc_fd, node->misc))) {
		*ret = MLX5LM_ANSWER_YES;
		return 0;
	}
	if (is_absent(host, node->module, node->symbol) ||
	    (misc_fd >= 0 && is_running(host, node->module))) {
		*ret = MLX5LM_ANSWER_NO;
		return 0;
	}
	return host_add_note(host, "host", node->fact,
			     "%s is not known: there is no %s, but neither is %s loaded", node->fact,
			     node->path, node->module);
}

/* Whether VFIO devices have nodes of their own: all or none. Unknown if there is no device. */
static int probe_devices(const struct root *root, struct mlx5lm_host *host)
{
	_cleanup_(strv_release) struct strv names = { 0 };
	_cleanup_close_ int fd = sysfs_open_dir(root, "sys/class/vfio-dev");
	int r = fd < 0 ? fd : sysfs_list(fd, ".", &names);

	if (r == -ENOMEM)
		return r;
	for (size_t i = 0; i < names.length; i++) {
		_cleanup_close_ int device_fd =
			sysfs_open_dir(root, "sys/class/vfio-dev/%s", names.items[i]);

		if (device_fd < 0)
			continue;
		if (sysfs_exists(device_fd, "dev"))
			host->vfio_cdev = MLX5LM_ANSWER_YES;
		/* One without IOMMU has none in any kernel. */
		else if (host->vfio_noiommu == MLX5LM_ANSWER_NO)
			host->vfio_cdev = MLX5LM_ANSWER_NO;
		return 0;
	}
	return 0;
}

static int probe_cdev(const struct root *root, struct mlx5lm_host *host)
{
	_cleanup_close_ int devices_fd = sysfs_open_dir(root, "dev/vfio/devices");
	const char *config = host_find_config(host, "VFIO_DEVICE_CDEV");
	int r;

	if (devices_fd >= 0) {
		host->vfio_cdev = MLX5LM_ANSWER_YES;
		return 0;
	}
	r = probe_devices(root, host);
	if (r < 0 || host->vfio_cdev)
		return r;
	if (config)
		host->vfio_cdev = streq(config, "n") ? MLX5LM_ANSWER_NO : MLX5LM_ANSWER_YES;
	else if (module_state(host, "vfio") == MLX5LM_MODULE_MISSING)
		host->vfio_cdev = MLX5LM_ANSWER_NO;
	if (host->vfio_cdev)
		return 0;
	return host_add_note(host, "host", "vfio_cdev",
			     "vfio_cdev is not known: there is no VFIO device, and what the kernel "
			     "was built with is not known");
}

/* A switch of a module: what it is now, or what it will be once the module is loaded. */
struct parameter {
	const char *module;
	const char *name;
	const char *option; /* both, as on the command line */
	const char *fact;
	const char *symbol; /* without it there is no such module or parameter */
};

static uint32_t switch_value(const char *text)
{
	if (strchr("yY1", text[0]) && text[0])
		return MLX5LM_ANSWER_YES;
	return text[0] && strchr("nN0", text[0]) ? MLX5LM_ANSWER_NO : MLX5LM_ANSWER_UNKNOWN;
}

static int probe_parameter(const struct root *root, const struct modprobe_conf *conf,
			   const struct parameter *parameter, uint32_t *ret,
			   struct mlx5lm_host *host)
{
	const char *option = modprobe_conf_option(conf, parameter->option);
	_cleanup_close_ int module_fd = sysfs_open_dir(root, "sys/module/%s", parameter->module);
	_cleanup_close_ int fd = sysfs_open_dir(root, "sys/module/%s/parameters", parameter->module);
	char text[SYSFS_TEXT_SIZE];
	int r = fd < 0 ? fd : sysfs_read(fd, parameter->name, text);

	if (r == 0)
		*ret = switch_value(text);
	else if ((module_fd >= 0 && r == -ENOENT) ||
		 module_state(host, parameter->module) == MLX5LM_MODULE_MISSING ||
		 streq(host_find_config(host, parameter->symbol), "n"))
		*ret = MLX5LM_ANSWER_NO;
	else if (module_fd == -ENOENT && option)
		*ret = switch_value(option);
	else if (module_fd == -ENOENT && !conf->missing &&
		 module_state(host, parameter->module) == MLX5LM_MODULE_LOADABLE)
		*ret = MLX5LM_ANSWER_NO;
	if (*ret)
		return 0;
	return host_add_note(host, "host", parameter->fact, "%s is not known: sys/module/%s: %s",
			     parameter->fact, parameter->module,
			     r == 0 ? "not understood" : strerror(-r));
}

/* The parameter itself cannot be read: vfio-pci gives its file no mode. */
static int probe_ids(const struct modprobe_conf *conf, struct mlx5lm_host *host)
{
	const char *ids = modprobe_conf_option(conf, "vfio_pci.ids");

	if (ids || !conf->missing)
		return str_replace(&host->vfio_pci_ids, ids ? ids : "");
	return host_add_note(host, "host", "vfio_pci_ids",
			     "vfio_pci_ids is not known: %s cannot be read", conf->missing);
}

int vfio_host_probe(const struct root *root, const struct modprobe_conf *conf,
		    struct mlx5lm_host *host)
{
	static const struct node iommufd = { "dev/iommu", "iommu", "iommufd", "iommufd",
					     "IOMMUFD" };
	static const struct node container = { "dev/vfio/vfio", "vfio", "vfio_container", "vfio",
					       "VFIO" };
	static const struct parameter noiommu = { "vfio", "enable_unsafe_noiommu_mode",
						  "vfio.enable_unsafe_noiommu_mode",
						  "vfio_noiommu", "VFIO_NOIOMMU" };
	static const struct parameter unsafe = { "vfio_iommu_type1", "allow_unsafe_interrupts",
						 "vfio_iommu_type1.allow_unsafe_interrupts",
						 "vfio_unsafe_interrupts", "VFIO_IOMMU_TYPE1" };
	int r;

	r = probe_node(root, &iommufd, &host->iommufd, host);
	if (r == 0)
		r = probe_node(root, &container, &host->vfio_container, host);
	if (r == 0)
		r = probe_parameter(root, conf, &noiommu, &host->vfio_noiommu, host);
	if (r == 0)
		r = probe_parameter(root, conf, &unsafe, &host->vfio_unsafe_interrupts, host);
	if (r == 0)
		r = probe_cdev(root, host);
	return r < 0 ? r : probe_ids(conf, host);
}
