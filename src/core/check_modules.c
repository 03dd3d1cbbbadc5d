// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/check_rules.h"

#include <errno.h>

static const struct module_rule {
	const char *id;
	const char *name;
	const char *config;
	const char *parent; /* cannot be there without this one */
	const char *message;
} rules[] = {
	{ "module.mlx5_core", "mlx5_core", "MLX5_CORE", NULL, "kernel module mlx5_core" },
	{ "module.vfio", "vfio", "VFIO", NULL, "kernel module vfio" },
	{ "module.vfio_pci", "vfio_pci", "VFIO_PCI", "vfio", "kernel module vfio_pci" },
	{ "module.mlx5_vfio_pci", VARIANT_DRIVER, "MLX5_VFIO_PCI", "vfio",
	  "kernel module " VARIANT_DRIVER },
};

static uint32_t module_state(const struct mlx5lm_host *host, const char *name, const char *config)
{
	const struct mlx5lm_module *module = host_find_module(host, name);
	const char *value = host_find_config(host, config);

	if (module && module->state != MLX5LM_MODULE_UNKNOWN)
		return module->state;
	/* "m" does not say that it is installed. */
	if (streq(value, "n"))
		return MLX5LM_MODULE_MISSING;
	return streq(value, "y") ? MLX5LM_MODULE_BUILTIN : MLX5LM_MODULE_UNKNOWN;
}

bool module_is_missing(const struct mlx5lm_host *host, const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rules); i++) {
		if (streq(rules[i].name, name))
			return module_state(host, name, rules[i].config) == MLX5LM_MODULE_MISSING;
	}
	return false;
}

bool module_is_out_of_tree(const struct mlx5lm_host *host, const char *name)
{
	const struct mlx5lm_module *module = host_find_module(host, name);

	return module && module->in_tree == MLX5LM_ANSWER_NO;
}

static void explain_module(struct checker *checker, struct mlx5lm_finding *finding,
			   const char *name, const char *config)
{
	const struct mlx5lm_module *module = host_find_module(checker->host, name);

	if (module) {
		EXPLAIN_MODULE(module, state);
		if (module->path)
			EXPLAIN_MODULE(module, path);
		if (module->blacklisted)
			EXPLAIN_MODULE(module, blacklisted);
	}
	explain_config(checker, finding, config);
}

static void remedy_missing(struct checker *checker, struct mlx5lm_finding *finding,
			   const char *name, const char *config)
{
	const char *value = host_find_config(checker->host, config);

	if (!value)
		REMEDY("install a kernel built with CONFIG_%s", config);
	else if (streq(value, "n"))
		REMEDY("this kernel was built without CONFIG_%s: install one that has it", config);
	else
		REMEDY("install all modules of this kernel (it was built with CONFIG_%s=%s), then: "
		       "depmod -a; modprobe %s", config, value, name);
}

static void check_module(struct checker *checker, const struct module_rule *rule)
{
	const struct mlx5lm_host *host = checker->host;
	const struct mlx5lm_module *module = host_find_module(host, rule->name);
	uint32_t state = module_state(host, rule->name, rule->config);
	bool blacklisted = module && module->blacklisted == MLX5LM_ANSWER_YES &&
			   state == MLX5LM_MODULE_LOADABLE;
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_PASS;

	if (state == MLX5LM_MODULE_MISSING && rule->parent && module_is_missing(host, rule->parent)) {
		point_follows(checker, ABOUT_HOST, rule->id, rule->message, "module.vfio");
		return;
	}
	if (state == MLX5LM_MODULE_UNKNOWN)
		status = MLX5LM_STATUS_UNKNOWN;
	else if (state == MLX5LM_MODULE_MISSING)
		status = MLX5LM_STATUS_FAIL;
	else if (blacklisted)
		status = MLX5LM_STATUS_WARN;
	finding = point(checker, ABOUT_HOST, rule->id, status, rule->message);
	FOUND("%s%s%s%s", name_of(&module_state_names, state), blacklisted ? ", blacklisted" : "",
	      module && module->source ? ", by " : "",
	      module && module->source ? module->source : "");
	REQUIRED("loaded, loadable or built in");
	if (status == MLX5LM_STATUS_FAIL)
		remedy_missing(checker, finding, rule->name, rule->config);
	else if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("make lib/modules readable below the root, or: modprobe %s", rule->name);
	else if (blacklisted)
		REMEDY("modprobe %s; to load it at boot: grep -r %s /etc/modprobe.d, and take it "
		       "from the blacklist", rule->name, rule->name);
	explain_module(checker, finding, rule->name, rule->config);
}

