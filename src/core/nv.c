// SPDX-License-Identifier: LGPL-2.1-or-later
#include "core/nv_internal.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

#include "core/bdf.h"
#include "core/version_rule.h"

/* Longer than any number, path of a device or version that is of interest. */
#define WORD_SIZE 128
#define REASON_LENGTH 200

static const char *const names[NV_COUNT] = {
	"SRIOV_EN", "NUM_OF_VFS", "VF_MIGRATION_MODE", "LINK_TYPE_P1", "LINK_TYPE_P2",
};

enum {
	SRIOV_EN,
	NUM_OF_VFS,
	VF_MIGRATION_MODE,
};

const char *nv_name(unsigned int index)
{
	return names[index];
}

int nv_find(const struct nv_span *name)
{
	for (int i = 0; i < NV_COUNT; i++) {
		if (strlen(names[i]) == name->length &&
		    memcmp(names[i], name->text, name->length) == 0)
			return i;
	}
	return -1;
}

static bool copy_word(const char *text, size_t length, char word[static WORD_SIZE])
{
	if (length >= WORD_SIZE)
		return false;
	memcpy(word, text, length);
	word[length] = '\0';
	return true;
}

static struct fact_u64 parse_number(const char *text, size_t length)
{
	struct fact_u64 number = { .known = true };
	char word[WORD_SIZE];

	/* No octal: the tools pad nothing, and a sign is none of theirs. */
	if (!copy_word(text, length, word) || !isdigit((unsigned char)word[0]) ||
	    str_to_u64(word, strncasecmp(word, "0x", 2) == 0 ? 16 : 10, &number.value) < 0)
		return (struct fact_u64){ 0 };
	return number;
}

struct fact_u64 nv_parse_cell(const struct nv_span *cell)
{
	const char *open;

	if (!cell->length || cell->text[cell->length - 1] != ')')
		return parse_number(cell->text, cell->length);
	open = memrchr(cell->text, '(', cell->length);
	if (!open)
		return (struct fact_u64){ 0 };
	open++;
	return parse_number(open, (size_t)(cell->text + cell->length - 1 - open));
}

enum nv_device nv_match_device(const struct nv_span *device, const char *bdf)
{
	char text[WORD_SIZE], *rest, *part;
	struct bdf parsed;

	if (!device->length || !copy_word(device->text, device->length, text))
		return NV_DEVICE_UNNAMED;
	for (part = strtok_r(text, "/", &rest); part; part = strtok_r(NULL, "/", &rest)) {
		if (bdf_parse(part, &parsed) == 0)
			return bdf_equal(part, bdf) ? NV_DEVICE_OURS : NV_DEVICE_OTHER;
	}
	return NV_DEVICE_UNNAMED;
}

/* The entry of a parameter, which is added in its place if it is not there yet. */
static struct mlx5lm_nv *get_entry(struct mlx5lm_pf *pf, int index)
{
	struct mlx5lm_nv *nv, moved;
	size_t place = 0;

	for (; place < pf->num_nvs; place++) {
		const char *name = pf->nvs[place].name;
		int other = nv_find(&(struct nv_span){ name, strlen(name) });

		if (other == index)
			return &pf->nvs[place];
		if (other > index)
			break;
	}
	if (pf_add_nv(pf, &nv) < 0)
		return NULL;
	if (str_replace(&nv->name, names[index]) < 0) {
		pf->num_nvs--;
		return NULL;
	}
	moved = *nv;
	memmove(&pf->nvs[place + 1], &pf->nvs[place],
		(pf->num_nvs - 1 - place) * sizeof(pf->nvs[0]));
	pf->nvs[place] = moved;
	return &pf->nvs[place];
}

static void take(struct fact_u64 *to, const struct fact_u64 *from)
{
	if (from->known)
		*to = *from;
}

int nv_put(struct mlx5lm_pf *pf, int index, const struct nv_row *row)
{
	struct mlx5lm_nv *nv = get_entry(pf, index);

	if (!nv)
		return -ENOMEM;
	nv->supported = MLX5LM_ANSWER_YES;
	if (row->read_only)
		nv->read_only = row->read_only;
	take(&nv->default_value, &row->values[NV_DEFAULT]);
	take(&nv->current, &row->values[NV_CURRENT]);
	take(&nv->next_boot, &row->values[NV_NEXT_BOOT]);
	return 0;
}

static int put_unsupported(struct mlx5lm_pf *pf, int index)
{
	struct mlx5lm_nv *nv = get_entry(pf, index);

	if (!nv)
		return -ENOMEM;
	/* A tool does not know better than a driver that has shown a value. */
	if (nv->supported != MLX5LM_ANSWER_YES)
		nv->supported = MLX5LM_ANSWER_NO;
	return 0;
}

/* A permanent parameter of devlink is what the next boot will find (mlx5, nv_param.c). */
static int put_param(struct mlx5lm_pf *pf, int index, const struct fact_u64 *next_boot)
{
	struct nv_row row = { 0 };

	row.values[NV_NEXT_BOOT] = *next_boot;
	return next_boot->known ? nv_put(pf, index, &row) : 0;
}

int nv_from_params(struct mlx5lm_pf *pf)
{
	const struct mlx5lm_param *enable_sriov = pf_find_param(pf, "enable_sriov");
	const struct mlx5lm_param *total_vfs = pf_find_param(pf, "total_vfs");
	struct fact_u64 enabled = { 0 }, total = { 0 };
	int r;

	if (enable_sriov && enable_sriov->permanent) {
		enabled.value = streq(enable_sriov->permanent, "true");
		enabled.known = enabled.value || streq(enable_sriov->permanent, "false");
	}
	if (total_vfs && total_vfs->permanent)
		total = parse_number(total_vfs->permanent, strlen(total_vfs->permanent));
	r = put_param(pf, SRIOV_EN, &enabled);
	if (r == 0)
		r = put_param(pf, NUM_OF_VFS, &total);
	if (r == 0 && (enabled.known || total.known))
		r = str_replace(&pf->nv_source, "devlink");
	return r;
}

