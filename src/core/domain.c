// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/domain.h"

#include <errno.h>

static const char *const what = "domain XML";

static int refuse(struct mlx5lm_error **reterr, const char *why)
{
	return error_set(reterr, MLX5LM_ERROR_INVALID_DOCUMENT, EBADMSG, MLX5LM_SOURCE_LIBRARY,
			 "%s refused: %s", what, why);
}

int domain_new(const char *xml, size_t length, struct mlx5lm_domain **ret,
	       struct mlx5lm_error **reterr)
{
	_cleanup_mlx5lm_domain_ struct mlx5lm_domain *domain = NULL;
	int r;

	if (length > DOMAIN_XML_MAX_BYTES)
		return refuse(reterr, "it is larger than 10 MiB");
	/* Else what stands behind it would be kept, but not looked at. */
	if (memchr(xml, '\0', length))
		return refuse(reterr, "it has a NUL byte");
	domain = calloc(1, sizeof(*domain));
	if (!domain)
		return error_no_memory(reterr);
	domain->xml = strndup(xml, length);
	if (!domain->xml)
		return error_no_memory(reterr);
	r = domain_xml_parse(domain->xml, &domain->parsed, reterr);
	if (r < 0)
		return r;
	*ret = TAKE(domain);
	return 0;
}

struct mlx5lm_domain *domain_copy(const struct mlx5lm_domain *domain)
{
	_cleanup_mlx5lm_domain_ struct mlx5lm_domain *copy = NULL;

	/* Only memory can be lacking: the same text was accepted before. */
	if (domain_new(domain->xml, strlen(domain->xml), &copy, NULL) < 0 ||
	    str_replace(&copy->cpu_uri, domain->cpu_uri) < 0 ||
	    str_replace(&copy->cpu_note, domain->cpu_note) < 0)
		return NULL;
	copy->cpu = domain->cpu;
	return TAKE(copy);
}

bool domain_names_cpu(const struct mlx5lm_domain *domain)
{
	return domain->parsed.cpu && domain->parsed.has_cpu_model;
}

int domain_set_unnamed_cpu(struct mlx5lm_domain *domain)
{
	const char *mode = domain->parsed.cpu_mode;
	bool any = !domain->parsed.cpu || !mode || streq(mode, "custom");

	domain->cpu = any ? MLX5LM_ANSWER_YES : MLX5LM_ANSWER_UNKNOWN;
	return str_replace(&domain->cpu_note,
			   any ? "it asks for no CPU in particular" :
				 "it takes the CPU that the host has, which no model stands for");
}