/* VFIO needs one of two ways to the IOMMU. */
static void check_backend(struct checker *checker)
{
	const struct mlx5lm_host *host = checker->host;
	uint32_t type1 = module_state(host, "vfio_iommu_type1", "VFIO_IOMMU_TYPE1");
	uint32_t iommufd = module_state(host, "iommufd", "IOMMUFD");
	struct mlx5lm_finding *finding;
	enum mlx5lm_status status = MLX5LM_STATUS_UNKNOWN;

	if (module_is_missing(host, "vfio")) {
		point_follows(checker, ABOUT_HOST, "module.vfio_backend", "VFIO's way to the IOMMU",
			      "module.vfio");
		return;
	}
	if (type1 >= MLX5LM_MODULE_LOADABLE || iommufd >= MLX5LM_MODULE_LOADABLE ||
	    host->iommufd == MLX5LM_ANSWER_YES)
		status = MLX5LM_STATUS_PASS;
	else if (type1 == MLX5LM_MODULE_MISSING && iommufd == MLX5LM_MODULE_MISSING)
		status = MLX5LM_STATUS_FAIL;
	finding = point(checker, ABOUT_HOST, "module.vfio_backend", status,
			"VFIO's way to the IOMMU");
	FOUND("vfio_iommu_type1 %s, iommufd %s", name_of(&module_state_names, type1),
	      name_of(&module_state_names, iommufd));
	REQUIRED("one of the two loaded, loadable or built in");
	if (status == MLX5LM_STATUS_FAIL)
		remedy_missing(checker, finding, "vfio_iommu_type1", "VFIO_IOMMU_TYPE1");
	else if (status == MLX5LM_STATUS_UNKNOWN)
		REMEDY("make lib/modules readable below the root, or: modprobe vfio_iommu_type1");
	explain_module(checker, finding, "vfio_iommu_type1", "VFIO_IOMMU_TYPE1");
	explain_module(checker, finding, "iommufd", "IOMMUFD");
	EXPLAIN_HOST(iommufd);
	EXPLAIN_HOST(vfio_container);
}

/* The names of those that fit, separated by commas; NULL when out of memory. */
static char *list_modules(struct checker *checker, bool (*fits)(const struct mlx5lm_module *module))
{
	struct strbuf list = { 0 };
	char *text = NULL;

	for (size_t i = 0; i < checker->host->num_modules; i++) {
		const struct mlx5lm_module *module = &checker->host->modules[i];

		if (!module->name || !fits(module))
			continue;
		strbuf_printf(&list, "%s%s%s%s", list.length ? ", " : "", module->name,
			      module->version ? " " : "", module->version ? module->version : "");
	}
	if (strbuf_take(&list, &text) < 0)
		checker->findings->error = -ENOMEM;
	return text;
}

static bool is_out_of_tree(const struct mlx5lm_module *module)
{
	return module->in_tree == MLX5LM_ANSWER_NO;
}

/* Needed, installed, but not in the kernel yet. */
static bool waits_for_loading(const struct mlx5lm_module *module)
{
	if (module->state != MLX5LM_MODULE_LOADABLE)
		return false;
	for (size_t i = 0; i < ARRAY_LENGTH(rules); i++) {
		if (streq(rules[i].name, module->name))
			return true;
	}
	return false;
}

static void check_out_of_tree(struct checker *checker)
{
	_cleanup_free_ char *list = list_modules(checker, is_out_of_tree);
	struct mlx5lm_finding *finding;

	if (!list || !*list)
		return;
	finding = point(checker, ABOUT_HOST, "module.out_of_tree", MLX5LM_STATUS_INFO,
			"modules that are not the kernel's own: their features follow their "
			"release, not the version of the kernel");
	FOUND("%s", list);
	REQUIRED("none");
	REMEDY("remove the package they are from, if the kernel's own modules are wanted");
	for (size_t i = 0; i < checker->host->num_modules; i++) {
		const struct mlx5lm_module *module = &checker->host->modules[i];

		if (is_out_of_tree(module)) {
			EXPLAIN_MODULE(module, in_tree);
			EXPLAIN_MODULE(module, path);
		}
	}
}

static void check_modules_disabled(struct checker *checker)
{
	_cleanup_free_ char *list = NULL;
	struct mlx5lm_finding *finding;

	if (checker->host->kernel_modules_disabled != MLX5LM_ANSWER_YES)
		return;
	list = list_modules(checker, waits_for_loading);
	if (!list)
		return;
	finding = point(checker, ABOUT_HOST, "kernel.modules_disabled",
			*list ? MLX5LM_STATUS_FAIL : MLX5LM_STATUS_INFO,
			"the kernel loads no modules any more");
	FOUND("%s%s", *list ? "not loaded: " : "all are loaded", list);
	REQUIRED("all modules loaded before it is set");
	if (*list)
		REMEDY("reboot, and load %s before kernel.modules_disabled=1 is set", list);
	EXPLAIN_HOST(kernel_modules_disabled);
}

void check_modules(struct checker *checker)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
		check_module(checker, &rules[i]);
	check_backend(checker);
	check_out_of_tree(checker);
	check_modules_disabled(checker);
}