int nv_mark_missing(struct mlx5lm_pf *pf, unsigned int asked)
{
	int r = 0;

	for (int i = 0; r == 0 && i < NV_COUNT; i++) {
		if (asked & 1U << i && !pf_find_nv(pf, names[i]))
			r = put_unsupported(pf, i);
	}
	return r;
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Is name in the line, and not just as a part of another one? */
static bool has_name(const char *line, size_t length, const char *name)
{
	const char *end = line + length, *at = line;
	size_t name_length = strlen(name);

	for (; (at = memmem(at, (size_t)(end - at), name, name_length)); at += name_length) {
		if ((at == line || !in_name(at[-1])) &&
		    (at + name_length == end || !in_name(at[name_length])))
			return true;
	}
	return false;
}

static bool has_text(const char *line, size_t length, const char *text)
{
	return memmem(line, length, text, strlen(text)) != NULL;
}

/*
 * "The Device doesn't support NUM_OF_VFS parameter" speaks of the adapter. "Unknown Parameter:
 * LINK_TYPE_P2" is what the tools say if there is no second port; only VF_MIGRATION_MODE is
 * younger than some tools (mstflint 4.20), so that there it says nothing about the adapter.
 */
static bool denies(const char *line, size_t length, int index)
{
	if (has_text(line, length, "doesn't support") || has_text(line, length, "does not support"))
		return true;
	return index != VF_MIGRATION_MODE && (has_text(line, length, "nknown Parameter") ||
					      has_text(line, length, "Failed to find Param"));
}

static int parse_error(const char *line, size_t length, struct mlx5lm_pf *pf, unsigned int *asked)
{
	int r = 0;

	for (int i = 0; r == 0 && i < NV_COUNT; i++) {
		if (!(*asked & 1U << i) || !has_name(line, length, names[i]))
			continue;
		*asked &= ~(1U << i);
		if (denies(line, length, i))
			r = put_unsupported(pf, i);
	}
	return r;
}

/* The words go into a note for people: one line, and nothing that a terminal obeys. */
static int copy_reason(const char *line, size_t length, char **ret)
{
	char *reason;

	while (length && isspace((unsigned char)line[0])) {
		line++;
		length--;
	}
	reason = strndup(line, length < REASON_LENGTH ? length : REASON_LENGTH);
	if (!reason)
		return -ENOMEM;
	for (char *at = reason; *at; at++) {
		if (*at < ' ' || *at > '~')
			*at = ' ';
	}
	str_trim_end(reason);
	free(*ret);
	*ret = reason;
	return 0;
}

int nv_parse_refusal(const char *text, size_t length, struct mlx5lm_pf *pf, unsigned int *asked,
		     char **reason)
{
	static const char mark[] = "-E-";
	const char *end = text + length, *next;
	bool first = true;
	int r = 0;

	for (const char *line = text; r == 0 && line < end; line = next) {
		const char *stop = memchr(line, '\n', (size_t)(end - line)) ?: end;

		next = stop < end ? stop + 1 : end;
		if ((size_t)(stop - line) < strlen(mark) || memcmp(line, mark, strlen(mark)) != 0)
			continue;
		line += strlen(mark);
		if (first)
			r = copy_reason(line, (size_t)(stop - line), reason);
		first = false;
		if (r == 0)
			r = parse_error(line, (size_t)(stop - line), pf, asked);
	}
	return r;
}

int nv_parse_version(const char *text, size_t length, char **ret)
{
	static const char digits[] = "0123456789.-";
	const char *end = text + length;

	/* "mstconfig, mstflint 4.21.0, Git SHA Hash: N/A", "mlxconfig, mft 4.30.1-8, built on" */
	for (const char *at = text; at < end; at++) {
		const char *stop = at;
		char word[WORD_SIZE];
		struct version version;

		if ((at > text && at[-1] != ' ') || !isdigit((unsigned char)*at))
			continue;
		while (stop < end && memchr(digits, *stop, strlen(digits)))
			stop++;
		if (copy_word(at, (size_t)(stop - at), word) && version_parse(word, &version) == 0)
			return str_replace(ret, word);
	}
	return 0;
}

bool nv_version_has_json(const char *version)
{
	static const struct version first = { { 4, 31, 0 } };
	struct version parsed;

	return version && version_parse(version, &parsed) == 0 &&
	       version_compare(&parsed, &first) >= 0;
}

bool nv_is_complete(const struct mlx5lm_pf *pf)
{
	for (int i = 0; i < NV_COUNT; i++) {
		const struct mlx5lm_nv *nv = pf_find_nv(pf, names[i]);

		if (!nv || (nv->supported != MLX5LM_ANSWER_NO &&
			    (!nv->current.known || !nv->next_boot.known)))
			return false;
	}
	return true;
}

char *nv_command(const char *bdf)
{
	_cleanup_(strbuf_release) struct strbuf buf = { 0 };
	char *command = NULL;

	strbuf_printf(&buf, "mstconfig -d %s -e q", bdf);
	for (int i = 0; i < NV_COUNT; i++)
		strbuf_printf(&buf, " %s", names[i]);
	strbuf_take(&buf, &command);
	return command;
}
