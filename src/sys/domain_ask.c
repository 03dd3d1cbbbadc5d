// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sys/domain_ask.h"

#include <errno.h>
#include <string.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "sys/deadline.h"
#include "sys/domain.h"
#include "sys/libvirt.h"

/* Question and answer; belongs to the thread until it has ended. */
struct ask {
	int (*work)(struct ask *ask, struct _virConnect *connection);
	char *uri;
	char *name;
	char *arch;
	char *machine;
	char *virt_type;
	char *cpu;
	char *text; /* the XML, or why the answer is no */
	uint32_t answer;
	struct mlx5lm_error *error;
};

static void ask_free(void *data)
{
	struct ask *ask = data;

	free(ask->uri);
	free(ask->name);
	free(ask->arch);
	free(ask->machine);
	free(ask->virt_type);
	free(ask->cpu);
	free(ask->text);
	mlx5lm_error_free(ask->error);
	free(ask);
}

DEFINE_CLEANUP(struct ask *, ask_free)
#define _cleanup_ask_ _cleanup_(ask_free_p)

static int work(void *data)
{
	struct ask *ask = data;
	_cleanup_libvirt_ struct _virConnect *connection = NULL;
	int r;

	r = libvirt_open(ask->uri, &connection, &ask->error);
	return r < 0 ? r : ask->work(ask, connection);
}

/* Takes the question over. The answer is in *ret, which is the caller's then. */
static int ask_run(struct ask *question, unsigned int timeout_ms, struct ask **ret,
		   struct mlx5lm_error **reterr)
{
	_cleanup_ask_ struct ask *ask = question;
	_cleanup_free_ char *uri = strdup(ask->uri);
	int r, result = 0;

	if (!uri)
		return error_no_memory(reterr);
	r = deadline_call(work, ask, ask_free, timeout_ms, &result);
	if (r == -ETIMEDOUT) {
		ask = NULL;
		error_set(reterr, MLX5LM_ERROR_TIMEOUT, ETIMEDOUT, MLX5LM_SOURCE_LIBVIRT,
			  "the libvirt daemon at %s did not answer in time", uri);
		error_add_remedy(reterr, "virsh -c '%s' version shows whether it answers; restart "
				 "it if it does not", uri);
		return r;
	}
	if (r < 0)
		return error_set(reterr, error_code_from_errno(-r), -r, MLX5LM_SOURCE_LIBRARY,
				 "no thread to ask the libvirt daemon at %s: %s", uri,
				 strerror(-r));
	if (result < 0)
		return error_pass(reterr, TAKE(ask->error));
	*ret = TAKE(ask);
	return 0;
}

static int read_xml(struct ask *ask, struct _virConnect *connection)
{
	_cleanup_domain_ struct _virDomain *domain = NULL;
	int r;

	r = domain_find(connection, ask->name, &domain, &ask->error);
	if (r < 0)
		return r;
	/* Not VIR_DOMAIN_XML_SECURE: this XML is shown to people. */
	ask->text = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_MIGRATABLE);
	if (!ask->text)
		return libvirt_error(&ask->error, MLX5LM_ERROR_IO,
				     "XML of domain '%s' cannot be read", ask->name);
	return 0;
}

int domain_ask_xml(const char *uri, const char *name_or_uuid, unsigned int timeout_ms, char **ret,
		   struct mlx5lm_error **reterr)
{
	_cleanup_ask_ struct ask *ask = calloc(1, sizeof(*ask));
	_cleanup_ask_ struct ask *answer = NULL;
	int r;

	if (!ask || str_replace(&ask->uri, uri) < 0 || str_replace(&ask->name, name_or_uuid) < 0)
		return error_no_memory(reterr);
	ask->work = read_xml;
	r = ask_run(TAKE(ask), timeout_ms, &answer, reterr);
	if (r < 0)
		return r;
	*ret = TAKE(answer->text);
	return 0;
}

int domain_compare_cpu(struct _virConnect *destination, const char *uri,
		       const struct cpu_question *question, uint32_t *ret, char **ret_note,
		       struct mlx5lm_error **reterr)
{
	/*
	 * No emulator: its path may be another one there. To fail is how libvirt tells which
	 * features are missing.
	 */
	int compared = virConnectCompareHypervisorCPU(destination, NULL, question->arch,
						      question->machine, question->virt_type,
						      question->cpu,
						      VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE);
	char *note;

	if (compared == VIR_CPU_COMPARE_IDENTICAL || compared == VIR_CPU_COMPARE_SUPERSET) {
		*ret = MLX5LM_ANSWER_YES;
		*ret_note = NULL;
		return 0;
	}
	if (compared < 0 && virGetLastErrorCode() != VIR_ERR_CPU_INCOMPATIBLE)
		return libvirt_error(reterr, MLX5LM_ERROR_IO,
				     "the libvirt daemon at %s cannot compare CPUs", uri);
	note = strdup(compared < 0 ? virGetLastErrorMessage() : "libvirt calls it incompatible");
	if (!note)
		return error_no_memory(reterr);
	*ret = MLX5LM_ANSWER_NO;
	*ret_note = note;
	return 0;
}

static int compare_cpu(struct ask *ask, struct _virConnect *connection)
{
	const struct cpu_question question = {
		.arch = ask->arch,
		.machine = ask->machine,
		.virt_type = ask->virt_type,
		.cpu = ask->cpu,
	};

	return domain_compare_cpu(connection, ask->uri, &question, &ask->answer, &ask->text,
				  &ask->error);
}

int domain_ask_cpu(const char *uri, const struct cpu_question *question, unsigned int timeout_ms,
		   uint32_t *ret, char **ret_note, struct mlx5lm_error **reterr)
{
	_cleanup_ask_ struct ask *ask = calloc(1, sizeof(*ask));
	_cleanup_ask_ struct ask *answer = NULL;
	int r;

	if (!ask || str_replace(&ask->uri, uri) < 0 ||
	    str_replace(&ask->arch, question->arch) < 0 ||
	    str_replace(&ask->machine, question->machine) < 0 ||
	    str_replace(&ask->virt_type, question->virt_type) < 0 ||
	    str_replace(&ask->cpu, question->cpu) < 0)
		return error_no_memory(reterr);
	ask->work = compare_cpu;
	r = ask_run(TAKE(ask), timeout_ms, &answer, reterr);
	if (r < 0)
		return r;
	*ret = answer->answer;
	*ret_note = TAKE(answer->text);
	return 0;
}
